"""Counts of a criterion at many settings, as they may be shown together.

Settings are nested: what a stricter k or a larger floor finds, the others find as well. So the
courses with an episode are spaced over all settings of a rule, see
:func:`~rupture_repair.disclosure.limits.spaced`, together with those of the table detection.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from ..detection.criteria import Criterion
from ..project.arrays import Flags, Floats, Integers
from .gate import Gate
from .limits import small, spaced
from .linked_counts import Key

#: The counts of a setting, in order, and those of detection that they are at the own settings.
COLUMNS = ("episodes", "courses", "repaired", "unrepaired", "censored", "assessable")
_OF_DETECTION = ("n_episodes", "n_courses_with_episode", "n_repaired", "n_unrepaired",
                 "n_censored", "n_courses_assessable")  # fmt: skip
_EPISODES, _COURSES, _ASSESSABLE = 0, 1, 5
_PARTS = slice(2, 5)


def explored_counts(
    gate: Gate,
    measure: str,
    criteria: Sequence[Criterion],
    counts: Sequence[Integers],
    own: Sequence[int],
) -> list[Floats]:
    """Return the counts at all settings of all criteria of one measure as they may be shown.

    Parameters
    ----------
    gate : Gate
    measure : str
    criteria : sequence of Criterion
    counts : sequence of array, shape (settings, 6)
        By criterion; columns :data:`COLUMNS`.
    own : sequence of int
        By criterion, which row has its own settings.

    Returns
    -------
    list of array
        The same, NaN where a count is withheld. A row hides what became of its episodes when one of
        these numbers is small; the episodes when they, or those beyond the first of each course,
        are few; and the courses with an episode when they or the others are few, or lie too near
        to those of another setting.
    """
    if gate.open:
        return [np.asarray(table, dtype=float) for table in counts]
    shown = []
    for criterion, table, place in zip(criteria, counts, own, strict=True):
        same = [_rule(one) == _rule(criterion) for one in criteria]
        every = zip(criteria, counts, own, same, strict=True)
        family = [(one.id, rows, at) for one, rows, at, is_same in every if is_same]
        usable = _courses_to_show(gate, measure, family)
        shown.append(_shown(gate, measure, criterion.id, table, place, usable))
    return shown


def _rule(criterion: Criterion) -> tuple[object, ...]:
    """Return what criteria have in common that differ in their settings only."""
    return (criterion.reference, criterion.unit, criterion.sd_around, criterion.span,
            criterion.run, criterion.value)  # fmt: skip


def _key(measure: str, criterion: str, column: int) -> Key:
    return ("detection", measure, criterion, _OF_DETECTION[column])


def _whole(gate: Gate, measure: str) -> int | None:
    """Return the smallest set shown that holds all assessable courses."""
    return gate.shown.get(("rated courses", measure), gate.shown.get(("courses",)))


def _near_whole(gate: Gate, measure: str, table: Integers) -> Flags:
    """Return where so few courses have no episode that these give themselves away."""
    few: Flags = small(table[:, _ASSESSABLE] - table[:, _COURSES], gate.least)
    whole = _whole(gate, measure)
    return few if whole is None else few | small(whole - table[:, _COURSES], gate.least)


def _bounding(gate: Gate, measure: str, criterion: str, own: Integers) -> set[int]:
    """Return numbers of courses that would bound those with an episode which detection withholds.

    There are at most as many as episodes, less those beyond the first of courses with several.
    """
    episodes = gate.shown.get(_key(measure, criterion, _EPISODES))
    if episodes is None or gate.passes(_key(measure, criterion, _COURSES)):
        return set()
    most = episodes - gate.shown.get(("detection", measure, criterion, "n_sawtooth"), 0)
    return set(range(most - gate.least + 1, int(own[_COURSES]) + 1))


def _courses_to_show(
    gate: Gate, measure: str, family: Sequence[tuple[str, Integers, int]]
) -> list[int]:
    """Return which numbers of courses with an episode may be shown at any setting of a rule."""
    keys = [_key(measure, name, _COURSES) for name, _, _ in family]
    taken = [gate.shown[key] for key in keys if key in gate.shown]
    every = np.concatenate([table for _, table, _ in family])
    never = set(every[_near_whole(gate, measure, every), _COURSES].tolist())
    for name, table, place in family:
        never |= _bounding(gate, measure, name, table[place])
    often = Counter(every[:, _COURSES].tolist())
    wanted = sorted(often, key=lambda count: (-often[count], -count))
    chosen = spaced([(count, count) for count in wanted if count not in never], gate.least, taken)
    return [count for count, fits in chosen.items() if fits]


def _shown(
    gate: Gate, measure: str, criterion: str, table: Integers, own: int, usable: list[int]
) -> Floats:
    """Return the counts of one criterion, NaN where they are withheld."""
    hidden = np.zeros(table.shape, dtype=bool)
    assessable = [
        count for key, count in gate.shown.items()
        if key[:1] + key[1:2] in (("rated courses", measure), ("detection", measure))
        and key[-1] in (measure, "n_courses_assessable")
    ]  # fmt: skip
    hidden[:, _ASSESSABLE] = ~np.isin(table[:, _ASSESSABLE], [0, *assessable])
    episodes, courses = table[:, _EPISODES], table[:, _COURSES]
    hidden[:, _COURSES] = ~np.isin(courses, [0, *usable]) | _near_whole(gate, measure, table)
    few = small(table[:, _PARTS], gate.least).any(axis=1)
    # That there are episodes tells that there are courses with one.
    hidden[:, _EPISODES] = small(episodes, gate.least) | small(courses, gate.least)
    hidden[:, _EPISODES] |= small(episodes - courses, gate.least)
    # What is withheld lies between what another setting shows, one at least, and the episodes.
    known = np.array(sorted({0, *usable}))
    below = np.maximum(known[np.searchsorted(known, courses, side="right") - 1], 1)
    hidden[:, _EPISODES] |= hidden[:, _COURSES] & (episodes - below < gate.least)
    for column in (_EPISODES, _COURSES):
        if not gate.passes(_key(measure, criterion, column)):
            hidden[:, column] |= table[:, column] == table[own, column]
    hidden[:, _PARTS] |= (few | hidden[:, _EPISODES])[:, None]
    for column in range(len(COLUMNS)):
        if not gate.passes(_key(measure, criterion, column)):
            hidden[own, column] = True
    hidden[own, _PARTS] |= hidden[own, _PARTS].any()
    return np.where(hidden, np.nan, table)
