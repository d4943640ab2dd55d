"""Which counts of a dataset its reports show, and how they hang together.

A count is known by its key wherever it is shown: in a table, in a figure, in the explorer. Counts
of sets of courses, or of sessions, that may contain each other (all, rated, assessable, fitted)
are spaced, see :func:`~rupture_repair.disclosure.limits.spaced`; parts of totals are linked.
"""

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import pandas as pd

from ..exposure.sessions import leaving_exposures
from ..exposure.shared import turned
from ..exposure.summaries import BEFORE, courses_by_state, leaving_by_state
from ..models.definitions import MODELS, ON_NEXT_OUTCOME, PROBABLE_CRITERION
from ..project.dataset import Dataset, Detected
from ..project.headline import what_to_show
from ..project.measures import Measure
from ..project.processed import of_criterion
from ..project.setting_groups import ExposureRules
from .limits import spaced
from .linked_counts import DEAR, Key, LinkedCounts

#: Counts of the table detection: what could be assessed and was found, and parts of that.
_WHOLES = (
    *("n_courses_assessable", "n_sessions_assessable", "n_courses_with_episode", "n_episodes"),
)
_PARTS = ("n_repaired", "n_unrepaired", "n_censored", "n_sawtooth")
DETECTION = (*_WHOLES, *_PARTS)

#: What is lost by withholding a count of the headline, another one, one part of these.
_HEADLINE, _OTHER, _PART = 12.0, 3.0, 1.0

#: Claims about episodes of which it is known whether they were repaired.
_OF_DECIDED = ("C10", "C11", "C12", "C13")

#: Settings of a criterion by which two of them are the same rule.
_SAME_RULE = ("reference", "unit", "sd_around", "span", "run", "value", "floor", "min_ratings")

Tables = Mapping[str, pd.DataFrame]

#: Measure and criterion.
Pair = tuple[str, str]


def _found(pair: Pair, column: str) -> Key:
    """Return the key of a count of the table detection."""
    return ("detection", *pair, column)


def of_fit(row: Mapping[str, Any], column: str) -> Key:
    """Return the key of a count of a fit in the table of estimates."""
    names = ("measure", "outcome", "criterion", "model", "variant")
    return ("estimates", *(str(row[name]) for name in names), column)


def of_claim(row: Mapping[str, Any], column: str) -> Key:
    """Return the key of a count of a part of a claim."""
    names = ("measure", "criterion", "claim", "part")
    return ("claims", *(str(row[name]) for name in names), column)


class _Builder:
    """Collects the counts of one dataset; see :func:`published_counts`."""

    def __init__(
        self,
        least: int,
        dataset: Dataset,
        detected: Detected,
        tables: Tables,
        pair: Pair,
        rules: ExposureRules,
    ):
        self.given, self.detected = dataset, detected
        self.tables, self.rules = tables, rules
        self.measure, self.criterion = pair
        self.linked = LinkedCounts(least)
        # Courses by session are nested among each other, in no other set but all courses.
        self.sets: dict[str, list[Key]] = {"courses": [], "sessions": [], "reached": []}
        self.later: list[Callable[[], None]] = []

    def add(self, key: Key, count: Any, unit: str | None = None, weight: float = 1.0) -> Key:
        """Publish a count; one of a set of courses or sessions is spaced later."""
        self.linked.publish(key, int(count), weight)
        if unit is not None and key not in self.sets[unit]:
            self.sets[unit].append(key)
        return key

    # ---------------------------------------------------------------- the data

    def dataset(self) -> None:
        """Add what is said of the dataset as a whole, and of each measure."""
        sessions, courses = self.given.sessions, self.given.courses
        every = self.add(("courses",), courses["course"].nunique(), "courses", DEAR)
        self.add(("sessions",), len(sessions), "sessions", DEAR)
        self.add(("clients",), courses["client"].nunique(), "courses")
        self.add(("therapists",), courses["therapist"].nunique(), weight=DEAR)
        if "ending" in courses:
            found = courses["ending"].value_counts()
            keys = [self.add(("ending", str(name)), n) for name, n in found.items()]
            self.linked.part(every, *keys)
        for name, measure in self.given.measures.items():
            if measure.per_session:
                self._ratings(name, measure)
            else:
                for end in ("first", "last"):
                    known = courses[f"{name}__{end}"].notna().sum()
                    self.add((end, name), known, "courses")

    def _ratings(self, name: str, measure: Measure) -> None:
        rated = turned(self.given.sessions, self.given.measures, name)
        by = rated.groupby("course", sort=False)
        span = (by["session"].max() - by["session"].min() + 1).sum()
        courses = self.add(("rated courses", name), by.ngroups, "courses", DEAR)
        ratings = self.add(("ratings", name), len(rated), "sessions", DEAR)
        self.add(("missing", name), span - len(rated))
        worst, best = measure.turned_range
        at = {end: rated["value"] == value for end, value in {"best": best, "worst": worst}.items()}
        mostly = {end: where.groupby(rated["course"]).mean() > 0.5 for end, where in at.items()}
        self.linked.part(ratings, *(self.add((end, name), at[end].sum()) for end in at))
        keys = [self.add((f"mostly {end}", name), mostly[end].sum()) for end in at]
        self.linked.part(courses, *keys)

    # ---------------------------------------------------------------- what was found

    def detection(self) -> None:
        """Add the counts of episodes of each measure and criterion."""
        units = {"n_courses_assessable": "courses", "n_sessions_assessable": "sessions"}
        for row in self.detected.detection.to_dict("records"):
            pair = str(row["measure"]), str(row["criterion"])
            whole = _HEADLINE if pair == (self.measure, self.criterion) else _OTHER
            for column in DETECTION:
                weight = _PART if column in _PARTS else whole
                self.add(_found(pair, column), row[column], units.get(column), weight)
            self._episodes(pair, row)

    def _episodes(self, pair: Pair, row: Mapping[str, Any]) -> None:
        """Link the courses with episodes of one criterion, and the episodes."""
        linked = self.linked
        assessable, with_one, episodes, sawtooth, decided = (
            _found(pair, f"n_{name}")
            for name in ("courses_assessable", "courses_with_episode", "episodes", "sawtooth",
                         "decided")
        )  # fmt: skip
        linked.positive(with_one)  # there is an episode if a course has one
        self.later.append(partial(self._assessable, pair[0], assessable))
        linked.part(assessable, with_one)
        linked.part(with_one, sawtooth)
        linked.part(episodes, with_one)
        linked.part(episodes, with_one, sawtooth)
        # The share of repaired episodes is that of the decided ones.
        linked.derive(decided, row["n_repaired"] + row["n_unrepaired"])
        linked.total(decided, [_found(pair, "n_repaired"), _found(pair, "n_unrepaired")])
        linked.total(episodes, [decided, _found(pair, "n_censored")])

    def _assessable(self, measure: str, assessable: Key) -> None:
        """Link the assessable courses with the smallest set shown that holds them."""
        rated = ("rated courses", measure)
        self.linked.part(rated if self.linked.shown(rated) else ("courses",), assessable)

    def chains(self, criteria: Iterable[Mapping[str, Any]]) -> None:
        """Link criteria that differ in k only: what the stricter finds, the other finds as well."""
        rules: dict[tuple[str, ...], list[tuple[float, str]]] = {}
        for row in criteria:
            same = tuple(str(row.get(name)) for name in _SAME_RULE)
            if isinstance(row.get("k"), (int, float)):
                rules.setdefault(same, []).append((float(row["k"]), str(row["id"])))
        for family, measure in itertools.product(rules.values(), self.given.measures):
            ordered = [name for _, name in sorted(family)]
            keys = [_found((measure, name), "n_courses_with_episode") for name in ordered]
            known = [key for key in keys if key in self.linked.counts]
            for wide, strict in itertools.pairwise(known):
                self.linked.part(wide, strict)

    def fits(self) -> None:
        """Add the rows that models were fitted to: of every criterion where the forest shows it."""
        table = self.tables["estimates"]
        own = (table["measure"] == self.measure) & (table["criterion"] == self.criterion)
        names = ["measure", "outcome", "criterion", "model", "variant"]
        shown = table[own | (table["model"] == "next_session")].drop_duplicates(names)
        for row in shown.to_dict("records"):
            pair = str(row["measure"]), str(row["criterion"])
            rows = MODELS[row["model"]].rows if row["model"] in MODELS else "session"
            for unit in ("courses", "sessions"):
                if pd.notna(row.get(f"n_{unit}")):
                    key = self.add(of_fit(row, f"n_{unit}"), row[f"n_{unit}"], unit)
                    self.linked.positive(key)
                    found = "with_episode" if rows == "episode" else "assessable"
                    if unit == "courses":
                        self.linked.part(_found(pair, f"n_courses_{found}"), key)

    def claims(self) -> None:
        """Add what the claims rest on, of the measure and criterion shown, and by probabilities."""
        pair, table = (self.measure, self.criterion), self.tables["claims"]
        own = table["criterion"] == self.criterion
        own |= (table["criterion"] == PROBABLE_CRITERION) & table["claim"].isin(ON_NEXT_OUTCOME)
        for row in table[own & (table["measure"] == self.measure)].to_dict("records"):
            for unit in ("courses", "sessions"):
                if pd.notna(row[f"n_{unit}"]):
                    self.add(of_claim(row, f"n_{unit}"), row[f"n_{unit}"], unit)
            if pd.notna(row["n_episodes"]):
                key = self.add(of_claim(row, "n_episodes"), row["n_episodes"])
                decided = row["claim"] in _OF_DECIDED
                self.linked.part(_found(pair, "n_decided" if decided else "n_episodes"), key)
            if pd.notna(row.get("n_with_episode")):  # the share tells it
                key = self.add(of_claim(row, "n_with_episode"), row["n_with_episode"])
                self.linked.part(of_claim(row, "n_courses"), key)
                self.linked.part(_found(pair, "n_courses_with_episode"), key)

    def components(self) -> None:
        """Add how often each component fell most, of the measure and criterion shown."""
        own = of_criterion(self.tables["components"], self.measure, self.criterion)
        if own.empty:
            return
        every = ("components", "n_episodes")
        self.add(every, own["n_episodes"].iloc[0])
        for unit in ("courses", "sessions"):
            self.add(("components", f"n_{unit}"), own[f"n_{unit}"].iloc[0], unit)
        fell = own[own["n_fell_most"].notna()].set_index("component")["n_fell_most"]
        keys = [self.add(("components", "fell", str(name)), n) for name, n in fell.items()]
        if int(fell.sum()) == self.linked.counts[every]:
            self.linked.total(every, keys)
        self.linked.part(_found((self.measure, self.criterion), "n_episodes"), every)

    def flow(self) -> None:
        """Add what each step leaves out of the main model, of the measure and criterion shown."""
        own = of_criterion(self.tables["flow"], self.measure, self.criterion)
        for unit, steps in own.groupby("unit"):
            whole: Key = (f"{unit}s",)
            for place, row in enumerate(steps.to_dict("records")):
                left = self.add(("flow", str(unit), str(place)), row["n_left_out"])
                after = ("flow", str(unit), str(place), "after")
                if place == len(steps) - 1:
                    self.add(after, row["n_after"], f"{unit}s", _HEADLINE)
                else:
                    self.linked.derive(after, row["n_after"])
                self.linked.total(whole, [left, after])
                whole = after
            assessable = _found((self.measure, self.criterion), f"n_{unit}s_assessable")
            rated = "ratings" if unit == "session" else "rated courses"
            for place, key in enumerate([(rated, self.measure), assessable]):
                after = ("flow", str(unit), str(place), "after")
                if self.linked.counts[after] == self.linked.counts[key]:
                    self.linked.total(after, [key])

    # ---------------------------------------------------------------- figures

    def states(self) -> None:
        """Add the courses in each state by session, and those that could be left."""
        own = self.detected.of(self.measure, self.criterion)
        table = courses_by_state(own.states)
        totals, unknown = [], []
        for session, rows in table.groupby("session"):
            total = self.add(("states", str(session)), rows["n"].sum(), "reached", DEAR)
            totals.append(total)
            keys = [
                self.add(("states", str(session), str(state)), n)
                for state, n in zip(rows["state"], rows["n"], strict=True)
            ]
            self.linked.total(total, keys)
            unknown += [key for key in keys if key[-1] == "not_assessable"]
        self._span(totals, unknown)
        outcome = self.given.measures[self.measure].outcome
        if outcome is not None and "ending" in self.given.courses:
            self._leaving(own.states, outcome)

    def _span(self, totals: list[Key], unknown: list[Key]) -> None:
        """Link the session numbers from the first to the last rating of each course.

        They are the ratings and the missing ones, and they are counted by session as well.
        """
        linked, every = self.linked, ("span", self.measure)
        parts = ("ratings", self.measure), ("missing", self.measure)
        span = sum(linked.counts[key] for key in parts)
        if span != sum(linked.counts[key] for key in totals):
            return
        linked.derive(every, span)
        linked.total(every, parts)
        linked.total(every, totals)
        not_known, known = (
            (*every, "unknown"),
            _found((self.measure, self.criterion), "n_sessions_assessable"),
        )
        linked.derive(not_known, sum(linked.counts[key] for key in unknown))
        linked.total(not_known, unknown)
        if span == linked.counts[not_known] + linked.counts[known]:
            linked.total(every, [not_known, known])

    def _leaving(self, states: pd.DataFrame, outcome: str) -> None:
        """Add the sessions at which a course could be left, and those at which it was."""
        table = leaving_exposures(states, self.given, self.measure, outcome, self.rules)
        lefts = []
        for row in leaving_by_state(table).to_dict("records"):
            key = ("leaving", row["before"], str(row["session_from"]))
            every, left = self.add((*key, "n"), row["n"]), self.add((*key, "left"), row["left"])
            self.linked.part(every, left)
            lefts.append(left)
            self._reached(row, every)
        dropped = ("ending", "dropped_out")
        if lefts and dropped in self.linked.counts:
            self.linked.part(dropped, *lefts)

    def _reached(self, row: Mapping[str, Any], every: Key) -> None:
        """Link sessions at which a course could be left with the states of those before them."""
        rules = self.rules
        of = dict(zip(BEFORE, (("steady",), rules.open, rules.repaired), strict=True))
        places = range(row["session_from"] - rules.max_gap, row["session_to"])
        keys = [("states", str(place), state) for place in places for state in of[row["before"]]]
        known = [key for key in keys if key in self.linked.counts]
        before = (*every, "before")
        self.linked.derive(before, sum(self.linked.counts[key] for key in known))
        if known:
            self.linked.total(before, known)
            self.linked.part(before, every)

    def therapists(self) -> None:
        """Withhold how many therapists there are where those drawn tell how many are small."""
        table = self.tables["diagnostics"]
        parts = table[table["part"].astype(str).str.startswith("therapist") & table["n"].notna()]
        for _, own in parts.groupby("measure"):
            drawn = own.loc[own["n"] >= self.linked.least, "part"].nunique()
            rest = self.linked.counts[("therapists",)] - drawn
            if 0 < rest < self.linked.least <= drawn:
                self.linked.withhold(("therapists",))

    # ---------------------------------------------------------------- sets that may nest

    def space(self) -> None:
        """Withhold counts of sets that lie too near to others that are shown, then link on."""
        counts = self.linked.counts
        for unit, keys in self.sets.items():
            every = [counts["courses",]] if unit == "reached" else []
            ordered = [(key, counts[key]) for key in sorted(keys, key=self._order(keys))]
            for key, shown in spaced(ordered, self.linked.least, every).items():
                if not shown:
                    self.linked.withhold(key)
        for link in self.later:
            link()

    def _order(self, keys: list[Key]) -> Callable[[Key], tuple[Any, ...]]:
        """Return by what the most important sets come first: of all, the headline, the common."""
        counts = self.linked.counts
        often = Counter(counts[key] for key in keys)

        def order(key: Key) -> tuple[Any, ...]:
            own = self.measure in key[1:2]
            rated = own and key[0] in ("rated courses", "ratings")
            headline = own and self.criterion in key[2:3]
            return (len(key) > 1, not rated, not headline, -often[counts[key]], -counts[key], key)

        return order


def published_counts(
    least: int,
    dataset: Dataset,
    detected: Detected,
    tables: Tables,
    *,
    default_criterion: str,
    rules: ExposureRules,
    criteria: Iterable[Mapping[str, Any]] = (),
) -> LinkedCounts:
    """Collect what the reports of a dataset show, and find what has to be withheld.

    Parameters
    ----------
    least : int
        The smallest count that may be shown.
    dataset : Dataset
    detected : Detected
    tables : mapping of str to DataFrame
        `estimates` and, where they were computed, `claims`, `components`, `flow`, `diagnostics`.
    default_criterion : str
    rules : ExposureRules
    criteria : iterable of mapping
        The settings of the criteria.

    Returns
    -------
    LinkedCounts
        Protected.
    """
    pair = what_to_show(detected.detection, dataset.measures, default_criterion)
    made = _Builder(least, dataset, detected, tables, pair, rules)
    made.dataset()
    made.detection()
    made.chains(criteria)
    made.fits()
    for name in ("claims", "components", "flow"):
        if tables.get(name) is not None:
            getattr(made, name)()
    made.states()
    if tables.get("diagnostics") is not None:
        made.therapists()
    made.space()
    made.linked.protect()
    return made.linked
