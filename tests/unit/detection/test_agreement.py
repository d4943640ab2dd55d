"""Agreement of criteria against other programs, against loops, and as a figure."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import cohens_kappa

from bundles import material_of
from drawn_texts import texts_outside
from made_reports import ABOUT, Page, to_draw
from made_tables import tables
from rupture_repair.detection.agreement import INSIDE, agreement, coefficients
from rupture_repair.figures.agreement import agreement_heat_map
from rupture_repair.figures.alt_text import alt_text
from rupture_repair.figures.draw_figures import draw_figures
from rupture_repair.figures.style import save
from rupture_repair.project.reasons import in_full
from rupture_repair.report.dataset_page import dataset_report
from rupture_repair.report.output_formats import render_html

STATES = ["not_assessable", "steady", "ruptured", "repaired_here", "after_repair"]


def one_each(neither, only_b, only_a, both):
    """Counts of courses with one session each."""
    return np.repeat(np.eye(4, dtype=int), [neither, only_b, only_a, both], axis=0)


cells = st.tuples(*[st.integers(1, 60)] * 4)


@given(cells)
def test_kappa_is_that_of_other_programs(cell):
    found = coefficients(one_each(*cell))
    a = np.repeat([0, 0, 1, 1], cell)
    b = np.repeat([0, 1, 0, 1], cell)
    assert found["kappa"] == pytest.approx(cohen_kappa_score(a, b))
    other = cohens_kappa(np.array([[cell[0], cell[1]], [cell[2], cell[3]]]))
    assert found["kappa"] == pytest.approx(other.kappa)
    n = sum(cell)
    assert found["kappa_std_error"] == pytest.approx(other.std_kappa * math.sqrt(n / (n - 1)))


def test_ac1_by_hand():
    # 125 sessions, 118 by both, 5 by b only, 2 by a only: observed agreement 118 / 125 = 0.944,
    # pi = (120 + 123) / 250 = 0.972, chance 2 x 0.972 x 0.028 = 0.054432,
    # AC1 = (0.944 - 0.054432) / (1 - 0.054432) = 0.940776; kappa = -0.001280 / 0.054720.
    found = coefficients(one_each(0, 5, 2, 118))
    assert found["ac1"] == pytest.approx(0.940776, abs=5e-7)
    assert found["kappa"] == pytest.approx(-0.00128 / 0.05472)
    assert found["raw_agreement"] == pytest.approx(0.944)
    assert (found["prevalence_a"], found["prevalence_b"]) == (0.96, 0.984)


@given(cells)
def test_error_of_ac1_is_that_of_gwet_2008(cell):
    # British Journal of Mathematical and Statistical Psychology 61, 29-48, for two raters:
    # the variance of g_i - 2 (1 - g) (pe_i - pe) / (1 - pe), divided by n.
    a, b = np.repeat([0, 0, 1, 1], cell), np.repeat([0, 1, 0, 1], cell)
    n, pi = len(a), (a.mean() + b.mean()) / 2
    chance = 2 * pi * (1 - pi)
    of_session = ((a == b) - chance) / (1 - chance)
    gamma = of_session.mean()
    mean = (a + b) / 2
    chance_of_session = mean * (1 - pi) + (1 - mean) * pi
    parts = of_session - 2 * (1 - gamma) * (chance_of_session - chance) / (1 - chance)
    error = math.sqrt(((parts - gamma) ** 2).sum() / (n * (n - 1)))
    found = coefficients(one_each(*cell))
    assert found["ac1"] == pytest.approx(gamma)
    assert found["ac1_std_error"] == pytest.approx(error)


def test_errors_know_of_courses():
    random = np.random.default_rng(4)
    leaning = random.beta(0.6, 2, 300)[:, None, None]
    said = random.random((300, 12, 2)) < leaning
    cell = 2 * said[:, :, 0] + said[:, :, 1]
    counts = np.stack([(cell == kind).sum(axis=1) for kind in range(4)], axis=1)
    found = coefficients(counts)
    left_out = [coefficients(np.delete(counts, course, axis=0)) for course in range(300)]
    apart = coefficients(one_each(*counts.sum(axis=0)))
    for name in ("kappa", "ac1"):
        values = np.array([one[name] for one in left_out])
        jackknife = math.sqrt(299 / 300 * ((values - values.mean()) ** 2).sum())
        assert found[f"{name}_std_error"] == pytest.approx(jackknife, rel=0.03)
        assert found[f"{name}_std_error"] > 1.2 * apart[f"{name}_std_error"]
        assert found[f"{name}_ci_low"] < found[name] < found[f"{name}_ci_high"]


@pytest.mark.parametrize("cell", [(9, 3, 0, 0), (9, 0, 3, 0), (9, 0, 0, 0), (0, 4, 0, 9), (0,) * 4])
def test_kappa_without_variation_is_missing_never_zero(cell):
    assert math.isnan(coefficients(one_each(*cell))["kappa"])


def test_nothing_to_learn_an_interval_from():
    found = coefficients(one_each(9, 0, 0, 3))
    assert (found["kappa"], found["ac1"]) == (1.0, 1.0)
    assert math.isnan(found["kappa_ci_low"])
    one_course = coefficients(np.array([[5, 1, 1, 4]]))
    assert one_course["kappa"] < 1
    assert math.isnan(one_course["kappa_std_error"])


# --- the table


def made(seed, n_courses=4):
    """Random states of three criteria, and episodes anywhere among them."""
    random = np.random.default_rng(seed)
    states, episodes = [], []
    for course in "dbca"[:n_courses]:
        first, last = int(random.integers(0, 3)), int(random.integers(4, 12))
        for criterion in ("dip", "tooth", "v_1sd"):
            key = {"dataset": "d", "measure": "m", "criterion": criterion, "course": course}
            for session in range(first, last + 1):
                states.append(key | {"session": session, "state": random.choice(STATES)})
                if random.random() < 0.2:
                    episodes.append(key | {"first_low": session})
    columns = ["dataset", "measure", "criterion", "course", "first_low"]
    return pd.DataFrame(states), pd.DataFrame(episodes, columns=columns)


def by_loops(states, episodes, a, b):
    of = {
        name: {
            (row.course, row.session): row.state in INSIDE
            for row in states[states["criterion"] == name].itertuples()
            if row.state != "not_assessable"
        }
        for name in (a, b)
    }
    both = of[a].keys() & of[b].keys()
    counts = {(x, y): sum((of[a][s], of[b][s]) == (x, y) for s in both)
              for x in (False, True) for y in (False, True)}  # fmt: skip
    begin = {
        name: [
            (row.course, row.first_low) for row in episodes.itertuples() if row.criterion == name
        ]
        for name in (a, b)
    }

    def found(here, there):
        asked = [one for one in begin[here] if one in of[there]]
        near = [one for one in asked
                if any(one[0] == c and abs(one[1] - s) <= 1 for c, s in begin[there])]  # fmt: skip
        return len(asked), len(near)

    (n_a, found_a), (n_b, found_b) = found(a, b), found(b, a)
    return {
        "n_neither": counts[False, False], "n_only_b": counts[False, True],
        "n_only_a": counts[True, False], "n_both": counts[True, True],
        "n_sessions": len(both), "n_courses": len({course for course, _ in both}),
        "n_episodes_a": n_a, "n_episodes_b": n_b,
        "shared_a": found_a / n_a if n_a else math.nan,
        "shared_b": found_b / n_b if n_b else math.nan,
        "shared": (found_a + found_b) / (n_a + n_b) if n_a + n_b else math.nan,
    }  # fmt: skip


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.integers(1, 4))
def test_table_is_that_of_loops(seed, n_courses):
    states, episodes = made(seed, n_courses)
    table = agreement(states, episodes)
    pairs = [("dip", "tooth"), ("dip", "v_1sd"), ("tooth", "v_1sd")]
    assert list(zip(table["criterion_a"], table["criterion_b"], strict=True)) == pairs
    for row in table.to_dict("records"):
        expected = by_loops(states, episodes, row["criterion_a"], row["criterion_b"])
        assert {key: row[key] for key in expected} == pytest.approx(expected, nan_ok=True)
        assert (row["reason"] is None or pd.isna(row["reason"])) == (not math.isnan(row["kappa"]))


def test_order_of_rows_and_type_of_columns_do_not_matter():
    states, episodes = made(1)
    plain = agreement(states, episodes)
    categories = dict.fromkeys(("criterion", "course", "state", "measure"), "category")
    pd.testing.assert_frame_equal(agreement(states.astype(categories), episodes), plain)
    mixed = states[states["criterion"] == "dip"].sample(frac=1, random_state=1)
    rest = states[states["criterion"] != "dip"].iloc[::-1].sort_values("criterion", kind="stable")
    again = agreement(pd.concat([mixed, rest]), episodes.iloc[::-1])
    pd.testing.assert_frame_equal(again, plain)


def states_of(**said):
    """States of one course per letter of the words: s steady, r ruptured, - not assessable."""
    letters = {"s": "steady", "r": "ruptured", "-": "not_assessable"}
    rows = [
        {"dataset": "d", "measure": "m", "criterion": name, "course": "c", "session": at,
         "state": letters[letter]}
        for name, word in said.items()
        for at, letter in enumerate(word, 1)
    ]  # fmt: skip
    return pd.DataFrame(rows)


NO_EPISODES = pd.DataFrame(columns=["dataset", "measure", "criterion", "course", "first_low"])


@pytest.mark.parametrize(
    ("a", "b", "reason"),
    [
        ("ssss", "srrs", "a puts no session in an episode"),
        ("srrs", "ssss", "b puts no session in an episode"),
        ("ssss", "ssss", "a and b put no session in an episode"),
        ("rrrr", "srrs", "a puts every session in an episode"),
        ("sr--", "--sr", "no session can be assessed by both"),
    ],
)
def test_reason_for_no_kappa(a, b, reason):
    row = agreement(states_of(a=a, b=b), NO_EPISODES).iloc[0]
    assert in_full(row["reason"]) == reason
    assert math.isnan(row["kappa"])


def test_one_criterion_has_no_pair():
    table = agreement(states_of(a="srrs"), NO_EPISODES)
    assert len(table) == 0
    assert {"kappa", "ac1", "shared", "reason"} <= set(table.columns)


# --- figure and report


@pytest.fixture(scope="module")
def drawn():
    tab = tables()
    table = agreement(tab["states"], tab["episodes"])
    extra = table.iloc[:1].assign(criterion_b="srs_cutoff", kappa=np.nan, reason="no session")
    return tab, pd.concat([table, extra], ignore_index=True)


def heat_map(drawn, measure="srs"):
    tab, table = drawn
    return agreement_heat_map(table, tab["detection"], tab["measures"], measure=measure)


def test_heat_map_holds_every_number_and_hatches_what_is_missing(drawn):
    figure, numbers = heat_map(drawn)
    assert texts_outside(figure) == []
    axes = figure.axes[0]
    texts = [text.get_text() for text in axes.texts]
    assert len(texts) == 10 + 4  # half of the cells with the diagonal, and the names
    for row in numbers.dropna(subset=["kappa"]).itertuples():
        assert f"{row.kappa:.2f}".replace("-", "−") in texts
    assert sum(patch.get_hatch() is not None for patch in axes.patches) == texts.count("")
    assert texts.count("") == 3  # srs_cutoff has no kappa with any
    assert texts[-1] == "SRS below the cut-off", "what has no kappa comes last"


def test_criteria_that_agree_are_neighbours_in_the_heat_map(drawn):
    tab, _ = drawn
    alike = {"a": "srrssrrssrrs", "x": "srsrsrsrsrsr", "b": "srrssrrssrss", "y": "srsrsrsrsrss"}
    states = states_of(**alike).assign(measure="srs")
    detection = pd.DataFrame({"measure": "srs", "criterion": list(alike), "name": list(alike)})
    table = agreement(states, NO_EPISODES)
    figure, _ = agreement_heat_map(table, detection, tab["measures"], measure="srs")
    order = [text.get_text() for text in figure.axes[0].texts][-4:]
    assert {frozenset(order[:2]), frozenset(order[2:])} == {frozenset("ab"), frozenset("xy")}


def test_heat_map_of_many_criteria_cuts_no_name(drawn):
    tab, _ = drawn
    ids = [f"c{at}" for at in range(19)]
    states = states_of(**{name: "ssrsrsrr"[at % 3 :] for at, name in enumerate(ids)})
    detection = pd.DataFrame({"measure": "srs", "criterion": ids, "name": "W" * 40})
    table = agreement(states.assign(measure="srs"), NO_EPISODES)
    figure, numbers = agreement_heat_map(table, detection, tab["measures"], measure="srs")
    assert len(numbers) == 19 * 18 / 2
    assert texts_outside(figure) == []


def test_heat_map_is_readable_without_colour(drawn):
    from rupture_repair.figures.agreement import SHADES

    light = SHADES(np.linspace(0, 1, 50))[:, :3] @ [0.299, 0.587, 0.114]
    assert (np.diff(light) < 0).all()
    assert light[0] - light[-1] > 0.8


def test_heat_map_of_one_criterion_says_why_it_is_empty(drawn):
    tab, table = drawn
    figure, numbers = heat_map((tab, table.iloc[:0]))
    assert numbers.empty
    assert "nothing to compare" in figure.texts[0].get_text()


def test_alt_text_survives_the_file(drawn, tmp_path):
    figure, numbers = heat_map(drawn)
    *_, csv = save(figure, numbers, tmp_path / "agreement")
    alt = alt_text("agreement", numbers)
    assert alt_text("agreement", pd.read_csv(csv)) == alt
    assert alt.startswith("Heat map of 4 pairs of 4 criteria. Cohen's kappa from ")
    assert alt.endswith("Without kappa: 1.")


def test_report_shows_and_sums_up_the_agreement(drawn, tmp_path):
    tab, table = drawn
    files = draw_figures(tmp_path / "figures/small", **to_draw(tab), agreement=table)
    numbers = {file.stem: pd.read_csv(file) for file in files if file.suffix == ".csv"}
    assert "agreement" in numbers
    text = dataset_report(material_of(tab, figures=numbers), ABOUT)
    page = Page(render_html(text, tmp_path / "small.html").read_text(encoding="utf-8"))
    median = f"{numbers['agreement']['kappa'].median():.2f}"
    assert f"Over 3 pairs the median of Cohen's kappa is {median}" in page.text.replace("’", "'")
    assert any("Heat map" in image.get("alt", "") for image in page.all("img"))
    without = dataset_report(material_of(tab), ABOUT)
    assert "Only one criterion was applied" in without
