"""The overview of all datasets, and pages of datasets that failed."""

from dataclasses import replace

from made_reports import ABOUT, Page
from report_examples import FAILURE, SAID, entry
from rupture_repair.report.failed_page import failure_report
from rupture_repair.report.index_page import index
from rupture_repair.report.output_formats import render_html


def test_index_lists_failures_first_and_every_dataset(own, tmp_path):
    entries = [entry(own), entry(own, name="other", title="<b>Other</b>", synthetic=False)]
    text = index(entries, [FAILURE], ABOUT)
    page = Page(render_html(text, tmp_path / "index.html").read_text())
    assert [head["id"] for head in page.all("h2")] == ["failed", "datasets", "synthesis", "about"]
    links = [link["href"] for link in page.all("a")]
    forms = ("small.pdf", "small.docx", "small-explorer.html", "small-summary.png")
    for link in ("clinic-failed.html", "small.html", "other.html", *forms):
        assert link in links
    assert links.index("clinic-failed.html") < links.index("small.html")
    for words in ("check", "row 41", "(and 1 more)", "logs/clinic/check.log", "(synthetic)"):
        assert words in page.text
    assert page.text.count("(synthetic)") == 1
    assert "<b>Other</b>" in page.text


def test_index_entry_counts_what_the_tables_hold(own):
    row = own["detection"].query("measure == 'srs' and criterion == 'dip'").iloc[0]
    made = entry(own)
    assert made["n_courses"] == 30
    assert made["n_sessions"] == len(own["sessions"])
    assert made["n_episodes"] == row["n_episodes"]
    assert (made["n_models"], made["n_failed"]) == (24, 4)


def test_index_shows_licences_and_what_stands_in_for_the_alliance(own, tmp_path):
    own["dataset"]["licence"] = "CC BY-NC 4.0"
    own["measures"]["srs"] = replace(
        own["measures"]["srs"], stands_in="A symptom scale, *in place of* the alliance."
    )
    text = index([entry(own), entry(own, non_commercial=False, stands_in=[])], [], ABOUT)
    page = Page(render_html(text, tmp_path / "index.html").read_text())
    assert page.text.count("CC BY-NC 4.0") == 3  # twice in the table, once in the banner
    assert page.text.count("Non-commercial use only") == 1
    assert page.text.count("A symptom scale, *in place of* the alliance.") == 1
    plain = index([entry(own, non_commercial=False, stands_in=[])], [], ABOUT)
    assert "Non-commercial" not in plain
    assert "Not every rating is one of the alliance" not in plain


def test_empty_index_is_a_page(tmp_path):
    text = index([], [], ABOUT)
    page = Page(render_html(text, tmp_path / "index.html").read_text())
    assert "No dataset was analysed." in page.text


def test_failure_names_step_problems_and_what_to_do(tmp_path):
    text = failure_report(FAILURE, ABOUT)
    page = Page(render_html(text, tmp_path / "clinic-failed.html").read_text())
    for words in (*SAID, "The step check failed", "make report", FAILURE["log"]):
        assert words in page.text
    assert "9.5" not in page.text


def test_fault_of_the_program_is_not_blamed_on_the_user():
    failure = FAILURE | {"step": "fit", "traceback": "Traceback ...", "problems": ["KeyError: 'x'"]}
    text = failure_report(failure, ABOUT)
    assert "This is a fault of the program" in text
    assert "Correct" not in text
