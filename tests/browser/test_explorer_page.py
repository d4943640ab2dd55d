"""The explorer in use: what it shows is what the library computes for the setting chosen."""

from dataclasses import replace

import pandas as pd
import pytest

import made_explorer
from rupture_repair.detection import criteria, detect
from rupture_repair.detection.ratings import arrange

NASTY = {
    "HTML": "<script>document.title = 'taken'</script><img src=x onerror='alert(1)'><b>bold</b>",
    "end of a script": "</script></title></style>--><!-- & &amp; &lt;",
    "Markdown": "**bold** [link](https://example.org) `code` # head | cell",
    "LaTeX": r"$\frac{1}{2}$ \textbf{x} 50 % & {} ~ ^_ \input{/etc/passwd}",
    "Typst": "#set page(width: 1pt) *strong* @ref <label> $x^2$",
    "right to left": "ברית טיפולית, التحالف العلاجي \u202eabc",
    "emoji": "Alliance 👩\u200d⚕️🤝🇨🇭",
    "300 characters": "Arbeitsbündnis" * 22,
}


def shown(page, name):
    return page.locator(f"#{name}").text_content()


@pytest.fixture
def small(opened, tmp_path):
    """The explorer of the small dataset, and what it is made of."""
    given = made_explorer.made()
    file = tmp_path / "made-explorer.html"
    file.write_text(made_explorer.html(given), encoding="utf-8")
    return opened.open(file), given, opened


def test_moving_k_shows_what_the_library_finds_for_that_k(small):
    page, given, _ = small
    measure = given["measures"]["alliance"]
    ratings = arrange(given["sessions"], "alliance", measure)
    rule = criteria.load(["v_2sd"])[0]
    found = []
    page.locator("#k").focus()
    page.keyboard.press("Home")
    for _ in range(6):
        k = float(shown(page, "k-value"))
        how = {"dataset": "made", "name": "alliance", "measure": measure}
        seen = detect.detect_one(ratings, replace(rule, k=k), made_explorer.EDGE_RULES, **how)
        assert int(shown(page, "episodes")) == seen.summary["n_episodes"]
        assert int(shown(page, "courses")) == seen.summary["n_courses_with_episode"]
        assert int(shown(page, "unrepaired")) == seen.summary["n_unrepaired"]
        assert int(shown(page, "repaired").split(" (")[0]) == seen.summary["n_repaired"]
        found.append((k, seen.summary["n_episodes"]))
        page.keyboard.press("ArrowRight")
    assert len(set(found)) == 6
    assert len({count for _, count in found}) > 2


def test_the_demo_begins_with_the_numbers_of_its_report(demo, opened):
    page = opened.open(demo.folder / "reports/demo-explorer.html")
    table = pd.read_parquet(demo.folder / "data/processed/demo/detection.parquet")
    chance = pd.read_parquet(demo.folder / "data/processed/demo/chance.parquet")
    chance = chance[chance["null_model"] == "autoregressive"]
    for name in ("dip", "v_1sd", "western_electric", "rupture_probability"):
        row = table.query("measure == 'alliance' and criterion == @name").iloc[0]
        page.locator("#criterion").select_option(name)
        assert int(shown(page, "episodes")) == row["n_episodes"]
        assert int(shown(page, "courses")) == row["n_courses_with_episode"]
        assert float(shown(page, "k-value")) == pytest.approx(row["k"])
        noise = chance.query("measure == 'alliance' and criterion == @name").iloc[0]
        assert shown(page, "expected").startswith(f"{noise['expected']:.1f} (")
    assert page.locator("#k").is_disabled()
    assert shown(page, "k-effect") == "Cannot be moved for this criterion."
    assert page.locator("#curve").is_hidden()
    page.locator("#criterion").select_option("dip")
    before = int(shown(page, "episodes"))
    page.locator("#k").focus()
    page.keyboard.press("ArrowLeft")
    assert int(shown(page, "episodes")) > before


def test_the_window_moves_what_is_repaired_and_the_button_goes_back(small):
    page, _, _ = small
    first = shown(page, "within-value"), shown(page, "repaired")
    page.locator("#within").focus()
    page.keyboard.press("Home")
    assert shown(page, "within-value") == "2 sessions"
    page.locator("#floor").focus()
    page.keyboard.press("End")
    assert shown(page, "floor-value") == "5 points"
    page.locator("#reset").click()
    assert (shown(page, "within-value"), shown(page, "repaired")) == first
    assert shown(page, "floor-value") == "none"


def test_the_address_keeps_what_was_chosen(small):
    page, _, _ = small
    page.locator("#criterion").select_option("dip")
    page.locator("#k").focus()
    page.keyboard.press("Home")
    page.locator("#course").select_option("5")
    kept = ("k-value", "episodes", "told")
    before = [shown(page, name) for name in kept]
    address = page.url
    assert "criterion=dip" in address
    page.locator("#reset").click()
    assert shown(page, "k-value") != before[0]
    page.goto("about:blank")
    page.goto(address)
    page.wait_for_selector("html[data-ready]")
    assert [shown(page, name) for name in kept] == before
    page.goto(address.split("#")[0] + "#criterion=nothing&k=x&course=none")
    assert page.locator("#criterion").input_value() == "v_2sd"


def test_a_criterion_that_cannot_be_applied_says_why_and_shows_no_empty_chart(small):
    page, _, opened = small
    page.locator("#criterion").select_option("reported")
    assert shown(page, "fixed").startswith("Not assessable: ")
    assert shown(page, "sentence").startswith("This criterion cannot be applied: ")
    assert page.locator("#curve").is_hidden()
    assert page.locator("#reset").is_disabled()
    assert "cannot be applied" in shown(page, "empty")
    assert opened.complaints == []


def test_a_control_that_changes_nothing_says_so(small):
    page, _, _ = small
    assert shown(page, "k-effect") == ""
    page.locator("#k").focus()
    page.keyboard.press("End")
    # Falls of so many units are deeper than every floor that is offered.
    assert shown(page, "floor-effect").startswith("Changes nothing here")
    page.locator("#reset").click()
    assert page.locator("#reset").is_disabled()


def test_a_click_on_a_course_shows_its_curve(small):
    page, given, _ = small
    assert shown(page, "told").startswith("Course c0000: 12 ratings")
    lines = page.locator("#overview svg .mark-rule line")
    count = len(given["sessions"]["course"].unique())
    lines.nth(lines.count() - count + 2).click(force=True)
    assert shown(page, "told").startswith("Course c0002: 12 ratings")
    assert page.locator("#course").input_value() == "2"
    assert "session" in shown(page, "told").split("black")[1]
    before = page.locator("#one svg .mark-line path").last.get_attribute("d")
    page.locator("#course").select_option("5")
    page.wait_for_function(
        "before => [...document.querySelectorAll('#one svg .mark-line path')].at(-1)"
        ".getAttribute('d') !== before", arg=before,
    )  # fmt: skip
    assert shown(page, "told").startswith("Course c0005")


@pytest.mark.parametrize("kind", NASTY)
def test_any_text_is_shown_as_text_and_breaks_nothing(kind, opened, tmp_path):
    text = NASTY[kind]
    dataset = made_explorer.DATASET | {"title": text}
    given = made_explorer.made(courses=6, label=text)
    given["criteria"] = [
        replace(rule, name=text) if rule.id == "v_2sd" else rule for rule in given["criteria"]
    ]
    given["sessions"]["course"] = given["sessions"]["course"].replace("c0000", text)
    courses = given["replicates"]["course"].astype(str)
    given["replicates"]["course"] = courses.replace("c0000", text)
    file = tmp_path / "made-explorer.html"
    file.write_text(made_explorer.html(given, dataset), encoding="utf-8")
    page = opened.open(file)
    assert page.locator("h1").text_content() == text
    assert page.title() == " ".join(f"Explorer: {text}".split())
    assert page.locator("#criterion option").first.text_content() == text
    assert text in page.locator("#course option").all_text_contents()
    assert page.locator("header img, header b, header script, main img").count() == 0
    assert page.locator("#one svg text").count() > 5
    axis = page.locator("#one svg .role-axis-title text").all_text_contents()
    assert any(words[:10] == text[:10] for words in axis)
    assert opened.complaints == []
    assert [url for url in opened.requests if not url.startswith("data:")] == [
        file.resolve().as_uri()
    ]
    for width in (375, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        page.wait_for_timeout(300)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
