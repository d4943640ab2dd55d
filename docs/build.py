"""Build the documentation into docs/site: `make docs`. Needs no network, and loads none.

The reference is written from schemas, knowledge files and commands; every broken link stops the
build. Pages are read from a folder put together for the build, since half of them are made.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

import finish_pages
import function_pages
import gallery
import reference_pages

DOCS = Path(__file__).resolve().parent

#: What the pages of docs/ are, in the order of the menu. A page that is not there is left out.
NAVIGATION = {
    "Start": {
        "index.md": "Overview",
        "tutorial.md": "Analyse a spreadsheet",
        "how-to-read.md": "How to read a report",
        "gallery.md": "Gallery of figures",
        "glossary.md": "Glossary",
    },
    "How to": {
        "windows-and-mac.md": "On Windows and macOS",
        "how-to-criterion.md": "Add a criterion",
        "how-to-model.md": "Change a model",
        "how-to-cluster.md": "Run on a cluster",
        "how-to-share-results.md": "Share results without data",
        "twin.md": "Publish a twin",
        "power.md": "Plan a study",
        "simulate.md": "Make synthetic data",
        "from-python.md": "Use it from Python",
        "from-r.md": "Use it from R",
    },
    "Reference": {
        "settings.md": "Who needs which setting",
        "reference-config.md": "config.yaml",
        "reference-dataset.md": "dataset.yaml",
        "reference-criteria.md": "criteria.yaml",
        "reference-instruments.md": "instruments.yaml",
        "criteria.md": "Criteria",
        "instruments.md": "Instruments",
        "tables.md": "Tables",
        "datasets.md": "Public datasets",
        "commands.md": "Commands",
        "python.md": "Functions",
        "problems.md": "Problems",
    },
    "Explanation": {
        "explanation.md": "Ideas",
        "architecture.md": "Architecture",
        "chance.md": "Chance",
        "rupture_probability.md": "Probability of a rupture",
        "effects.md": "Effects of their true size",
        "decisions.md": "Decisions",
        "disclosure.md": "What a reader can know",
        "power.md": "Power",
        "speed.md": "Speed",
        "campaign.md": "Campaign",
        "licences.md": "Licences, and what archives get",
    },
}


#: How the names of pages of functions begin.
FUNCTION = "python-"


def _function(page: str) -> str:
    return page.removeprefix(FUNCTION).removesuffix(".md")


def navigation(there: set[str]) -> list[dict[str, list[Any]]]:
    """Return the menu; pages of docs/ that it does not know come last, under More."""
    named = {page for part in NAVIGATION.values() for page in part}
    rest = sorted(page for page in there - named if not page.startswith(FUNCTION))
    more = {page: page.removesuffix(".md").replace("_", " ") for page in rest}
    functions = [{_function(page): page} for page in sorted(there) if page.startswith(FUNCTION)]
    menu: list[Any] = []
    for part, pages in {**NAVIGATION, "More": more}.items():
        shown: list[Any] = [{title: page} for page, title in pages.items() if page in there]
        if "python.md" in pages and functions:
            shown.append({"Each function": functions})
        menu += [{part: shown}] if shown else []
    return menu


def settings(source: Path, target: Path) -> dict[str, object]:
    """Return the settings of the site."""
    return {
        "site_name": "rupture-repair",
        "docs_dir": str(source),
        "site_dir": str(target),
        "use_directory_urls": False,  # links work from the file system as well
        "strict": True,
        # The other theme, and highlighting, would load scripts from elsewhere.
        "theme": {
            "name": "mkdocs",
            "custom_dir": str(DOCS / "theme"),
            "highlightjs": False,
            "color_mode": "auto",
        },
        # The search of the theme needs a web server: it cannot read its index from the file system.
        "plugins": [],
        "extra_css": ["site.css"],
        "extra_javascript": ["search-index.js", "search.js"],
        "validation": dict.fromkeys(
            ("omitted_files", "absolute_links", "unrecognized_links", "anchors"), "warn"
        ),
        "markdown_extensions": ["tables", "fenced_code", {"toc": {"permalink": True}}],
        "nav": navigation({page.name for page in source.glob("*.md")}),
    }


def build(target: Path) -> None:
    """Write the site into a folder, which is replaced."""
    with tempfile.TemporaryDirectory() as temporary:
        source = Path(temporary) / "docs"
        source.mkdir()
        for file in DOCS.iterdir():
            if file.suffix in (".md", ".png", ".css", ".svg", ".js"):
                shutil.copy(file, source / file.name)
        made = reference_pages.pages(str(DOCS.parent)) | function_pages.pages() | gallery.pages()
        shutil.copytree(gallery.FOLDER, source / gallery.FOLDER.name)
        for name, text in made.items():
            (source / name).write_text(text, encoding="utf-8")
        config = Path(temporary) / "properdocs.yml"
        config.write_text(yaml.safe_dump(settings(source, target)), encoding="utf-8")
        command = [sys.executable, "-m", "properdocs", "build", "--quiet", "--config-file"]
        subprocess.run([*command, str(config)], check=True)
    finish_pages.finish(target)


if __name__ == "__main__":
    try:
        build(DOCS / "site")
    except subprocess.CalledProcessError as error:
        sys.exit(f"The documentation was not built: see above ({error.returncode}).")
    print("Documentation: docs/site/index.html")
