"""An attack on all that the pages of three studies print: no small count can be told from it."""

import copy

import numpy as np
import pandas as pd
import pytest

from private_study import LEAST, STUDIES, published
from rupture_repair.disclosure.reasons import KEPT, public

#: The steps from three studies to their pages take a minute, more on a busy machine.
pytestmark = pytest.mark.timeout(1200)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("private") / "studies"


@pytest.fixture(scope="module")
def read(folder):
    """What is read in the pages of each study: as shown, and as it is."""
    return published(folder)


def true_counts(reader):
    """The counts that pages print where everything may be shown."""
    attacker = reader.attacker
    return {
        name: int(attacker.low[at])
        for name, at in attacker.place.items()
        if attacker.low[at] == attacker.high[at]
    }


def small_sums(shown, true):
    """Each count, and what its parts leave of a whole, that is small: {name: factor}."""
    names = {at: name for name, at in shown.attacker.place.items()}
    sums = [{name: 1} for name in shown.attacker.place]
    for row, limits in zip(shown.attacker.rows, shown.attacker.limits, strict=True):
        if limits == (-np.inf, 0.0):
            sums.append({names[at]: -factor for at, factor in row.items()})
    for one in map(dict, {frozenset(one.items()) for one in sums}):
        if set(one) <= set(true):
            count = sum(factor * true[name] for name, factor in one.items())
            if 0 < count < LEAST:
                yield one, count


def told(shown, true):
    """What is small and can be told more narrowly than by the smallest count shown."""
    found = []
    for sums, count in small_sums(shown, true):
        low, high = shown.attacker.bounds(sums)
        assert low <= count <= high, f"the attack contradicts the data: {sums}"
        if high - low < LEAST:
            found.append((sums, count, low, high))
    return found


@pytest.mark.parametrize("name", STUDIES)
def test_no_small_count_can_be_told(read, name):
    shown, real = read[name]
    true = true_counts(real)
    assert len(list(small_sums(shown, true))) > 50
    assert told(shown, true) == []


@pytest.mark.parametrize("name", STUDIES)
def test_everything_that_is_published_is_read(read, name):
    assert read[name][0].unread == []


@pytest.mark.parametrize("name", STUDIES)
def test_without_complementary_counts_the_attack_finds_what_is_told(read, name):
    """Were only the small counts withheld themselves, others would give them away."""
    shown, real = read[name]
    true = true_counts(real)
    open_to_it = copy.deepcopy(shown)
    for at_name, count in true.items():
        if count >= LEAST and at_name in open_to_it.attacker.place:
            open_to_it.attacker.know(at_name, count)
    assert len(told(open_to_it, true)) > 5


@pytest.mark.parametrize("name", STUDIES)
def test_words_count_only_what_tables_count(read, name):
    """Numbers in sentences and in texts of pictures, but for those that all studies share."""
    shown = read[name][0]
    settings = set.intersection(*(other.words for other, _ in read.values()))
    ends = zip(shown.attacker.low, shown.attacker.high, strict=True)
    known = shown.sums | {low for low, high in ends if low == high}
    assert {one for one in shown.words - settings if one[0] not in known} == set()


def test_no_sum_over_datasets_tells_a_count_that_is_withheld(read):
    forest = next(iter(read.values()))[0].forest
    for _, rows in forest.groupby("panel"):
        used = rows[(rows["kind"] == "dataset") & rows["estimate"].notna()]
        whole = rows.loc[rows["kind"] == "pooled", "n_courses"]
        assert whole.isna().all() or used["n_courses"].notna().all()


@pytest.mark.usefixtures("read")
def test_every_reason_in_the_tables_is_read_by_a_sentence(folder):
    number = 0
    for file in sorted(folder.glob("data/processed/*/*.parquet")):
        table = pd.read_parquet(file)
        for column in {"message", "reason", "note", "step"} & set(table):
            said = table[column].dropna().astype(str)
            for text in said[said != ""].unique():
                assert public(text) != KEPT, text
                number += 1
    assert number > 100
