"""What each figure shows, in words, for those who cannot see it."""

import pandas as pd

from .rows import name_of, shown
from .style import KINDS, SHOWN_STATES, TERMS


def alt_text(figure: str, numbers: pd.DataFrame) -> str:
    """Say in words what a figure shows, from the numbers drawn.

    Parameters
    ----------
    figure : str
        courses, raster, over_sessions,
        episodes_per_criterion, observed_and_expected, episode_shapes,
        criterion_pictures, ending_hazard, components, agreement, effects_forest, sensitivity,
        residuals, normal_quantiles, autocorrelation, influence, specification_curve or
        synthesis_forest.
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
        f"and threshold, episodes shaded by their outcome; {ruptured} sessions are in an open "
        "rupture."
    )


def _alt_raster(numbers: pd.DataFrame) -> str:
    count = (
        numbers.groupby("state")["n"].sum() if "n" in numbers else numbers["state"].value_counts()
    )
    share = (100 * count / count.sum()).reindex(list(SHOWN_STATES)).dropna()
    names = {state: name for state, (name, _, _) in SHOWN_STATES.items()}
    each = ", ".join(f"{names[str(state)]} {value:.1f} %" for state, value in share.items())
    rows = f"of {numbers['row'].max()} courses" if "row" in numbers else "as shares of courses"
    last = numbers["session"].max()
    return f"States {rows} over sessions 1 to {last}. Of {count.sum()} sessions: {each}."


def _alt_over_sessions(numbers: pd.DataFrame) -> str:
    text = "Medians and bands of ratings by session."
    for name, rows in numbers.groupby("measure", sort=False):
        first, last = rows.iloc[0], rows.iloc[-1]
        text += (
            f" {name}: median {first['median']:.1f} at session {first['session']}, "
            f"{last['median']:.1f} at session {last['session']}."
        )
    return text


def _alt_episodes(numbers: pd.DataFrame) -> str:
    text = f"Stacked bars of episodes by status for {len(numbers)} criteria and measures."
    used = numbers[numbers["assessable"].astype(bool) & numbers["n_episodes"].notna()]
    used = used.sort_values("n_episodes", kind="stable")
    ends = [("most", -1), ("fewest", 0)] if len(used) > 1 else [("only", 0)] if len(used) else []
    for word, place in ends:
        row = used.iloc[place]
        text += (
            f" The {word}: {row['name']} ({row['measure']}), {shown(row['n_episodes'])} episodes, "
            f"{shown(row['n_repaired'])} repaired, {shown(row['n_unrepaired'])} unrepaired, "
            f"{shown(row['n_censored'])} censored."
        )
    left_out = int((~numbers["assessable"].astype(bool)).sum())
    return f"{text} Not assessable: {left_out}." if left_out else text


def _alt_agreement(numbers: pd.DataFrame) -> str:
    criteria = len({*numbers["criterion_a"], *numbers["criterion_b"]})
    text = f"Heat map of {len(numbers)} pairs of {criteria} criteria."
    known = numbers[numbers["kappa"].notna()].sort_values("kappa", kind="stable")
    if len(known):
        least, most = known.iloc[0], known.iloc[-1]
        lowest = f"{least['kappa']:.2f}".replace("-0.00", "0.00")
        text += (
            f" Cohen's kappa from {lowest} ({least['name_a']} and {least['name_b']}) "
            f"to {most['kappa']:.2f} ({most['name_a']} and {most['name_b']}), median "
            f"{known['kappa'].median():.2f}."
        )
    without = len(numbers) - len(known)
    return f"{text} Without kappa: {without}." if without else text


def _alt_forest(numbers: pd.DataFrame) -> str:
    models = numbers.drop_duplicates(["measure", "outcome", "criterion"])
    without = models["status"].isin(["failed", "not_assessable"]).sum()
    text = f"Forest plot of {len(models)} models, {without} of them without result."
    for term, (name, _, _) in TERMS.items():
        rows = numbers[(numbers["term"] == term) & numbers["estimate"].notna()]
        if len(rows):
            clear = ((rows["ci_low"] > 0) | (rows["ci_high"] < 0)).sum()
            text += (
                f" Sessions {name}: estimates from {_signed(rows['estimate'].min())} to "
                f"{_signed(rows['estimate'].max())}, intervals without zero in {clear} of "
                f"{len(rows)}."
            )
            planted = rows.get("planted", pd.Series(dtype=float)).dropna()
            if len(planted):
                near = rows["planted"].between(rows["ci_low"], rows["ci_high"]).sum()
                text += f" Planted was {_signed(planted.iloc[0])}; {near} of the intervals hold it."
    return text


def _alt_sensitivity(numbers: pd.DataFrame) -> str:
    deepest = numbers[numbers["depth"] == numbers["depth"].max()].dropna(subset="sensitivity")
    number = numbers["criterion"].nunique()
    text = f"Heat map of the share of planted falls found by {number} criteria."
    if deepest.empty:
        return text
    best = deepest.loc[deepest["sensitivity"].idxmax()]
    return (
        f"{text} At {best['depth']:g} within-course SD most are found by {best['name']}: "
        f"{100 * best['sensitivity']:.0f} %, with {100 * best['false_alarm']:.0f} % false alarms."
    )


def _alt_residuals(numbers: pd.DataFrame) -> str:
    text = "Scatter of residuals against fitted values, and their spread."
    for kind, words, of_what in (
        ("mean", "means", "fitted value"),
        ("spread", "standard deviations", "fitted value"),
        ("time", "means", "session number"),
    ):
        rows = numbers[numbers["kind"] == kind]
        text += (
            f" In {len(rows)} ranges of the {of_what} the {words} run from "
            f"{_signed(rows['value'].min())} to {_signed(rows['value'].max())} residual SD; "
            f"{_outside(rows)} lie outside what the model produces."
        )
    return text


def _alt_quantiles(numbers: pd.DataFrame) -> str:
    panels = list(numbers.groupby("of", sort=False))
    text = f"Normal quantile plots, {len(panels)} panels. Points outside what the model produces: "
    each = [f"{name_of(str(name))} {_outside(rows)} of {len(rows)}" for name, rows in panels]
    return f"{text}{', '.join(each)}."


def _alt_autocorrelation(numbers: pd.DataFrame) -> str:
    each = [
        f"{row['lag']:.0f}: {_signed(row['value'])} (model {_signed(row['reference_low'])} to "
        f"{_signed(row['reference_high'])})"
        for row in numbers.to_dict("records")
    ]
    return f"Autocorrelation of residuals by session numbers apart. {', '.join(each)}."


def _alt_influence(numbers: pd.DataFrame) -> str:
    text = f"Estimates without each of {numbers['left_out'].nunique()} parts of the data."
    for term, rows in numbers.groupby("term", sort=False):
        text += (
            f" Sessions {TERMS[str(term)][0]}: {_signed(rows['whole'].iloc[0])} from all, from "
            f"{_signed(rows['estimate'].min())} to {_signed(rows['estimate'].max())} without one."
        )
    return text


def _outside(rows: pd.DataFrame) -> int:
    return int((~rows["value"].between(rows["reference_low"], rows["reference_high"])).sum())


def _signed(value: float) -> str:
    return f"{value:.2f}".replace("-0.00", "0.00").replace("-", "−")


def _alt_synthesis(numbers: pd.DataFrame) -> str:
    number = numbers.loc[numbers["kind"].isin(["dataset", "left out"]), "name"].nunique()
    text = f"Forest plot of {number} datasets."
    for row in numbers[numbers["kind"] == "pooled"].to_dict("records"):
        text += (
            f" {row['panel'].replace('→', 'and')}: pooled {row['estimate']:.2f}, interval "
            f"{row['ci_low']:.2f} to {row['ci_high']:.2f}."
        )
    for row in numbers[numbers["kind"] == "published"].to_dict("records"):
        text += (
            f" Published, {row['name']}: r = {row['estimate']:.2f}, interval {row['ci_low']:.2f} "
            f"to {row['ci_high']:.2f}."
        )
    return text


def _alt_curve(numbers: pd.DataFrame) -> str:
    curve = numbers[numbers["estimate"].notna()]
    number = numbers["specification"].nunique()
    text = f"Specification curve of {number} specifications, what the main choices do below it."
    one = len(curve["outcome"].unique()) == 1
    column, unit = ("estimate", "in points") if one else ("standardised", "standardised")
    for term, rows in curve.groupby("term", sort=False):
        text += (
            f" {TERMS[str(term) + '_within'][0].capitalize()}: estimates {unit} from "
            f"{_signed(rows[column].min())} to {_signed(rows[column].max())}, median "
            f"{_signed(rows[column].median())}, {(rows[column] > 0).sum()} of "
            f"{len(rows)} above zero."
        )
    return text


def _alt_chance(numbers: pd.DataFrame) -> str:
    known = numbers[(numbers["status"] == "assessed") & numbers["observed"].notna()]
    text = f"Observed and expected episodes by {len(numbers)} criteria."
    if known.empty:
        return text
    more = (known["observed"] > known["expected_high"]).sum()
    if known["ratio"].isna().all():  # nothing was expected
        return text
    least, most = known.loc[known["ratio"].idxmin()], known.loc[known["ratio"].idxmax()]
    return (
        f"{text} Observed over expected from {least['ratio']:.2f} ({least['name']}) to "
        f"{most['ratio']:.2f} ({most['name']}); above nineteen of twenty copies without "
        f"any rupture: {more} of {len(known)}."
    )


def _alt_shapes(numbers: pd.DataFrame) -> str:
    text = "Mean ratings around the onset of episodes and around matched ratings, minus the onset."
    for kind, rows in numbers.groupby("kind", sort=False):
        after = rows[rows["offset"] > 0]
        if len(after):
            low, last = after.loc[after["mean"].idxmin()], after.iloc[-1]
            text += (
                f" {str(kind).capitalize()}: lowest {_signed(low['mean'])} at rating "
                f"{low['offset']} after it, {_signed(last['mean'])} at rating {last['offset']}."
            )
    return text


def _alt_pictures(numbers: pd.DataFrame) -> str:
    text = "Small pictures of the mean rating around the onset, minus the onset. Lowest points:"
    each = []
    for name, rows in numbers.groupby("name", sort=False):
        low = rows.loc[rows["mean"].idxmin()]
        each.append(f"{name} {_signed(low['mean'])} at {low['offset']:+.0f}")
    return f"{text} {', '.join(each)}."


def _alt_hazard(numbers: pd.DataFrame) -> str:
    text = "Share of courses left, by session and state of the session before."
    for before, rows in numbers.groupby("before", sort=False):
        text += (
            f" {str(before).capitalize()} before: from {100 * rows['share'].min():.0f} % to "
            f"{100 * rows['share'].max():.0f} %, {rows['n'].sum():,} sessions."
        )
    return text


def _alt_components(numbers: pd.DataFrame) -> str:
    text = "Reliability of each component and of all together: of a course's mean, and of change."
    for level, rows in numbers.groupby("level", sort=False):
        each = ", ".join(
            f"{row['component']} {row['value']:.2f}"
            for row in rows.dropna(subset="value").to_dict("records")
        )
        text += f" {str(level).capitalize()} courses: {each}."
    return text


_ALT_TEXTS = {
    "observed_and_expected": _alt_chance,
    "episode_shapes": _alt_shapes,
    "criterion_pictures": _alt_pictures,
    "ending_hazard": _alt_hazard,
    "components": _alt_components,
    "courses": _alt_courses,
    "raster": _alt_raster,
    "over_sessions": _alt_over_sessions,
    "episodes_per_criterion": _alt_episodes,
    "agreement": _alt_agreement,
    "effects_forest": _alt_forest,
    "sensitivity": _alt_sensitivity,
    "residuals": _alt_residuals,
    "normal_quantiles": _alt_quantiles,
    "autocorrelation": _alt_autocorrelation,
    "influence": _alt_influence,
    "specification_curve": _alt_curve,
    "synthesis_forest": _alt_synthesis,
}
