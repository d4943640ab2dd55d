"""Every page as a reader meets it: nothing is fetched, nothing overflows, anyone can use it."""

import shutil

import pytest
from axe_playwright_python.sync_playwright import Axe

import made_explorer
from repository import ROOT
from rupture_repair.disclosure.gate import Gate
from rupture_repair.ingest import check, ingest
from rupture_repair.report.check_page import write_check
from rupture_repair.report.provenance import provenance

BROKEN = ROOT / "tests/data/broken/E203"
BUILT = ("demo", "index", "demo-check", "demo-explorer")
PAGES = (*BUILT, "aggregates", "broken-check")
REACHABLE = (
    "[...document.querySelectorAll('a[href], button, select, input, summary, [tabindex=\"0\"]')]"
    ".filter(one => !one.disabled && one.checkVisibility())"
)
CONTROLS = ["measure", "criterion", "k", "floor", "within", "reset"]


@pytest.fixture(scope="session")
def pages(demo, tmp_path_factory):
    """Folder with a page of each kind."""
    folder = tmp_path_factory.mktemp("pages")
    for name in BUILT:
        shutil.copy(demo.folder / "reports" / f"{name}.html", folder)
    clinic = made_explorer.DATASET | {"synthetic": False}
    gate = Gate(5, {("courses",): 24, ("rated courses", "alliance"): 24})
    given = made_explorer.made() | {"gate": gate}
    (folder / "aggregates.html").write_text(made_explorer.html(given, clinic), encoding="utf-8")
    problems = check.check("broken", BROKEN, None)
    assert problems
    about = provenance("rupture-repair check", BROKEN)
    forms = ingest.forms(BROKEN, None)
    write_check("broken", problems, forms, about, folder / "broken-check.html")
    return folder


@pytest.fixture(params=PAGES)
def seen(request, pages, opened):
    """A page, opened."""
    file = pages / f"{request.param}.html"
    opened.open(file)
    return opened, file


def test_nothing_is_fetched_and_nothing_complained_of(seen):
    opened, file = seen
    elsewhere = [url for url in opened.requests if not url.startswith("data:")]
    assert elsewhere == [file.resolve().as_uri()]
    assert opened.complaints == []


@pytest.mark.parametrize("width", [375, 1280])
def test_the_page_does_not_scroll_sideways(seen, width):
    opened, _ = seen
    opened.page.set_viewport_size({"width": width, "height": 800})
    opened.page.wait_for_timeout(300)
    wide = opened.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width


def test_the_body_of_a_report_has_at_most_twenty_screens(pages, opened):
    opened.open(pages / "demo.html")
    high = opened.page.evaluate("document.documentElement.scrollHeight")
    assert 5_000 < high <= 20 * 900
    tables = opened.page.locator("details.part table")
    assert tables.count() > 15
    assert not tables.first.is_visible()  # until its part is opened


def test_tables_are_sorted_and_filtered_and_a_link_opens_the_part_it_leads_into(pages, opened):
    opened.open(pages / "demo.html")
    page = opened.page
    table = page.locator("main table").filter(has_text="Dip below the line").first
    column = "table => [...table.tBodies[0].rows].map(row => Number(row.cells[2].innerText))"
    heading = table.locator("thead th").nth(2)
    for order, reverse in (("ascending", False), ("descending", True)):
        heading.locator("button").click()
        assert heading.get_attribute("aria-sort") == order
        numbers = table.evaluate(column)
        assert len(numbers) > 10
        assert numbers == sorted(numbers, reverse=reverse)
    page.locator(".tools input").first.fill("V-shape")
    assert table.locator("tbody tr:visible").count() == 2
    # By its own name: once its part is open, "in a closed part" would mean another.
    hidden = page.locator("details.part:not([open]) > :not(summary) [id]").first
    name = hidden.get_attribute("id")
    part = page.locator(f'[id="{name}"]')
    assert not part.is_visible()
    page.evaluate("id => { location.hash = id; }", name)
    page.wait_for_timeout(300)
    assert part.is_visible()
    page.evaluate("location.hash = 'methods'")
    page.locator("button", has_text="Copy").first.click()
    page.wait_for_timeout(300)
    assert (
        page.locator("button", has_text="Copied")
        .or_(page.locator("button", has_text="Selected"))
        .count()
    )


def test_without_scripts_all_is_there_to_read(pages, opened):
    context = opened.page.context.browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((pages / "demo.html").resolve().as_uri())
    assert page.locator("main button").count() == 0
    assert page.locator(".tools").count() == 0
    part = page.locator("details.part").first
    assert not part.locator("table").first.is_visible()
    part.locator("summary").first.click()
    assert part.locator("table").first.is_visible()
    context.close()


def test_axe_finds_no_serious_fault(seen):
    opened, _ = seen
    found = Axe().run(opened.page).response["violations"]
    grave = {
        one["id"]: [node["html"][:200] for node in one["nodes"][:3]]
        for one in found
        if one["impact"] in ("serious", "critical")
    }
    assert grave == {}


def test_the_keyboard_reaches_links_and_controls(seen):
    opened, file = seen
    page = opened.page
    explorer = page.locator("#controls").count() > 0
    if explorer:  # a rule whose settings can all be moved, away from those of the report
        page.evaluate("""() => {
            const [criterion, k] = ["criterion", "k"].map(id => document.getElementById(id));
            criterion.value = "v_2sd";
            criterion.dispatchEvent(new Event("change"));
            k.value = k.max;
            k.dispatchEvent(new Event("input"));
        }""")
    number = min(page.evaluate(f"{REACHABLE}.length"), 60)
    places, names = [], []
    for _ in range(number):
        page.keyboard.press("Tab")
        places.append(page.evaluate(f"{REACHABLE}.indexOf(document.activeElement)"))
        names.append(page.evaluate("document.activeElement.id || document.activeElement.className"))
    assert places == list(range(number))
    assert names[0] == "skip"
    # Where single courses are hidden there is one rating only, and nothing to choose.
    wanted = CONTROLS if file.stem == "demo-explorer" else CONTROLS[1:]
    assert [name for name in names if name in CONTROLS] == (wanted if explorer else [])
