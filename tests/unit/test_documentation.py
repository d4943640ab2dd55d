"""The documentation builds offline, and what it tells people to type can be typed."""

import importlib.util
import inspect
import json
import re
import shlex
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
import yaml

import function_pages
import gallery
import reference_pages
import rupture_repair
from repository import ROOT
from rupture_repair import cli
from rupture_repair.detection import criteria
from rupture_repair.exposure.sessions import SESSION_COLUMNS
from rupture_repair.models import definitions
from rupture_repair.project import cluster_needs, data_dictionary, yaml_files
from rupture_repair.project.messages.catalogue import CATALOGUE
from rupture_repair.project.package_files import KNOWLEDGE
from rupture_repair.public_data import register

DOCS = ROOT / "docs"
HOW_TOS = sorted(DOCS.glob("how-to-*.md"))


def builder():
    spec = importlib.util.spec_from_file_location("build", DOCS / "build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """The built site; a broken link or anchor fails the build."""
    folder = tmp_path_factory.mktemp("docs") / "site"
    builder().build(folder)
    return folder


class Loaded(HTMLParser):
    """What a page loads, as against what it links to."""

    def __init__(self, page: Path):
        super().__init__()
        self.sources: list[str] = []
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        told = dict(attrs)
        self.sources += [told[key] or "" for key in ("src", "srcset", "data") if key in told]
        if tag == "link":
            self.sources.append(told.get("href") or "")


def test_the_site_loads_nothing_from_elsewhere(site):
    pages = sorted(site.glob("*.html"))
    assert len(pages) > 15
    for page in pages:
        sources = Loaded(page).sources
        assert sources, page.name
        outside = [one for one in sources if re.match(r"(https?:)?//", one)]
        assert outside == [], page.name
        text = page.read_text(encoding="utf-8")
        assert not re.search(r"```|<code>(sh|yaml|python|text)\n|>None<", text), page.name
    for sheet in site.rglob("*.css"):
        text = sheet.read_text(encoding="utf-8")
        assert not re.search(r"(url\(|@import)\s*['\"]?(https?:)?//", text), sheet.name


def test_every_page_is_in_the_menu_and_the_tutorial_when_it_is_there(site):
    module = builder()
    menu = [page for part in module.NAVIGATION.values() for page in part]
    written = {path.name for path in DOCS.glob("*.md")} | set(reference_pages.pages(str(ROOT)))
    written |= set(function_pages.pages()) | set(gallery.pages())
    # The tutorial is left out of a copy without its data, the figures of a campaign until it ran.
    assert set(menu) - {"tutorial.md", "campaign.md"} <= written
    shown = {page.removesuffix(".md") + ".html" for page in written}
    assert shown <= {page.name for page in site.glob("*.html")}
    with_tutorial = module.navigation({"index.md", "tutorial.md", "new.md"})
    assert with_tutorial == [
        {"Start": [{"Overview": "index.md"}, {"Analyse a spreadsheet": "tutorial.md"}]},
        {"More": [{"new": "new.md"}]},
    ]


def test_a_search_finds_every_section_without_a_server(site):
    text = (site / "search-index.js").read_text(encoding="utf-8")
    index = json.loads(text.removeprefix("window.searchIndex=").rstrip(";\n"))
    found = {(one["page"], one["id"]): one for one in index}
    assert found["glossary.html", "nadir"]["text"] == "The lowest rating of an episode."
    pages = {page.name for page in site.glob("*.html")} - {"404.html"}
    assert {one["page"] for one in index} == pages
    for page in pages:
        html = (site / page).read_text(encoding="utf-8")
        assert html.count("search-index.js") == html.count('id="properdocs-search-query"') == 1
        ids = set(re.findall(r'id="([^"]+)"', html))
        assert {one["id"] for one in index if one["page"] == page} <= ids
        assert not [one for one in ids if one[0].isdigit()], page


def test_tables_of_the_site_have_row_headers(site):
    for page in site.glob("*.html"):
        for table in re.findall(r"<table>.*?</table>", page.read_text("utf-8"), re.S):
            rows = table.partition("<tbody>")[2].split("<tr>")[1:]
            assert rows, page.name
            assert all(row.strip().startswith('<th scope="row"') for row in rows), page.name


def test_each_public_function_has_a_page_with_all_that_is_said_of_it():
    pages = function_pages.pages()
    for name in ("find_episodes", "expected_by_chance", "lmm.fit"):
        assert f"python-{name}.md" in pages
        assert f"(python-{name}.md)" in pages["python.md"]
    assert set(rupture_repair.__all__) - {"__version__", "lmm"} <= {
        name for name, _ in function_pages.public()
    }
    for name, thing in function_pages.public():
        page = pages[f"python-{name}.md"]
        described = inspect.getdoc(thing) or ""
        words = re.findall(r"\w+", re.sub(r":\w+:`~?|-{3,}", "", described))
        assert re.findall(r"\w+", described.split("\n")[0])[0] in page
        assert set(words) <= set(re.findall(r"\w+", page)), name


def test_the_gallery_shows_every_figure_of_a_report():
    figures = {name.removeprefix("figures/") for name in data_dictionary.names()
               if name.startswith("figures/")} - {"synthesis_forest"}  # fmt: skip
    assert set(gallery.figures()) == figures
    for name, one in gallery.figures().items():
        assert set(one) == {"title", "shows", "good", "bad", "do"}, name
    pictures = {file.stem for file in gallery.FOLDER.glob("*.png")}
    assert figures - pictures <= {"ending_hazard"}, "python docs/gallery.py"
    assert pictures <= figures


def test_the_numbers_that_lme4_gives_on_the_page_for_r_are_those_of_fit():
    text = (DOCS / "from-r.md").read_text(encoding="utf-8")
    [formula] = re.findall(r'^  "(ors_total ~ .*)"$', text, re.M)
    fitted = rupture_repair.lmm.fit(formula, pd.read_csv(ROOT / "data/raw/demo/sessions.csv"))
    for row in fitted.terms.to_dict("records"):
        printed = f"{row['estimate']:.5f} ({row['std_error']:.5f})"
        assert f"| {row['term']} | {printed} |" in text
        [by_lme4] = re.findall(rf"\| {row['term']} \|.*\| ([\d.]+) \([\d.]+\) \|", text)
        assert float(by_lme4) == pytest.approx(row["estimate"], abs=1.1e-5)


# ---------------------------------------------------------------------------- reference


def keys_of(schema, part, above=""):
    for key, below in yaml_files.resolved(part, schema).get("properties", {}).items():
        yield f"{above}{key}"
        yield from keys_of(schema, below, f"{above}{key}.")


@pytest.mark.parametrize("name", reference_pages.SCHEMAS)
def test_reference_describes_every_key_of_a_schema(name):
    page = reference_pages.schema_page(name)
    schema = yaml_files.schema(name)
    parts = [schema, *schema.get("$defs", {}).values()]
    keys = {key.rpartition(".")[2] for part in parts for key in keys_of(schema, part)}
    assert len(keys) > 3
    assert {key for key in keys if not re.search(rf"^##+ `(?:.*\.)?{key}`$", page, re.M)} == set()


def test_reference_shows_defaults_and_what_is_allowed():
    page = reference_pages.schema_page("config")
    entry = page.partition("### `edge_rules.max_gap`")[2].partition("\n## ")[0]
    assert "*Allowed:* a whole number, at least 1. *Default:* `2`" in entry
    assert "*Required.*" in reference_pages.schema_page("dataset")


def test_reference_lists_criteria_instruments_datasets_commands_and_problems():
    pages = reference_pages.pages(str(ROOT))
    for rule in criteria.load():
        assert f"`{rule.id}`" in pages["criteria.md"]
    for name in yaml.safe_load((KNOWLEDGE / "instruments.yaml").read_text("utf-8"))["instruments"]:
        assert f"\n## {name}\n" in pages["instruments.md"]
    for entry in register.read(ROOT / register.FILE):
        for words in (entry.dataset, entry.file, entry.url.partition("_")[0]):
            assert words in pages["datasets.md"].replace("\\", "")
    for name in reference_pages.subcommands(cli.command_parser()):
        assert f"\n## {name}\n" in pages["commands.md"]
        assert f"usage: rupture-repair {name} " in pages["commands.md"]
    assert [code for code in CATALOGUE if f"### {code}\n" not in pages["problems.md"]] == []


# ---------------------------------------------------------------------------- commands


def blocks(page: Path, language: str) -> list[str]:
    """Return the blocks of code of a page, without their indentation."""
    text = page.read_text(encoding="utf-8")
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```", text, re.M | re.S)
    return [re.sub(rf"^{indent}", "", code, flags=re.M) for indent, code in found]


COMMANDS = [
    (page.name, line)
    for page in [*HOW_TOS, DOCS / "index.md", ROOT / "README.md"]
    for block in blocks(page, "sh")
    for line in block.replace("\\\n", "").splitlines()
    if line.strip()
]


def parse(words: list[str]) -> None:
    """Raise SystemExit or AssertionError where a command cannot be typed so."""
    program, *rest = words
    if program.endswith("rupture-repair"):
        cli.command_parser().parse_args(rest)
    elif program.endswith("snakemake"):
        from snakemake.cli import get_argument_parser

        told = get_argument_parser().parse_args(rest)
        for profile in filter(None, [told.workflow_profile]):
            assert (ROOT / profile / "config.yaml").is_file()
        rules = "".join(path.read_text("utf-8") for path in (ROOT / "workflow/rules").glob("*"))
        fetched = [f"fetch_{name}" for name in register.names(ROOT / register.FILE)]
        for target in told.targets or []:
            assert target in fetched or f"rule {target}:" in rules, target
    elif program == "make":
        targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.M)
        assert [word for word in rest if "=" not in word and word not in targets] == []
    else:
        known = (".", ".venv/bin/activate"), (".venv/bin/python", "-m")
        assert tuple(words[:2]) in known, f"no test knows how to check {program}"


@pytest.mark.parametrize(("page", "line"), COMMANDS)
def test_a_command_of_the_documentation_can_be_typed(page, line):
    parse(shlex.split(line, comments=True))


def test_commands_that_cannot_be_typed_are_noticed(capsys):
    assert len(COMMANDS) > 15
    for wrong in ("rupture-repair episode x.csv", "make reports", "snakemake --cores 1 fetch_x"):
        with pytest.raises((SystemExit, AssertionError)):
            parse(shlex.split(wrong))


# ---------------------------------------------------------------------------- examples


def test_the_criterion_of_the_how_to_finds_episodes(tmp_path, monkeypatch, capsys):
    row, changed, of_runs = blocks(DOCS / "how-to-criterion.md", "yaml")
    file = tmp_path / "criteria.yaml"
    shipped = (KNOWLEDGE / "criteria.yaml").read_text(encoding="utf-8")
    file.write_text(f"{shipped}\n{row}", encoding="utf-8")
    [rule] = criteria.load(["three_points"], file=file)
    assert (rule.reference, rule.k) == ("previous", 3)
    # The command as the page tells it, with this row among the criteria.
    load = criteria.load
    monkeypatch.setattr(
        criteria, "load", lambda *args, **named: load(*args, **{**named, "file": file})
    )
    monkeypatch.chdir(ROOT)
    command, with_states = [
        line for name, line in COMMANDS if name == "how-to-criterion.md" and "episodes" in line
    ]
    assert cli.main(shlex.split(command)[1:]) == 0
    assert capsys.readouterr().out.count("three_points") > 100
    assert cli.main(shlex.split(with_states)[1:]) == 0
    assert "steady" in capsys.readouterr().out
    content = yaml.safe_load(changed)
    assert yaml_files.check(content, "config", "config.yaml") == []
    [rule] = criteria.load(["own_mean_2sd"], content["settings_of_criteria"])
    assert rule.k == 1.5
    [rule] = criteria.load(["dip"], yaml.safe_load(of_runs)["settings_of_criteria"])
    assert (rule.window.longest, rule.window.to_end, rule.window.before) == (2, False, 2)


def test_settings_and_formula_of_the_how_to_on_models_are_valid():
    [settings] = blocks(DOCS / "how-to-model.md", "yaml")
    assert yaml_files.check(yaml.safe_load(settings), "config", "config.yaml") == []
    [code] = blocks(DOCS / "how-to-model.md", "python")
    names = {"Variant": definitions.Variant, "_NEXT": definitions._NEXT}
    [variant] = eval(f"{{{code}}}", names).values()
    words = set(re.findall(r"[a-z_]+", variant.formula)) - {"outcome_next"}
    assert words <= set(SESSION_COLUMNS), words - set(SESSION_COLUMNS)


def test_the_profile_of_the_cluster_has_options_of_snakemake_and_rules_of_ours():
    from snakemake.cli import get_argument_parser

    content = yaml.safe_load((ROOT / "workflow" / "profiles/slurm/config.yaml").read_text("utf-8"))
    options = {name for action in get_argument_parser()._actions for name in action.option_strings}
    assert {key for key in content if f"--{key}" not in options} == set()
    # Some rules ask for workflow.cores, which is not known without it.
    assert content["cores"] >= 1
    rules = "".join(path.read_text("utf-8") for path in (ROOT / "workflow" / "rules").glob("*.smk"))
    named = set(re.findall(r'"\.\./scripts/(\w+)\.py"', rules)) - {"fetch"}
    assert len(named) > 20
    for step in named:
        assert f'mem_mb=memory_of("{step}"),\n        runtime=minutes_of("{step}"),' in rules
    assert named >= cluster_needs.HEAVY_STEPS
