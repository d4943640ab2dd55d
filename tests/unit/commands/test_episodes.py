"""The command `rupture-repair episodes` on files, from text to text."""

import csv
import io
import random

import numpy as np
import pandas as pd
import pytest

from rupture_repair import cli
from rupture_repair.detection import criteria

RULES = [rule.id for rule in criteria.load()]
CALIBRATED = [rule.id for rule in criteria.load() if rule.needs_k]
#: Those that a file of ratings can support at once; the slow ones have tests of their own.
PLAIN = [
    rule.id
    for rule in criteria.load()
    if not rule.needs_k and rule.run not in ("reported", "rupture_probability")
]
EPISODES = "course,criterion,episode,onset,first_low,nadir,repair,status,fall"
STATES = "course,session,criterion,state"

RATINGS = {
    "C2": [36, 36, 20, 22, 35, 36, None, 36, 30, 20, 20, 20, 21, 20],
    "C10": [30, 12, 30, 9, 40, 38, 2, 33, 31, 12, 30, 31],
    "C1": [31.5, 32, 31, 30.5, 33, 32, 24.5, 31, 32.5],
}


def rows(ratings, start=1):
    return [(course, at, x) for course, xs in ratings.items() for at, x in enumerate(xs, start)]


def write(path, table, header=("course", "session", "rating"), delimiter=","):
    lines = [header, *[["" if cell is None else cell for cell in row] for row in table]]
    text = "\n".join(delimiter.join(map(str, line)) for line in lines) + "\n"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    def run(table, *options, criterion="v_1sd", better="higher"):
        if table is not None:
            write(tmp_path / "ratings.csv", table)
        given = ["ratings.csv", "--course", "course", "--session", "session", "--rating", "rating"]
        code = cli.main(
            ["episodes", *given, "--better", better, "--criterion", criterion, *options]
        )
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def parsed(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_episodes_word_for_word(run):
    code, out, err = run(rows(RATINGS), "--reliability", "0.9", criterion="v_2sd,reliable_drop")
    assert code == 0
    assert err == ""
    # SD of the first ratings 36, 30, 31.5: 3.1225; reliable change 1.96 x 3.1225 x sqrt(0.2).
    assert out == EPISODES + "\n" + "\n".join([
        "C1,v_2sd,1,6,7,7,8,repaired,7.5",
        "C1,reliable_drop,1,6,7,7,8,repaired,7.5",
        "C2,v_2sd,1,2,3,3,5,repaired,16",
        "C2,reliable_drop,1,2,3,3,5,repaired,16",
        "C2,reliable_drop,2,8,9,10,,unrepaired,16",
        "C10,v_2sd,1,6,7,7,8,repaired,36",
        "C10,reliable_drop,1,1,2,2,3,repaired,18",
        "C10,reliable_drop,2,3,4,4,5,repaired,21",
        "C10,reliable_drop,3,6,7,7,,unrepaired,36",
    ]) + "\n"  # fmt: skip


def test_states_word_for_word(run):
    table = [("b", 0, 30), ("b", 1, 31), ("b", 2, None), ("b", 3, 20), ("b", 4, 31), ("a", 5, 1)]
    changes = ("v_1sd.unit=raw", "v_1sd.k=10", "v_1sd.min_ratings=1", "v_1sd.repair.regain=1")
    options = [word for change in changes for word in ("--set", change)]
    code, out, _ = run(table, "--states", *options)
    assert code == 0
    states = ["not_assessable", "not_assessable", "steady", "not_assessable", "ruptured",
              "repaired_here"]  # fmt: skip
    keys = ["a,5", "b,0", "b,1", "b,2", "b,3", "b,4"]
    lines = [f"{key},v_1sd,{state}" for key, state in zip(keys, states, strict=True)]
    assert out.splitlines() == [STATES, *lines]


@pytest.mark.parametrize("form", [(), ("--states",)])
def test_order_of_rows_does_not_matter(run, form):
    options = ("--reliability", "0.9", "--range", "0", "40", *form)
    table = rows(RATINGS)
    first = run(table, *options, criterion=",".join(PLAIN))
    random.Random(1).shuffle(table)
    assert run(table, *options, criterion=",".join(PLAIN)) == first
    assert len(first[1].splitlines()) > 30


@pytest.mark.parametrize("empty", [None, "NA", "nan", " "])
def test_an_absent_row_is_an_empty_rating(run, empty):
    options = ("--reliability", "0.9", "--range", "0", "40", "--states")
    gaps = {"C2": [9, *RATINGS["C2"], None], "C3": RATINGS["C10"]}
    table = [(c, s, empty if x is None else x) for c, s, x in rows(gaps)]
    absent = [row for row in rows(gaps) if row[2] is not None]
    rules = ",".join(PLAIN)
    found = run(table, *options, criterion=rules)
    assert found == run(absent, *options, criterion=rules)
    assert len(found[1].splitlines()) > 20 * len(PLAIN)


@pytest.mark.parametrize("rule", RULES)
def test_lower_is_better_gives_the_mirror_image(run, rule):
    mirrored = [(c, s, None if x is None else -x) for c, s, x in rows(RATINGS)]
    options = ("--reliability", "0.9")
    level = ("--set", f"{rule}.value=-36") if rule == "srs_cutoff" else ()
    forms = [("--states",), *([] if rule in CALIBRATED else [()])]  # to solve for k takes long
    for form in forms:
        plain = run(rows(RATINGS), *options, "--range", "0", "40", *form, criterion=rule)
        turned = run(mirrored, *options, "--range", "-40", "0", *form, *level, criterion=rule,
                     better="lower")  # fmt: skip
        assert turned == plain
        assert plain[0] == 0


def test_sessions_may_be_numbered_from_zero(run):
    ratings = {
        f"c{n}": [30 + (7 * n + 5 * at * at) % 9 - 22 * (at - n in (3, 4)) for at in range(12)]
        for n in range(8)
    }
    asked = {"criterion": ",".join([*PLAIN, "rupture_probability"])}
    options = ("--reliability", "0.9", "--range", "0", "40")
    for form, numbers in (((), ["onset", "first_low", "nadir", "repair"]),
                          (("--states",), ["session"])):  # fmt: skip
        zero, one = (
            pd.read_csv(io.StringIO(run(rows(ratings, start), *options, *form, **asked)[1]))
            for start in (0, 1)
        )
        zero[numbers] += 1
        pd.testing.assert_frame_equal(zero, one)
    model = one[one["criterion"] == "rupture_probability"]
    assert (model["state"] != "not_assessable").any()


def test_reliability_gives_the_reliable_change(run):
    # First ratings 10.5 x sqrt(2) apart have an SD of 10.5; SD 10.5 and r .961 make
    # 1.96 x 10.5 x sqrt(2) x sqrt(1 - .961) = 5.747681.
    apart = 10.5 * np.sqrt(2)
    for fall, expected in ((5.7476, "steady"), (5.7477, "ruptured")):
        table = [("a", 1, 20), ("a", 2, 20 - fall), ("b", 1, 20 + apart), ("b", 2, 20 + apart)]
        _, out, _ = run(table, "--reliability", "0.961", "--states", criterion="reliable_drop")
        assert parsed(out)[1]["state"] == expected


def test_sample_sd_takes_the_place_of_the_pooled_sd(run):
    table = [("a", at, x) for at, x in enumerate([30, 30, 26, 30, 30, 30], 1)]
    units = ("--set", "v_1sd.unit=sample_sd", "--states")
    for sd, expected in ((4, "ruptured"), (4.1, "steady")):
        _, out, _ = run(table, *units, "--sample-sd", str(sd))
        assert parsed(out)[2]["state"] == expected
    around = ("--set", "v_1sd.sd_around=trend")
    _, out, _ = run(table, *units, *around, "--sample-sd", "4.1")
    assert parsed(out)[2]["state"] == "steady"


def test_sample_sd_stands_in_where_first_ratings_have_no_sd(run):
    table = [("a", 1, 20), ("a", 2, 14.3), ("a", 3, 8.5)]
    options = ("--reliability", "0.961", "--states")
    code, out, err = run(table, *options, "--sample-sd", "10.5", criterion="reliable_drop")
    assert code == 0
    assert "the reliable change rests on the sample SD given" in err
    assert [row["state"] for row in parsed(out)] == ["not_assessable", "steady", "ruptured"]
    _, out, err = run(table, *options, criterion="reliable_drop")
    assert "reliable_drop is not assessable: no reliability is known" in err
    assert {row["state"] for row in parsed(out)} == {"not_assessable"}


def test_a_criterion_that_cannot_be_applied_does_not_stop_the_others(run):
    asked = "reliable_drop,v_1sd,sudden_loss,reported"
    code, out, err = run(rows(RATINGS), criterion=asked)
    assert code == 0
    assert {row["criterion"] for row in parsed(out)} == {"v_1sd"}
    notes = [line for line in err.splitlines() if line.startswith("note: ")]
    assert len(notes) == len(err.splitlines()) == 3
    _, out, _ = run(rows(RATINGS), "--states", criterion=asked)
    frame = pd.DataFrame(parsed(out))
    assert frame.groupby("criterion", sort=False).size().to_dict() == dict.fromkeys(
        asked.split(","), 35
    )
    assert set(frame.loc[frame["criterion"] != "v_1sd", "state"]) == {"not_assessable"}
    assert frame["course"].drop_duplicates().tolist() == ["C1", "C2", "C10"]


def test_instrument_decides_on_rules_made_for_one(run):
    table = [("a", at, x) for at, x in enumerate([37, 35, 37], 1)]
    code, out, err = run(table, criterion="srs_cutoff")
    assert (code, len(parsed(out))) == (0, 1)
    assert "note: srs_cutoff is a rule for the SRS" in err
    assert run(table, "--instrument", "SRS", criterion="srs_cutoff")[1:] == (out, "")
    _, out, err = run(table, "--instrument", "WAI", criterion="srs_cutoff")
    assert parsed(out) == []
    assert "the rule is for SRS, this measure is WAI" in err


@pytest.mark.parametrize(
    ("ratings", "first_low"),
    [
        ([35, 37, 34, 24, 24, 21], ["4"]),
        ([28, 19, 23, 12, 13, None], []),
        ([28, 19, 23, 11, 12, None], ["4"]),
    ],
)
def test_sudden_losses_of_published_examples(run, ratings, first_low):
    options = ("--range", "0", "63", "--cutoff", "7", "--pooled-sd", "as_published")
    _, out, _ = run(rows({"a": ratings}), *options, criterion="sudden_loss")
    assert [row["first_low"] for row in parsed(out)] == first_low


def test_cutoff_and_pooled_sd_change_sudden_loss(run):
    table = rows({"a": [30, 29, 30, 22, 21, 23, 22]})

    def found(*options):
        return len(parsed(run(table, "--range", "0", "40", *options, criterion="sudden_loss")[1]))

    assert found("--cutoff", "8") == 1
    assert found("--cutoff", "8.1") == 0
    noisy = rows({"a": [33, 28, 32, 24, 21, 27, 22]})
    plain = run(noisy, "--range", "0", "40", "--cutoff", "7", criterion="sudden_loss")
    published = run(noisy, "--range", "0", "40", "--cutoff", "7", "--pooled-sd", "as_published",
                    criterion="sudden_loss")  # fmt: skip
    assert (len(parsed(plain[1])), len(parsed(published[1]))) == (1, 0)


def test_max_gap(run):
    table = [("a", 1, 30), ("a", 2, 30), ("a", 5, 10), ("a", 6, 30)]
    assert len(parsed(run(table)[1])) == 0
    assert len(parsed(run(table, "--max-gap", "3")[1])) == 1


def test_calibrated_k_is_solved_and_said(run):
    ratings = {f"c{n}": list(np.round(30 + 3 * np.sin(n + 7.3 * np.arange(10) ** 2), 1))
               for n in range(8)}  # fmt: skip
    ratings["c1"][4] = 5
    code, out, err = run(rows(ratings), "--reliability", "0.9", criterion="dip")
    assert code == 0
    assert "note: dip: k = " in err
    assert [row["course"] for row in parsed(out)] == ["c1"]
    _, again, err = run(rows(ratings), "--reliability", "0.9", "--set", "dip.k=2", criterion="dip")
    assert err == ""
    assert len(parsed(again)) >= 1


def test_zero_episodes_are_an_ordinary_result(run):
    code, out, _ = run([("a", at, 30 + at % 2) for at in range(1, 8)], criterion="v_2sd")
    assert (code, out) == (0, EPISODES + "\n")


def test_delimiters(run, tmp_path):
    _, comma, _ = run(rows(RATINGS))
    for sign, option in ((";", ";"), ("\t", "tab")):
        write(tmp_path / "ratings.csv", rows(RATINGS), delimiter=sign)
        assert run(None, "--delimiter", option)[1] == comma


# --- messages

BAD = [
    ([("a", 1, 30), ("a", 2, "x")], (),
     "E716 ratings.csv, row 3, column rating: 'x' is not a number. Correct the cell, or leave it "
     "empty (or NA) where the session was not rated."),
    ([("a", 1, 30), ("a", 2, "7,5")], (), "E306 ratings.csv, row 3"),
    ([("a", 1, "inf")], (), "E716 ratings.csv, row 2, column rating: 'inf' is not a number."),
    ([("a", 1, 41), ("a", 2, 42)], ("--range", "0", "40"),
     "E717 ratings.csv, row 2, column rating: 41 is outside 0..40. Correct the cell, or the range. "
     "(and 1 more)"),
    ([("a", 1, 3), ("b", 1, 3), ("a", 1, None)], (),
     "E309 ratings.csv, row 4, column session: session 1 of course 'a' is already in row 2."),
    ([("a", 1.5, 3)], (), "E718 ratings.csv, row 2, column session: '1.5' is no session number."),
    ([("a", -99, 3)], (), "E718 ratings.csv, row 2, column session: '-99' is no session number."),
    ([("a", None, 3)], (), "E207 ratings.csv, row 2, column session"),
    ([(None, 1, 3)], (), "E206 ratings.csv, row 2, column course"),
    ([], (), "E302 ratings.csv: the file has a header but no rows."),
    (rows(RATINGS), ("--session", "sesion"),
     "E714 ratings.csv, key --session: there is no column 'sesion'. Did you mean 'session'? "
     "Columns here: course, session, rating."),
    (rows(RATINGS), ("--criterion", "v_3sd"), "E720 --criterion: there is no criterion 'v_3sd'. "
     "Did you mean 'v_2sd'?"),
    (rows(RATINGS), ("--reliability", "1.2"), "E719 --reliability: '1.2' cannot be used. Allowed: "
     "a number between 0 and 1."),
    (rows(RATINGS), ("--sample-sd", "0"), "E719 --sample-sd: '0.0' cannot be used."),
    (rows(RATINGS), ("--range", "40", "0"), "E719 --range: '40 0' cannot be used."),
    (rows(RATINGS), ("--max-gap", "0"), "E719 --max-gap: '0' cannot be used."),
    (rows(RATINGS), ("--instrument", "SSR"), "E719 --instrument: 'SSR' cannot be used. Did you "
     "mean 'SRS'?"),
    (rows(RATINGS), ("--set", "v_1sd"), "E719 --set: 'v_1sd' cannot be used. Allowed: "
     "CRITERION.SETTING=VALUE"),
    (rows(RATINGS), ("--set", "v_1sd.kk=2"), "'kk' is not a known key. Did you mean 'k'?"),
    (rows(RATINGS), ("--set", "v1sd.k=2"), "E720 --set: there is no criterion 'v1sd'. Did you mean "
     "'v_1sd'?"),
    (rows(RATINGS), ("--delimiter", ";"), "E712 ratings.csv: the file has one column when split at "
     "';'. Give the sign between its columns, most likely --delimiter ','."),
    (rows(RATINGS), ("--delimiter", "::"), "E719 --delimiter: '::' cannot be used."),
]  # fmt: skip


@pytest.mark.parametrize(("table", "options", "message"), BAD, ids=[case[2][:30] for case in BAD])
def test_messages(run, table, options, message):
    code, out, err = run(table, *options)
    assert (code, out) == (1, "")
    assert message in err
    assert "Traceback" not in err


def test_everything_is_told_at_once(run):
    table = [("a", 1, "x"), ("a", 2.5, 50), ("", 3, 1), ("b", 1, 2), ("b", 1, 3)]
    options = ("--range", "0", "40", "--reliability", "2", "--set", "dipp.k=2")
    code, out, err = run(table, *options, criterion="dip,nope")
    assert (code, out) == (1, "")
    codes = sorted(line.split()[0] for line in err.splitlines())
    assert codes == ["E206", "E309", "E716", "E717", "E718", "E719", "E720", "E720"]


def test_files_that_are_not_there_or_no_text(run, tmp_path):
    write(tmp_path / "rating.csv", rows(RATINGS))
    code, out, err = run(None)
    assert (code, out) == (1, "")
    assert err.startswith("E711 ratings.csv: the file does not exist. Did you mean 'rating.csv'?")
    (tmp_path / "ratings.csv").write_bytes(b"course,session,rating\nM\xfcller,1,3\n")
    assert "E713 ratings.csv: the file cannot be read as UTF-8." in run(None)[2]
    write(tmp_path / "ratings.csv", [], header=("course", "session", "rating", "rating"))
    assert "E715 ratings.csv, key --rating: 2 columns have the name 'rating'." in run(None)[2]


def test_course_ids_are_kept_and_quoted(run, tmp_path):
    text = 'course,session,rating\n"a, b",1,30\n"a, b",2,30\n"a, b",3,10\n01,1,3\n'
    (tmp_path / "ratings.csv").write_text(text)
    _, out, _ = run(None, "--states")
    assert [row["course"] for row in parsed(out)] == ["01", *["a, b"] * 3]
