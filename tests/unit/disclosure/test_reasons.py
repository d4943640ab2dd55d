"""Reasons as others read them: no count, no value of a person, and no text that is not known."""

import ast
import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repository import ROOT
from rupture_repair.detection.fall_rules import REASONS
from rupture_repair.disclosure.reasons import KEPT, public
from rupture_repair.disclosure.sentences import SENTENCES
from rupture_repair.models.definitions import MODELS
from rupture_repair.models.flow import STEPS

LIBRARY = ROOT / "workflow/rupture_repair"


@pytest.mark.parametrize(
    ("said", "others"),
    [
        ("too few events: 14 in 15 rows for 3 terms", "too few data for this model"),
        ("depth does not vary: it is 1.92333 in all 1 rows", "depth does not vary"),
        ("1 of 84 rows left out with missing values (disagreement 1)",
         "rows left out with missing values"),
        ("few courses: 1 in 'any unrepaired', 2 in 'none'", "few courses in some groups"),
        ("only one therapist: fitted without the therapist level; "
         "left out, being constant or a combination of other terms: a, b",
         "there are too few: fitted without the therapist level; "
         "left out, being constant or a combination of other terms: a, b"),
        ("the model ending, main: too few events: 3 in 90 rows for 6 terms",
         "the model ending, main: too few data for this model"),
        ("10 courses, 8 courses with the first rupture repaired and 2 courses with it not "
         "repaired; 30 are needed, 8 of each; of 225 courses, left out: 209 courses without "
         "rupture, 3 courses without rating before or after it",
         "too few courses with the first rupture repaired, or with it not repaired"),
        ("the variance between codes is estimated as zero in 1 episodes: it has no interval",
         "the variance between codes is estimated as zero: it has no interval"),
        ("separation in sex[f]: the outcome of 2 of 15 rows follows from this without error, so "
         "that no finite estimate exists; merge rare categories, or leave a term out",
         "separation in sex[f]: no finite estimate exists; merge rare categories, or leave a term "
         "out"),
        ("share with an episode not recovered: 0.05 of 129; recovered: 0.08 of 48; expected by "
         "chance in the recovered: 0.06",
         "share with an episode; expected by chance in the recovered: 0.06"),
        ("4 recovered courses; 5 are needed", "too few courses are known to have recovered"),
        ("1 courses whose ending is not known count until their last session but one",
         "courses whose ending is not known count until their last session but one"),
        ("2 repaired episodes of 2 courses: too few to tell them apart",
         "repaired episodes of courses: too few to tell them apart"),
        ("the whole interval [−0.1, 2e-05] holds less than the smallest effect worth caring about "
         "(2)",
         "the whole interval [−0.1, 2e-05] holds less than the smallest effect worth caring about "
         "(2)"),
        ("the criterion is not assessable: no session could be assessed, mostly: too few ratings",
         "the criterion is not assessable: no session could be assessed, mostly: too few ratings"),
        ("KeyError: 'SMITH JANE'", KEPT),
        ("E507 ratings, row 4: -2 is not positive.", KEPT),
        ("no SMITH 1970 is named: fitted without the course level",
         "there are too few: fitted without the course level"),
        ("left out, being constant or a combination of other terms: 3 courses", KEPT),
        ("too few ratings; something of 3 courses", KEPT),
    ],
)  # fmt: skip
def test_what_was_counted_is_not_told(said, others):
    assert public(said) == others


def test_an_estimate_that_is_withheld_is_not_told_either():
    said = "too imprecise: both no effect and one worth caring about fit the interval [−0.1, 0.2]"
    assert public(said, estimates=False) == KEPT
    assert public("no coded events", estimates=False) == "no coded events"


def test_sentences_hide_all_that_was_found():
    for sentence in SENTENCES:
        others = re.sub(r"<[^|>]*\|?([^>]*)>", r"\1", sentence)
        assert "{found}" not in others, sentence
        hidden = [one.partition("|")[2] for one in re.findall(r"<([^>]*)>", sentence)]
        assert not any("{" in one or re.search(r"\d", one) for one in hidden), sentence


@given(st.sampled_from(SENTENCES), st.integers(1, 9).map(str))
def test_every_sentence_is_read_and_its_counts_are_not(sentence, count):
    words = {"name": "term", "chosen": "77", "estimate": "0.5", "reason": "no coded events"}
    said = re.sub(r"<([^|>]*)(?:\|[^>]*)?>", r"\1", sentence)
    said = re.sub(r"\{(\w+)\}", lambda found: words.get(found[1], count), said)
    shown = public(said)
    assert shown != KEPT
    assert count not in re.findall(r"\d+", shown.replace("0.5", "").replace("C1", ""))


#: Wings whose texts are for the owner of the data only.
_OTHERS = ("disclosure", "power", "ingest", "commands", "describe", "dataframes")

#: Reasons of a fault of the numbers, in the words of another library: these are kept.
_KEPT = ("{}: {}", "the estimating equations were not solved{}")

#: Sentences that are told apart by what they count.
_COUNTED = "{} {} of {} {}: too few to tell them apart"


def produced():
    """Every text in the library with which something is refused: as parts, None for a fact."""
    for file in sorted(LIBRARY.rglob("*.py")):
        if file.parts[-2] in _OTHERS or file.name in ("about.py", "explain.py"):
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            name = getattr(getattr(node, "func", None), "id", "")
            if isinstance(node, ast.Call) and name in ("NotAssessable", "NoOptimum") and node.args:
                yield file.name, node.args[0]
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "append":
                owner = getattr(node.func.value, "id", "")
                if owner in ("notes", "said", "attempts"):
                    yield file.name, node.args[0]
            if isinstance(node, ast.Dict):
                keys = [getattr(key, "value", None) for key in node.keys]
                for key, value in zip(keys, node.values, strict=True):
                    if key in ("message", "reason"):
                        yield file.name, value
            targets = node.targets if isinstance(node, ast.Assign) else []
            if any(getattr(one, "id", "") in ("reason", "refusal") for one in targets):
                yield file.name, node.value


def parts_of(node):
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value:
        return [node.value]
    if isinstance(node, ast.JoinedStr):
        return [getattr(one, "value", None) if isinstance(one, ast.Constant) else None
                for one in node.values]  # fmt: skip
    return None


def test_every_reason_of_the_library_is_a_known_sentence():
    unknown, number = [], 0
    for file, node in produced():
        parts = parts_of(node)
        if parts is None:
            continue
        number += 1
        written = "".join("{}" if part is None else part for part in parts)
        if written in ("str", "why", _COUNTED, *_KEPT):
            continue
        facts = sum(part is None for part in parts)
        kinds = itertools.product(
            ("7", "7%", "term", "slope of time", "no coded events", ""), repeat=facts
        )
        texts = []
        for words in kinds:
            given = iter(words)
            texts.append("".join(next(given) if part is None else part for part in parts))
        if all(public(text) == KEPT for text in texts):
            unknown.append((file, texts[0]))
    assert number > 60
    assert not unknown


def test_the_reasons_that_are_lists_are_known_sentences():
    every = [*REASONS[1:], *STEPS, *(model.empty for model in MODELS.values())]
    assert [said for said in every if public(said) == KEPT] == []
