"""What of a dataset may be shown to others: the one gate between its tables and its reports.

Tables in data/processed are the owner's and hold everything. Where single courses may not be
shown, a count from 1 to `min_cell` - 1 is withheld wherever it would be printed or drawn, and so
are as many others as are needed that it cannot be worked out (docs/disclosure.md).

:mod:`.published_counts` lists what is shown and how it hangs together, :mod:`.linked_counts` finds
what has to be withheld, :mod:`.gate` lets the rest pass, and :mod:`.reasons` says in words why
something is missing, without numbers of the data.
"""
