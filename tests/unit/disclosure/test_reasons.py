"""Reasons as others read them: no count, no value of a person, and no text that is not known."""

import ast
import re

import pytest

from repository import ROOT
from rupture_repair.detection.fall_rules import REASONS
from rupture_repair.disclosure.reasons import KEPT, public
from rupture_repair.models.definitions import MODELS
from rupture_repair.models.flow import STEPS
from rupture_repair.project.reason_catalogue import OF_ESTIMATES, SHOWN, WITH_FACTS, WITHOUT_FACTS
from rupture_repair.project.reasons import because, in_full, says
from rupture_repair.report.sections.failures import kind_of

LIBRARY = ROOT / "workflow/rupture_repair"


@pytest.mark.parametrize(
    ("said", "others"),
    [
        (because("too_few_events", events=14, rows=15, number=3), "too few data for this model"),
        (because("constant", term="depth", value_of_all=1.92333, rows=1), "depth does not vary"),
        (because("left_out", rows=1, all=84, by_column="disagreement 1"),
         "rows left out with missing values"),
        (because("few_courses", groups="1 in 'any unrepaired', 2 in 'none'"),
         "few courses in some groups"),
        (because("only_one", level="therapist", upper="therapist") + "; "
         + because("aliased", terms="a, b"),
         "there are too few: fitted without the therapist level; "
         "left out, being constant or a combination of other terms: a, b"),
        (because("of_model", model="ending", variant="main",
                 reason=because("too_few_events", events=3, rows=90, number=6)),
         "the model ending, main: too few data for this model"),
        (because("few_first_ruptures", courses=10, repaired=8, unrepaired=2, least=30, each=8)
         + "; " + because("what_became", courses=225, left_out="209 courses without rupture"),
         "too few courses with the first rupture repaired, or with it not repaired"),
        (because("codes_alike", episodes=1),
         "the variance between codes is estimated as zero: it has no interval"),
        (because("separation", terms="sex[f]", apart=2, rows=15),
         "separation in sex[f]: no finite estimate exists, merge rare categories or leave a term "
         "out"),
        (because("shares", shares="not recovered: 0.05 of 129; recovered: 0.08 of 48",
                 estimate=0.06),
         "share with an episode, expected by chance in the recovered: 0.06"),
        (because("few_recovered", courses=4, least=5),
         "too few courses are known to have recovered"),
        (because("unknown_endings", courses=1),
         "courses whose ending is not known count until their last session but one"),
        (because("not_told_apart", number=2, what="repaired episodes", groups=2, units="courses"),
         "repaired episodes of courses are too few to tell them apart"),
        (because("intraclass_of", number=2, what="repaired episodes", groups=2, units="courses"),
         "all repaired episodes of courses"),
        (because("criterion", reason=because("mostly", reason="too few ratings")),
         "the criterion is not assessable: no session could be assessed, mostly: too few ratings"),
        (because("nobody_named", level="SMITH 1970", upper="course"),
         "there are too few: fitted without the course level"),
        (because("not_solved", said="no; 3 {of} 4"), "the estimating equations were not solved"),
        ("KeyError: 'SMITH JANE'", KEPT),
        ("E507 ratings, row 4: -2 is not positive.", KEPT),
        ("too few ratings; something of 3 courses", KEPT),
        ("too few events: 14 in 15 rows for 3 terms", KEPT),
        ("too few events: {14} in {15} rows for {3} terms of {2}", KEPT),
        ("too few ratings; {3", KEPT),
        (because("criterion", reason="of 3 courses"), KEPT),
        ("", KEPT),
    ],
)  # fmt: skip
def test_what_was_counted_is_not_told(said, others):
    assert public(said) == others


def test_an_estimate_that_is_withheld_is_not_told_either():
    said = because("imprecise", low="−0.1", high=0.2)
    assert public(said).endswith("fit the interval [−0.1, 0.2]")
    for one in (said, because("chance_makes_it", reason=said, direction="low")):
        assert public(one, estimates=False) == KEPT
    assert public("no coded events", estimates=False) == "no coded events"


def test_the_owner_reads_all_facts():
    events = because("too_few_events", events=14, rows=15, number=3)
    assert events == "too few events: {14} in {15} rows for {3} terms"
    assert in_full(events) == "too few events: 14 in 15 rows for 3 terms"
    named = because("aliased", terms="a{b}")
    assert in_full(named).endswith("other terms: a(b)")


def test_a_reason_is_known_in_a_message():
    few = because("few_courses", groups="2 in 'none'")
    assert says(f"{because('at_landmark', session=3)}; {few}", "few_courses")
    assert not says("few courses: 2 in 'none'", "few_courses")
    assert not says("", "few_courses")


def test_a_reason_needs_its_name_and_all_its_facts():
    for wrong in (lambda: because("no_such_reason"), lambda: because("few_pairs")):
        with pytest.raises(KeyError):
            wrong()


def test_no_sentence_of_the_catalogue_shows_what_was_found():
    for name, text in WITH_FACTS.items():
        facts = dict.fromkeys(re.findall(r"{(\w+)}", text), 77)
        shown = public(because(name, **{**facts, "reason": "no coded events"}))
        assert shown != KEPT, name
        hidden = set(facts) - SHOWN - OF_ESTIMATES
        others = re.sub(r"<[^|>]*\|?([^>]*)>", r"\1", text)
        assert not hidden & set(re.findall(r"{(\w+)}", others)), name
        assert ("77" in shown) == bool(re.search(r"{(?!reason)", others)), name


def test_sentences_can_be_told_apart():
    shapes = [re.sub(r"{\w+}", "{}", re.sub(r"<([^|>]*)[^>]*>", r"\1", text))
              for text in [*WITH_FACTS.values(), *WITHOUT_FACTS]]  # fmt: skip
    assert len(set(shapes)) == len(shapes)
    assert not [one for one in shapes if "; " in one]


#: Wings whose texts are for the owner of the data only.
_OTHERS = ("disclosure", "power", "ingest", "commands", "describe", "dataframes", "project",
           "report", "sections")  # fmt: skip


def produced():
    """Every text in the library with which something is refused, that is not joined of others."""
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


def test_every_reason_of_the_library_is_in_the_catalogue():
    """Text is a known sentence; what is put together with facts is made by the catalogue."""
    unknown, number = [], 0
    for file, node in produced():
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value:
            if node.value != "str" and public(node.value) == KEPT:  # "str" is a type
                unknown.append((file, node.value))
        elif isinstance(node, ast.JoinedStr):
            unknown.append((file, ast.unparse(node)))
        number += 1
    assert number > 60
    assert not unknown


def test_the_facts_of_every_reason_are_given_by_name():
    made = 0
    for file in sorted(LIBRARY.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "because":
                name = node.args[0]
                if isinstance(name, ast.Constant):
                    wanted = set(re.findall(r"{(\w+)}", WITH_FACTS[name.value]))
                    given = {one.arg for one in node.keywords}
                    assert given <= wanted | {None}, (file.name, name.value)
                    assert None in given or given == wanted, (file.name, name.value)
                    made += 1
    assert made > 60


def test_the_reasons_that_are_lists_are_known_sentences():
    every = [*REASONS[1:], *STEPS, *(model.empty for model in MODELS.values())]
    assert [said for said in every if public(said) == KEPT] == []


def test_reasons_that_differ_in_numbers_and_terms_are_of_one_kind():
    def kinds(*said):
        return {kind_of(read(one)) for one in said for read in (in_full, public)}

    units = because("too_few_units", units="courses", found=3, number=4)
    few = because("too_few_events", events=3, rows=9, number=4)
    odd = because("too_few_events", events="3; 4", rows="(9)", number="4?")
    assert len({kind_of(in_full(one)) for one in (few, odd, units, f"one; {few}; two")}) == 1
    assert {kind_of(public(one)) for one in (few, odd, units)} == kinds(few)
    apart = [because("separation", terms=term, apart=2, rows=9) for term in ("a", "b, c")]
    assert len(kinds(*apart)) == 1
    aliased = [because("aliased", terms=term) for term in ("a", "b")]
    assert len(kinds(*aliased, "there is nothing to compare")) == 1
    assert kinds(because("few_pairs", pairs=3)) == {"3 pairs are too few", "too few pairs"}
