"""Detection in a small table."""

import pandas as pd

from made_measures import made_measure

MEASURE = made_measure(
    instrument="SRS", components=["bond", "goals"], reliable_change={"value": 4.0}
)


def sessions(courses: dict[str, list[float]], start: int = 1) -> pd.DataFrame:
    rows = [
        (course, number, rating, rating / 4, rating / 4 + (2 if rating < 30 else 0))
        for course, ratings in courses.items()
        for number, rating in enumerate(ratings, start)
    ]
    columns = ["course", "session", "alliance", "alliance__bond", "alliance__goals"]
    return pd.DataFrame(rows, columns=columns).sort_values(["course", "session"])
