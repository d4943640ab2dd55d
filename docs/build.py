"""Build the documentation into docs/site: `make docs`. Needs no network, and loads none.

The reference is written from schemas, knowledge files and commands; every broken link stops the
build. Pages are read from a folder put together for the build, since half of them are made.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

import reference_pages

DOCS = Path(__file__).resolve().parent

#: What the pages of docs/ are, in the order of the menu. A page that is not there is left out.
NAVIGATION = {
    "Start": {"index.md": "Overview", "tutorial.md": "Tutorial"},
    "How to": {
        "windows-and-mac.md": "On Windows and macOS",
        "how-to-criterion.md": "Add a criterion",
        "how-to-model.md": "Change a model",
        "how-to-cluster.md": "Run on a cluster",
        "power.md": "Plan a study",
        "simulate.md": "Make synthetic data",
        "from-python.md": "Use it from Python",
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
        "problems.md": "Problems",
    },
    "Explanation": {
        "explanation.md": "Ideas",
        "architecture.md": "Architecture",
        "chance.md": "Chance",
        "rupture_probability.md": "Probability of a rupture",
        "decisions.md": "Decisions",
        "disclosure.md": "What a reader can know",
        "power.md": "Power",
        "speed.md": "Speed",
        "campaign.md": "Campaign",
        "licences.md": "Licences, and what archives get",
    },
}


def navigation(there: set[str]) -> list[dict[str, list[dict[str, str]]]]:
    """Return the menu; pages of docs/ that it does not know come last, under More."""
    named = {page for part in NAVIGATION.values() for page in part}
    more = {page: page.removesuffix(".md").replace("_", " ") for page in sorted(there - named)}
    menu = []
    for part, pages in {**NAVIGATION, "More": more}.items():
        shown = [{title: page} for page, title in pages.items() if page in there]
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
        "theme": {"name": "mkdocs", "highlightjs": False, "color_mode": "auto"},
        "plugins": [],  # search needs a web server: it cannot read its index from the file system
        "extra_css": ["site.css"],
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
            if file.suffix in (".md", ".png", ".css", ".svg"):
                shutil.copy(file, source / file.name)
        for name, text in reference_pages.pages(str(DOCS.parent)).items():
            (source / name).write_text(text, encoding="utf-8")
        config = Path(temporary) / "properdocs.yml"
        config.write_text(yaml.safe_dump(settings(source, target)), encoding="utf-8")
        command = [sys.executable, "-m", "properdocs", "build", "--quiet", "--config-file"]
        subprocess.run([*command, str(config)], check=True)


if __name__ == "__main__":
    try:
        build(DOCS / "site")
    except subprocess.CalledProcessError as error:
        sys.exit(f"The documentation was not built: see above ({error.returncode}).")
    print("Documentation: docs/site/index.html")
