"""The documentation in a browser, opened from the file system: no script fails, a search finds."""

import pytest
from axe_playwright_python.sync_playwright import Axe

import build

PAGES = ("index", "how-to-read", "python-find_episodes")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("docs") / "site"
    build.build(folder)
    return folder


@pytest.mark.parametrize("name", PAGES)
def test_a_page_complains_of_nothing_and_anyone_can_use_it(name, site, opened):
    page = opened.open(site / f"{name}.html")
    page.wait_for_timeout(200)
    assert opened.complaints == []
    assert {url.partition("://")[0] for url in opened.requests} == {"file"}
    found = Axe().run(page).response["violations"]
    grave = {one["id"]: one["nodes"][0]["html"] for one in found
             if one["impact"] in ("serious", "critical")}  # fmt: skip
    assert grave == {}
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_search_leads_from_a_word_to_its_section(site, opened):
    page = opened.open(site / "index.html")
    page.locator("[data-bs-target='#properdocs_search_modal']").click()
    page.locator("#properdocs-search-query").fill("nadír")
    results = page.locator("#properdocs-search-results a")
    assert results.first.text_content() == "Glossary: nadir"
    results.first.click()
    page.wait_for_url("**/glossary.html#nadir")
    assert opened.complaints == []
