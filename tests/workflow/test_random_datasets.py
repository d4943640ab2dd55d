"""Small random datasets, each of another shape, run through all steps to their end."""

import shutil
from functools import cache

import numpy as np
import pytest

import random_datasets
from campaign import each, figure, number
from rupture_repair.detection import criteria
from whole_chain import Chain, StepFailed

DATASETS = {"usual": 40, "campaign": 300}

_COMPARED = ("compare_with_chance", "judge_claims", "disclose", "verify")

#: Steps that take long: in `make test` each dataset has those of one line.
IN_TURN = (
    (*_COMPARED, "draw_figures", "write_report", "write_summary"),
    (),
    (*_COMPARED, "synthesise", "write_index"),
    (),
    (*_COMPARED, "write_explorer_library", "write_explorer"),
    (),
)

SETTINGS = """\
datasets: [made]
criteria: [{criteria}]
default_criterion: {default}
chance: {{replicates: 5, slow_replicates: 2, planted_falls: {{depths: [1, 3], courses: 20}},
  certificate: {{courses: 20, particles: 5}}}}
multiverse: {{permutations: 9, most: 4, minimum_sessions: [3]}}
models: {{failed_fit: listed}}
report: {{formats: [html]}}
monte_carlo_courses: 10
"""


def left_out(seed: int) -> set[str]:
    """Return the steps that a dataset does without: none in a campaign."""
    every = {name for names in IN_TURN for name in names}
    own = IN_TURN[seed % len(IN_TURN)]
    return every - set(own) if number(**DATASETS) == DATASETS["usual"] else set()


def criteria_in_pairs() -> list[list[str]]:
    """Return all criteria, two by two in a random order; the first of a pair is the default."""
    names = [rule.id for rule in criteria.load()]
    mixed = [names[place] for place in np.random.default_rng(3).permutation(len(names))]
    return [mixed[place : place + 2] for place in range(0, len(mixed), 2)]


def fault(chain: Chain, seed: int) -> str:
    """Run all steps for the dataset of a seed; return what stopped them, nothing as a rule."""
    for name in ("data/processed/made", "reports"):
        shutil.rmtree(chain.folder / name, ignore_errors=True)
    chain.give(random_datasets.made(seed))
    try:
        chain.run(without=left_out(seed))
    except StepFailed as stopped:
        return f"dataset {seed}: {stopped}"
    return ""


@pytest.mark.timeout(number(900, 14400))
def test_random_datasets_run_to_their_end(tmp_path):
    pairs = criteria_in_pairs()

    @cache
    def chain(place: int) -> Chain:
        settings = SETTINGS.format(criteria=", ".join(pairs[place]), default=pairs[place][0])
        return Chain(tmp_path / str(place), settings=settings)

    seeds = sorted(range(number(**DATASETS)), key=lambda seed: seed % len(pairs))
    faults = each("datasets", seeds, lambda seed: fault(chain(seed % len(pairs)), seed))
    print(*filter(None, faults), sep="\n\n")
    stopped = sum(map(bool, faults))
    figure("random datasets that stop a step", stopped, 0, 0, **DATASETS)


def table(rows: str, alliance: str) -> str:
    """Return sessions of four courses in which the alliance is always the same, or missing."""
    lines = [
        f"c{course},{session},{alliance},{5 + (course * session) % 3}"
        for course in range(4)
        for session in range(1, 8)
    ]
    return "\n".join([rows, *lines]) + "\n"


DESCRIPTOR = """\
{title: made, source: made, licence: CC0, citation: none, ids: public, missing: [""],
 tables: {sessions: {file: sessions.csv, course: course, session: session}},
 measures: {
  alliance: {rater: client, timing: end, total: a, range: [-10, 10], better: higher},
  outcome: {rater: client, timing: end, total: o, range: [-10, 10], better: lower}}}
"""


@pytest.mark.parametrize("alliance", ["", "10"], ids=["no rating at all", "no fall at all"])
def test_an_alliance_without_a_rating_or_a_fall_gives_a_report(tmp_path, alliance):
    settings = SETTINGS.format(criteria="crisis_1sd, v_1sd, srs_cutoff", default="crisis_1sd")
    chain = Chain(tmp_path, settings=settings)
    sessions = table("course,session,a,o", alliance)
    chain.give({"dataset.yaml": DESCRIPTOR, "sessions.csv": sessions})
    chain.run()
    assert "not assessable" in (tmp_path / "reports/made.html").read_text(encoding="utf-8").lower()
