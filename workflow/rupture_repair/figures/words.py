"""What each figure shows, in words, for those who cannot see it."""

import pandas as pd

from .style import KINDS, STATES, TERMS


def alt_text(figure: str, numbers: pd.DataFrame) -> str:
    """Say in words what a figure shows, from the numbers drawn.

    Parameters
    ----------
    figure : str
        courses, raster, episodes_per_criterion or effects_forest.
    numbers : DataFrame
        The numbers that the function of this name returned, or its CSV read back.
    """
    if numbers.empty:
        return "Nothing to show."
    return _ALT_TEXTS[figure](numbers)


def _alt_courses(numbers: pd.DataFrame) -> str:
    kinds = numbers.drop_duplicates("panel")["kind"].value_counts().reindex(KINDS).dropna()
    each = ", ".join(f"{n:.0f} {kind}" for kind, n in kinds.items())
    ruptured = (numbers["state"] == "ruptured").sum()
    return (
        f"Line charts of {int(kinds.sum())} courses ({each}): ratings by session with reference "
        f"and threshold, {ruptured} ruptured sessions marked, episodes shaded by their outcome."
    )


def _alt_raster(numbers: pd.DataFrame) -> str:
    count = (
        numbers.groupby("state")["n"].sum() if "n" in numbers else numbers["state"].value_counts()
    )
    share = (100 * count / count.sum()).reindex(list(STATES)).dropna()
    each = ", ".join(f"{STATES[str(state)][0]} {value:.1f} %" for state, value in share.items())
    rows = f"of {numbers['row'].max()} courses" if "row" in numbers else "as shares of courses"
    last = numbers["session"].max()
    return f"States {rows} over sessions 1 to {last}. Of {count.sum()} sessions: {each}."


def _alt_episodes(numbers: pd.DataFrame) -> str:
    text = f"Stacked bars of episodes by status for {len(numbers)} criteria and measures."
    used = numbers[numbers["assessable"].astype(bool)].sort_values("n_episodes", kind="stable")
    ends = [("most", -1), ("fewest", 0)] if len(used) > 1 else [("only", 0)] if len(used) else []
    for word, place in ends:
        row = used.iloc[place]
        text += (
            f" The {word}: {row['name']} ({row['measure']}), {row['n_episodes']:.0f} episodes, "
            f"{row['n_repaired']:.0f} repaired, {row['n_unrepaired']:.0f} unrepaired, "
            f"{row['n_censored']:.0f} censored."
        )
    left_out = len(numbers) - len(used)
    return f"{text} Not assessable: {left_out}." if left_out else text


def _alt_forest(numbers: pd.DataFrame) -> str:
    models = numbers.drop_duplicates(["measure", "outcome", "criterion"])
    without = models["status"].isin(["failed", "not_assessable"]).sum()
    text = f"Forest plot of {len(models)} models, {without} of them without result."
    for term, (name, _, _) in TERMS.items():
        rows = numbers[(numbers["term"] == term) & numbers["estimate"].notna()]
        if len(rows):
            clear = ((rows["ci_low"] > 0) | (rows["ci_high"] < 0)).sum()
            text += (
                f" Sessions {name}: estimates from {rows['estimate'].min():.2f} to "
                f"{rows['estimate'].max():.2f}, intervals without zero in {clear} of {len(rows)}."
            )
    return text


_ALT_TEXTS = {
    "courses": _alt_courses,
    "raster": _alt_raster,
    "episodes_per_criterion": _alt_episodes,
    "effects_forest": _alt_forest,
}
