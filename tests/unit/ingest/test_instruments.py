"""Instruments and the constants of measures."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rupture_repair.ingest import ingest, instruments, scoring
from rupture_repair.ingest.described_measures import KINDS, RATERS
from rupture_repair.project import yaml_files
from rupture_repair.project.measures import CutOff, Reliability, ReliableChange
from rupture_repair.project.package_files import KNOWLEDGE
from rupture_repair.project.problems import ProblemsFound
from rupture_repair.project.reasons import in_full
from rupture_repair.statistics.reliability import cronbach_alpha, reliable_change, standard_error
from small_dataset import GONE, SESSIONS, write

KNOWN = instruments.load()

#: id -> items, range, better, single cut-off, single reliable change; from the design table.
EXPECTED = {
    "SRS": (4, [0, 40], "higher", 36, None),
    "ORS": (4, [0, 40], "higher", None, 5),
    "WAI": (36, [36, 252], "higher", None, None),
    "WAI-S": (12, [12, 84], "higher", None, None),
    "WAI-SR": (12, [12, 60], "higher", None, None),
    "SAI": (6, [0, 5], "higher", None, None),
    "ARM-28": (28, [1, 7], "higher", None, None),
    "ARM-12": (12, [1, 7], "higher", None, None),
    "ARM-5": (5, [1, 7], "higher", None, None),
    "CALPAS-P": (24, [1, 7], "higher", None, None),
    "BPSR-P": (6, [-3, 3], "higher", None, None),
    "PHQ-9": (9, [0, 27], "lower", 10, 6),
    "GAD-7": (7, [0, 21], "lower", None, 4),
    "CORE-10": (10, [0, 40], "lower", 11, 6),
    "CORE-OM": (34, [0, 40], "lower", 10, 5),
    "OQ-45.2": (45, [0, 180], "lower", None, None),
    "BDI-II": (21, [0, 63], "lower", None, None),
    "HSCL-11": (11, [1, 4], "lower", None, None),
    "PCL-5": (20, [0, 80], "lower", None, None),
}


def test_every_instrument_is_as_published():
    found = {}
    for name, one in KNOWN.items():
        cut, change = (instruments.only(one[key]) for key in ("cut_offs", "reliable_changes"))
        single = [None if constant is None else constant["value"] for constant in (cut, change)]
        found[name] = (one["items"], one["range"], one["better"], *single)
    assert found == EXPECTED


@pytest.mark.parametrize("name", KNOWN)
def test_scales_are_consistent(name):
    one = KNOWN[name]
    if one["scored"] != "other":
        made = instruments.scale(one["items"], tuple(one["item_range"]), one["scored"])
        assert list(made) == one["range"]
    if one["components"]:
        assert sum(one["components"].values()) == one["items"]
    low, high = one["range"]
    for constant in one["cut_offs"]:
        assert low < constant["value"] < high
    for constant in one["reliable_changes"]:
        assert 0 < constant["value"] < high - low


def test_each_constant_has_its_source_and_standing():
    for one in KNOWN.values():
        for key in ("cut_offs", "reliable_changes", "reliabilities"):
            for constant in one[key]:
                assert all(constant[field] for field in ("population", "version", "source"))
                assert constant["standing"] in ("source seen", "recalled, to be confirmed")


def test_unknown_key_in_instruments_is_refused(tmp_path):
    text = (KNOWLEDGE / "instruments.yaml").read_text(encoding="utf-8")
    path = tmp_path / "instruments.yaml"
    path.write_text(text.replace("    better: higher", "    beter: higher", 1), encoding="utf-8")
    with pytest.raises(ProblemsFound) as caught:
        instruments.load(path)
    assert {entry.code for entry in caught.value.problems} == {"E103", "E104"}
    assert "Did you mean 'better'?" in str(caught.value)


def test_schema_and_library_name_the_same_words():
    dataset = yaml_files.schema("dataset")["$defs"]
    assert tuple(dataset["measure"]["properties"]["rater"]["enum"]) == RATERS
    assert all(kind in dataset["events"]["properties"]["kind"]["description"] for kind in KINDS)


@pytest.mark.parametrize("name", ["dataset", "instruments"])
def test_every_key_is_described_and_every_optional_key_has_a_default(name):
    root = yaml_files.schema(name)

    def walk(part: dict, path: str) -> None:
        for key, below in part.get("properties", {}).items():
            below = yaml_files.resolved(below, root)
            assert below.get("description"), f"{path}.{key}"
            if key not in part.get("required", []):
                assert "default" in below, f"{path}.{key}"
            walk(below, f"{path}.{key}")
        for key in ("additionalProperties", "items"):
            if isinstance(part.get(key), dict):
                walk(yaml_files.resolved(part[key], root), f"{path}.*")

    walk(root, name)


# ---------------------------------------------------------------------------- arithmetic


def test_reliable_change_index():
    # Jacobson & Truax 1991; figures from an independent calculation.
    assert standard_error(10.5, 0.961) == pytest.approx(2.073584, abs=5e-7)
    assert math.sqrt(2) * standard_error(10.5, 0.961) == pytest.approx(2.93249, abs=5e-6)
    assert reliable_change(10.5, 0.961) == pytest.approx(5.747681, abs=5e-7)


def test_alpha_is_that_of_pingouin():
    import pingouin  # here, because its import takes two seconds

    rng = np.random.default_rng(7)
    items = rng.normal(size=(80, 1)) + rng.normal(size=(80, 5))
    expected = pingouin.cronbach_alpha(data=pd.DataFrame(items))[0]
    assert cronbach_alpha(items) == pytest.approx(expected, abs=1e-3)
    binary = (items > 0).astype(float)  # then it is Kuder-Richardson 20
    assert cronbach_alpha(binary) == pytest.approx(
        pingouin.cronbach_alpha(data=pd.DataFrame(binary))[0], abs=1e-3
    )


@pytest.mark.parametrize("items", [np.ones((5, 3)), np.ones((1, 3)), np.arange(5.0)[:, None]])
def test_alpha_is_unknown_without_variation_or_enough_values(items):
    assert math.isnan(cronbach_alpha(items))


def test_alpha_leaves_out_incomplete_ratings():
    rng = np.random.default_rng(1)
    items = rng.normal(size=(30, 1)) + rng.normal(size=(30, 4))
    holed = np.vstack([items, [[np.nan, 1, 2, 3]]])
    assert cronbach_alpha(holed) == cronbach_alpha(items)


@settings(max_examples=100, deadline=None)
@given(arrays(float, (6, 4), elements=st.sampled_from([0.1 * n for n in range(101)])))
def test_totals_are_decimal_and_agree_with_themselves(items):
    totals = scoring.total(items, "sum")
    assert np.array_equal(totals, np.round(totals, 1))
    assert not scoring.disagree(items, totals, "sum").any()
    assert scoring.disagree(items, totals + 0.1, "sum").all()
    assert np.allclose(scoring.total(items, "mean") * 4, totals, atol=1e-8)


# ---------------------------------------------------------------------------- order of sources


def measure(folder, edits=None, files=None):
    """Return the alliance's attributes in a changed small dataset."""
    return ingest.ingest("small", write(folder, edits, files)).measures["alliance"]


def test_reliability_stated_before_items_before_published(tmp_path):
    key = "measures.alliance"
    stated = {"value": 0.7, "source": "our own"}
    assert measure(tmp_path, {f"{key}.reliability": stated}).reliability == Reliability(**stated)
    found = measure(tmp_path).reliability
    first = [[9, 8.5, 9, 9.5], [8, 8, 8, 8], [10, 10, 10, 10]]
    assert found.value == pytest.approx(cronbach_alpha(np.array(first)))
    assert "alpha of the 4 items at the first complete rating of 3 courses" in in_full(found.source)
    published = measure(tmp_path, {f"{key}.items": GONE}).reliability
    assert published.value == 0.88
    assert ".88-.97" in published.source
    own = {"instrument": GONE, "items": GONE, "range": [0, 40], "better": "higher"}
    assert measure(tmp_path, {f"{key}.{k}": v for k, v in own.items()}).reliability is None


def test_reliable_change_stated_before_published_before_computed(tmp_path):
    key = "measures.alliance"
    stated = {"value": 4, "source": "our own"}
    found = measure(tmp_path, {f"{key}.reliable_change": stated}).reliable_change
    assert found == ReliableChange(**stated, standing="stated in dataset.yaml")
    ors = {f"{key}.instrument": "ORS"}
    assert measure(tmp_path, ors).reliable_change.value == 5
    half = measure(tmp_path, {**ors, f"{key}.range": [0, 50]}).reliable_change
    assert half.standing == "computed from this dataset"  # 5 belongs to the range 0..40
    reliability = {f"{key}.reliability": {"value": 0.5, "source": "our own"}}
    computed = measure(tmp_path, reliability).reliable_change
    expected = reliable_change(np.std([36, 32, 40], ddof=1), 0.5)
    assert computed.value == pytest.approx(expected)
    assert "SD 4 of the first ratings of 3 courses, reliability 0.5" in in_full(computed.source)


def test_reliable_change_is_unknown_without_variation(tmp_path):
    header, *rows = SESSIONS.splitlines()
    one = {"sessions.csv": "\n".join([header, *rows[:4]]), "events.csv": GONE}
    assert measure(tmp_path, {"tables.events": GONE}, one).reliable_change is None


def test_first_ratings_skip_sessions_without_one(tmp_path):
    files = {"sessions.csv": SESSIONS.replace("9,8.5,9,9.5,36,", ",,,,,")}
    sd = np.std([36, 32, 40], ddof=1)
    edits = {"measures.alliance.reliability": {"value": 0.5, "source": "our own"}}
    found = measure(tmp_path, edits, files).reliable_change
    assert found.value == pytest.approx(reliable_change(sd, 0.5))


def test_cut_off_stated_before_published(tmp_path):
    stated = {"value": 35, "inclusive": True, "source": "our own"}
    assert measure(tmp_path, {"measures.alliance.cut_off": stated}).cut_off == CutOff(**stated)
    assert measure(tmp_path).cut_off.value == 36
    assert measure(tmp_path, {"measures.alliance.better": "lower"}).cut_off is None
