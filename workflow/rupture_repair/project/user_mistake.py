"""The exception that ends a step because of what the user gave, not because of a fault of ours."""


class UserMistake(Exception):
    """A mistake of the user.

    Parameters
    ----------
    texts : list of str
        What is wrong, and what to do: one text for each problem.
    """

    def __init__(self, texts: list[str]):
        self.texts = texts
        super().__init__("\n".join(texts))
