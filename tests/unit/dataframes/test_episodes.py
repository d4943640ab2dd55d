"""Episodes and states of a table: the same as those of the pipeline and of the command."""

import io
import warnings

import numpy as np
import pandas as pd
import pytest

import rupture_repair
from made_measures import made_measure
from made_settings import EDGE_RULES
from rupture_repair import NoteWarning, cli, find_episodes, session_states
from rupture_repair.detection import criteria, detect

RULES = ["v_1sd", "own_mean_2sd", "reliable_drop"]
KNOWN = {"better": "higher", "range": (0, 40), "reliability": 0.9}


@pytest.fixture(scope="module")
def study():
    return rupture_repair.simulate(seed=3, n_courses=40, n_therapists=4)


def test_the_same_as_the_pipeline_finds(study):
    found = find_episodes(study.sessions, rating="alliance", better="higher", range=(0, 40),
                          criterion=["v_1sd", "own_mean_2sd"])  # fmt: skip
    measure = made_measure()
    rules = criteria.load(["v_1sd", "own_mean_2sd"])
    one_by_one = detect.detect(
        study.sessions, {"alliance": measure}, rules, EDGE_RULES, dataset="d"
    )
    table = pd.concat([one.episodes for one in one_by_one])
    expected = table.sort_values("course", kind="stable", ignore_index=True)
    assert len(found) > 50
    assert set(expected) - set(found) == {"dataset", "measure", "component"}
    pd.testing.assert_frame_equal(found, expected[found.columns], check_dtype=False,
                                  check_categorical=False)  # fmt: skip


@pytest.mark.parametrize("states", [False, True])
def test_the_same_as_the_command_prints(study, states, tmp_path, capsys):
    file = tmp_path / "ratings.csv"
    study.sessions.to_csv(file, index=False)
    given = ["--course", "course", "--session", "session", "--rating", "alliance"]
    known = ["--better", "higher", "--range", "0", "40", "--reliability", "0.9"]
    asked = ["--criterion", ",".join(RULES), *(["--states"] if states else [])]
    assert cli.main(["episodes", str(file), *given, *known, *asked]) == 0
    printed = pd.read_csv(io.StringIO(capsys.readouterr().out))
    function = session_states if states else find_episodes
    found = function(study.sessions, rating="alliance", criterion=RULES, **KNOWN)
    pd.testing.assert_frame_equal(found[printed.columns], printed, check_dtype=False,
                                  check_categorical=False)  # fmt: skip


def test_order_of_rows_changes_nothing(study):
    asked = {"rating": "alliance", "criterion": RULES, **KNOWN}
    shuffled = study.sessions.sample(frac=1, random_state=1)
    for function in (find_episodes, session_states):
        pd.testing.assert_frame_equal(
            function(shuffled, **asked), function(study.sessions, **asked)
        )


def test_states_have_one_row_per_session_and_criterion(study):
    found = session_states(study.sessions, rating="alliance", criterion=RULES, **KNOWN)
    rated = study.sessions.dropna(subset="alliance").groupby("course")["session"]
    sessions = int((rated.max() - rated.min() + 1).sum())
    assert found.groupby("criterion", observed=True).size().tolist() == [sessions] * 3
    assert not found.duplicated(["course", "session", "criterion"]).any()
    assert found.columns.tolist() == [
        "course", "session", "criterion", "state", "reason", "episode", "censored", "reference",
        "unit", "threshold", "fall", "z", "probability",
    ]  # fmt: skip


def test_sessions_may_be_numbered_from_zero(study):
    asked = {"rating": "alliance", "criterion": RULES, **KNOWN}
    one = find_episodes(study.sessions, **asked)
    zero = find_episodes(study.sessions.assign(session=study.sessions["session"] - 1), **asked)
    numbers = ["onset", "first_low", "nadir", "repair", "end"]
    zero[numbers] += 1
    pd.testing.assert_frame_equal(zero, one)


def test_notes_are_warnings_at_the_line_that_asked():
    ratings = pd.DataFrame({"course": "a", "session": [1, 2, 3], "rating": [36.0, 36, 20]})
    with pytest.warns(NoteWarning, match="reliable_drop is not assessable") as seen:
        found = find_episodes(ratings, better="higher", criterion="reliable_drop")
    assert [warning.filename for warning in seen] == [__file__]
    assert found.empty
    assert found.columns.tolist()[:3] == ["course", "criterion", "episode"]


def test_no_warning_where_nothing_was_assumed(study):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        find_episodes(study.sessions, rating="alliance", criterion=RULES, **KNOWN)


def test_settings_and_sample_sd_are_applied():
    ratings = pd.DataFrame({"course": "a", "session": np.arange(1, 7),
                            "rating": [30.0, 30, 26, 30, 30, 30]})  # fmt: skip
    for sd, expected in ((4, "ruptured"), (4.1, "steady")):
        found = session_states(ratings, better="higher", criterion="v_1sd", sample_sd=sd,
                               settings={"v_1sd": {"unit": "sample_sd"}})  # fmt: skip
        assert found["state"][2] == expected


def test_a_k_that_is_solved_depends_on_the_seed_alone(study):
    few = study.sessions[study.sessions["course"] < "C013"]
    asked = {"rating": "alliance", "criterion": "dip", **KNOWN}
    with pytest.warns(NoteWarning, match=r"dip: k = .* was solved for these ratings"):
        first = session_states(few, seed=5, **asked)
    with pytest.warns(NoteWarning):
        again = session_states(few, seed=5, **asked)
    pd.testing.assert_frame_equal(first, again)
