"""Recovery, landmarks, leaving, growth and moderation: tables small enough to check by hand."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bundles import dataset_of
from made_measures import made_measures
from made_settings import EXPOSURE_RULES
from rupture_repair.exposure.courses import course_exposures, recovery_reason
from rupture_repair.exposure.episodes import growth_exposures, moderator_exposures
from rupture_repair.exposure.sessions import leaving_exposures, trajectories_after
from rupture_repair.project.reasons import in_full

NA = np.nan
MEASURES = made_measures(
    alliance={"rater": "client"},
    distress={
        "better": "lower", "role": "outcome", "rater": "client",
        "cut_off": {"value": 10, "inclusive": True}, "reliable_change": {"value": 5},
    },
)  # fmt: skip


def ratings(**courses):
    """Return sessions from 1 on, one course per argument."""
    return pd.concat(
        [
            pd.DataFrame({"course": name, "session": range(1, len(values) + 1), "alliance": values})
            for name, values in courses.items()
        ],
        ignore_index=True,
    ).assign(distress=15.0)


def states(**courses):
    letters = {
        "s": "steady", "r": "ruptured", "R": "repaired_here", "a": "after_repair",
        "u": "after_unrepaired", "-": "not_assessable",
    }  # fmt: skip
    return pd.concat(
        [
            pd.DataFrame({"course": name, "session": range(1, len(text) + 1), "state": list(text)})
            for name, text in courses.items()
        ],
        ignore_index=True,
    ).assign(state=lambda table: table["state"].map(letters), measure="alliance", criterion="dip")


def episodes(*rows):
    columns = ["course", "onset", "first_low", "repair", "end", "status", "fall"]
    table = pd.DataFrame(list(rows), columns=columns).assign(measure="alliance", criterion="dip")
    return table.astype({"onset": "Int64", "repair": "Int64", "fall": "float64"})


def given(sessions, courses=None, events=None, measures=MEASURES):
    made = {"measures": measures, "sessions": sessions, "courses": courses}
    return dataset_of(made if events is None else made | {"events": events})


def course_table(these, sessions, outcomes=None):
    sessions = sessions if outcomes is None else sessions.assign(distress=outcomes)
    every = states(**{name: "s" * len(group) for name, group in sessions.groupby("course")})
    courses = pd.DataFrame({"course": sessions["course"].unique()})
    return course_exposures(these, every, given(sessions, courses), "alliance", "distress")


# ------------------------------------------------------------------ recovery


@pytest.mark.parametrize(
    ("first", "last", "recovered"),
    [
        (20, 9, 1),  # changed reliably, below the cut-off
        (20, 10, 0),  # the cut-off itself lies on the clinical side
        (13, 9, 0),  # below the cut-off without reliable change
        (14, 9, 1),  # a change of exactly 5 is reliable
        (9, 2, NA),  # began on the other side: cannot recover
        (20, NA, NA),  # one outcome only
    ],
)
def test_recovery_takes_reliable_change_and_the_cut_off_in_the_direction_of_the_scale(
    first, last, recovered
):
    table = course_table(episodes(), ratings(a=[5, 5]), [first, last])
    np.testing.assert_array_equal(table["recovered"], [recovered])


def test_recovery_needs_cut_off_and_reliable_change():
    known = MEASURES["distress"]
    assert recovery_reason(known) is None
    reason = recovery_reason(replace(known, cut_off=None))
    assert in_full(reason) == "cut-off not known"
    assert "cut-off and reliable change not known" in in_full(recovery_reason(MEASURES["alliance"]))


# ------------------------------------------------------------------ landmark


def test_the_group_at_a_landmark_is_what_was_known_by_then():
    sessions = ratings(**{name: [5] * 8 for name in "abcde"})
    these = episodes(
        ("a", 1, 2, 3, 3, "repaired", 4),  # repaired in time
        ("b", 2, 3, 6, 6, "repaired", 4),  # repaired later: open at the landmark
        ("c", 5, 6, 7, 7, "repaired", 4),  # begins later: none at the landmark
        ("d", 1, 2, pd.NA, 4, "censored", 4),  # ended without a rating to know by
        ("e", 3, 4, pd.NA, 7, "unrepaired", 4),
    )
    table = trajectories_after(
        course_table(these, sessions), these, given(sessions), "alliance", "distress", 4
    )
    groups = table.drop_duplicates("course").set_index("course")["group"].astype("str")
    assert groups.to_dict() == {
        "a": "repaired only", "b": "any unrepaired", "c": "none", "d": "censored only",
        "e": "any unrepaired",
    }  # fmt: skip
    assert table["session"].min() == 5
    assert list(table["time"].unique()) == [1, 2, 3, 4]


def test_courses_that_end_before_the_landmark_are_left_out():
    sessions = ratings(a=[5] * 3, b=[5] * 6)
    these = episodes(("b", 1, 2, 3, 3, "repaired", 4))
    table = trajectories_after(
        course_table(these, sessions), these, given(sessions), "alliance", "distress", 4
    )
    assert set(table["course"]) == {"b"}


# ------------------------------------------------------------------ leaving


def leaving(endings, **changed):
    sessions = ratings(a=[5, 5, 1, 5], b=[5, 1], c=[5, 5, 5])
    every = states(a="ssrR", b="-r", c="sss")
    courses = pd.DataFrame({"course": list("abc"), "therapist": "t1", "ending": endings})
    names = ("alliance", "distress")
    return leaving_exposures(every, given(sessions, courses), *names, EXPOSURE_RULES)


def test_leaving_is_explained_by_the_status_of_the_session_before():
    table = leaving(["dropped_out", "dropped_out", "completed"]).set_index(["course", "session"])
    # b's first session is not assessable, so that its second has no known status before it.
    assert list(table.index) == [("a", 2), ("a", 3), ("a", 4), ("c", 2), ("c", 3)]
    assert list(table["left"]) == [0, 0, 1, 0, 0]
    # The rupture of a at session 3 counts at session 4, not where it happens.
    assert list(table["open_prev"]) == [0, 0, 1, 0, 0]
    assert list(table["repaired_prev"]) == [0, 0, 0, 0, 0]
    assert list(table["time"]) == [1, 2, 3, 1, 2]
    assert (table["baseline"] == -15).all()


def test_an_unknown_ending_is_missing_and_an_ongoing_course_has_not_left():
    table = leaving(["unknown", None, "ongoing"]).set_index(["course", "session"])["left"]
    assert np.isnan(table["a", 4])
    assert table["a", 3] == 0
    assert table["c", 3] == 0


# ------------------------------------------------------------------ growth


def growth(controls=5, **changed):
    sessions = ratings(
        a=[30, 31, 20, 29, 33, 34, 35],
        b=[10, 11, 12, 13, 14, 15, 16, 17],
        c=[20, 21, 20, 21, 20, 21, 20, 21],
    )
    every = states(a="ssrRaaa", b="ssssssss", c="s-ssssss")
    these = episodes(("a", 2, 3, 4, 4, "repaired", 10.0))
    courses = pd.DataFrame({"course": list("abc"), "therapist": ["t1", "t2", None]})
    made = {"episodes": these, "states": every, "sessions": sessions, "courses": courses} | changed
    own = given(made["sessions"], made["courses"])
    return growth_exposures(made["episodes"], made["states"], own, "alliance", controls)


def test_growth_is_the_level_after_minus_the_level_before():
    row = growth().iloc[0]
    assert row["session"] == 2
    assert row["change"] == pytest.approx((33 + 34 + 35) / 3 - (30 + 31) / 2)
    assert row[["repaired", "unrepaired", "censored"]].tolist() == [1, 0, 0]
    assert row["depth"] == 0  # one episode: its fall and session are the mean
    assert row["time"] == 0
    assert row["therapist"] == "t1"
    assert row["gain"] == pytest.approx(row["change"] - row["expected"])


def test_matched_stretches_are_of_other_courses_as_long_and_outside_episodes():
    # From onset to end the episode has 2 further ratings. All stretches that there are: b1 to b5
    # (each rising by 3, 3.5 and 4 towards the middle of the course) and c3 to c5.
    b, c = np.array([10, 11, 12, 13, 14, 15, 16, 17]), np.array([20, 21] * 4)
    changes = [
        rating[at + 3 : at + 6].mean() - rating[max(at - 2, 0) : at + 1].mean()
        for rating, begins in ((b, range(5)), (c, range(2, 5)))
        for at in begins
    ]
    row = growth(controls=100).iloc[0]
    assert row["expected"] == pytest.approx(np.mean(changes))


def test_the_nearest_stretch_in_level_and_session_is_taken():
    # One episode has no spread, so that distances are in points and sessions: it begins at 30.5
    # and session 2. c4 (level 20.67) lies 9.83 and 2 away, c3 and c5 (20.33) further, b beyond.
    row = growth(controls=1).iloc[0]
    assert row["expected"] == pytest.approx(np.mean([20, 21]) - np.mean([21, 20, 21]))


def test_growth_without_onset_later_rating_or_match_is_left_out():
    assert growth(episodes=episodes(("a", pd.NA, 1, 2, 2, "repaired", 3.0))).empty
    assert growth(episodes=episodes(("a", 6, 7, pd.NA, 7, "censored", 3.0))).empty
    alone = ratings(a=[30, 31, 20, 29, 33, 34, 35])
    assert growth(sessions=alone, states=states(a="ssrRaaa")).empty


def test_growth_recovers_a_planted_gain():
    """Falls planted at random sessions: no gain is found where there is none, else its size."""
    from rupture_repair.models.definitions import MODELS
    from rupture_repair.statistics.estimates import fit

    rng = np.random.default_rng(7)
    for gain in (0.0, 3.0):
        estimates = []
        for _ in range(8):
            values = 30 + rng.normal(0, 3, (150, 1)) + rng.normal(0, 2, (150, 14))
            letters, rows = np.full((150, 14), "s"), []
            for course, at in np.argwhere(rng.random((150, 14)) < 0.06):
                if 0 < at < 12 and "r" not in letters[course]:
                    values[course, at] -= 8
                    values[course, at + 1 :] += gain
                    letters[course, at : at + 2] = ["r", "R"]
                    letters[course, at + 2 :] = "a"
                    rows.append((f"k{course}", at, at + 1, at + 2, at + 2, "repaired", 8.0))
            names = [f"k{course}" for course in range(150)]
            sessions = ratings(**dict(zip(names, values, strict=True)))
            text = {name: "".join(row) for name, row in zip(names, letters, strict=True)}
            courses = pd.DataFrame({"course": names})
            table = growth_exposures(
                episodes(*rows), states(**text), given(sessions, courses), "alliance"
            )
            terms = fit(MODELS["growth"].formula, table).terms.set_index("term")
            estimates.append(terms.loc["repaired", "estimate"])
        error = np.std(estimates, ddof=1) / np.sqrt(8)
        assert abs(np.mean(estimates) - gain) < 0.15 + 3 * error
        assert error < 0.15


# ------------------------------------------------------------------ moderation


def moderation(events=None, measures=MEASURES, least=1, **extra):
    sessions = ratings(a=[9, 9, 2, 8, 9, 9], b=[9, 1, 1, 1, 1, 9]).assign(**extra)
    these = episodes(
        ("a", 2, 3, 4, 4, "repaired", 6.0),
        ("b", 1, 2, pd.NA, 5, "unrepaired", 7.0),
        ("b", 5, 6, pd.NA, 6, "censored", 7.0),
    )
    courses = pd.DataFrame({"course": list("ab"), "therapist": ["t1", "t2"]})
    return moderator_exposures(these, given(sessions, courses, events, measures), "alliance", least)


EVENTS = pd.DataFrame(
    [
        ("a", 3, "rupture", "rupture", "therapist"),
        ("a", 5, "cause", "feeling_judged", "observer"),  # after the episode
        ("b", 4, "type", "withdrawal", "observer"),
        ("b", 5, "type", "confrontation", "observer"),  # the second code of the episode
        ("b", 3, "rupture", "rupture", "client"),
        ("a", 4, "repair", "empathy", "observer"),
    ],
    columns=["course", "session", "kind", "code", "reporter"],
)


def test_censored_episodes_are_neither_repaired_nor_not():
    table, _ = moderation(EVENTS)
    assert list(table["repaired"]) == [1, 0]
    assert list(table["depth"]) == [6, 7]
    assert list(table["session"]) == [3, 2]


def test_codes_count_from_the_first_low_rating_to_the_end():
    table, reasons = moderation(EVENTS)
    assert list(table["noticed"]) == [1, 0]
    assert list(table["kind"].astype("str")) == ["not coded", "withdrawal"]
    assert list(table["strategy"].astype("str")) == ["empathy", "not coded"]
    assert reasons["cause"] == "no coded events"
    assert table["cause"].isna().all()


def test_rare_codes_are_put_together():
    table, _ = moderation(EVENTS, least=2)
    assert list(table["kind"].astype("str")) == ["not coded", "other"]
    assert table["kind"].cat.categories[0] == "not coded"


def test_without_events_every_coded_moderator_says_why():
    _, reasons = moderation(None)
    assert reasons == {
        "disagreement": "the alliance is not rated by client and therapist",
        "noticed": "no ruptures reported by therapists",
        "kind": "no coded events", "cause": "no coded events", "strategy": "no coded events",
    }  # fmt: skip


def test_disagreement_compares_each_rater_with_the_own_usual_level():
    both = MEASURES | {"other": replace(MEASURES["alliance"], rater="therapist")}
    # The therapist rates twice as wide and ten points higher: no disagreement at all.
    client = np.array([9, 9, 2, 8, 9, 9, 9, 1, 1, 1, 1, 9.0])
    table, reasons = moderation(EVENTS, both, other=10 + 2 * client)
    assert "disagreement" not in reasons
    np.testing.assert_allclose(table["disagreement"], 0, atol=1e-12)
    table, _ = moderation(EVENTS, both, other=5.0)
    deviation = client[:6] - client[:6].mean(), client[6:] - client[6:].mean()
    pooled = np.sqrt(sum((one**2).sum() for one in deviation) / 10)
    np.testing.assert_allclose(
        table["disagreement"], np.abs([deviation[0][2], deviation[1][1]]) / pooled
    )
