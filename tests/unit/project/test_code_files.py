"""Which source files a rule watches."""

import re
from pathlib import Path

import pytest

from repository import ROOT
from rupture_repair.project.code_files import code_files

SCRIPTS = ROOT / "workflow/scripts"
LIBRARY = "workflow/rupture_repair/"


@pytest.fixture(autouse=True)
def _in_the_project(monkeypatch):
    monkeypatch.chdir(ROOT)
    code_files.cache_clear()
    yield
    code_files.cache_clear()


def test_imports_are_followed_by_name_and_not_by_folder():
    files = set(code_files(SCRIPTS / "detect.py"))
    named = ("detection/detect.py", "detection/fall_rules.py", "detection/__init__.py")
    assert {LIBRARY + name for name in named} <= files
    assert not any("/models/" in file or "/figures/" in file for file in files)
    assert LIBRARY + "detection/agreement.py" not in files


def test_paths_are_relative_so_that_a_moved_project_is_not_computed_again(monkeypatch, tmp_path):
    assert all(not Path(file).is_absolute() for file in code_files(SCRIPTS / "check.py"))
    code_files.cache_clear()
    monkeypatch.chdir(tmp_path)
    assert all(Path(file).is_absolute() for file in code_files(SCRIPTS / "check.py"))


def test_the_target_asks_for_what_every_step_writes():
    asked = (ROOT / "Snakefile").read_text(encoding="utf-8")
    rules = "".join(
        file.read_text(encoding="utf-8") for file in (ROOT / "workflow/rules").glob("*.smk")
    )
    steps = set(re.findall(r'"\.\./scripts/(\w+)\.py"', rules)) - {"fetch"}
    assert len(steps) > 20
    assert {step for step in steps if not re.search(rf"rules\.{step}\b", asked)} == set()


def test_every_script_uses_the_library():
    for script in sorted(SCRIPTS.glob("*.py")):
        files = code_files(script)
        assert files
        assert all((ROOT / file).is_file() for file in files)


#: Parts of the library that a rule may watch, next to `project`; what it does not use is not here.
WATCHED = {
    "fetch": {"public_data"},
    "check": {"disclosure", "ingest", "models", "report", "statistics"},
    "ingest": {"ingest", "statistics"},
    "fit_hidden_markov": {"detection"},
    "probable": {"detection", "exposure"},
    "calibrate": {"chance", "detection"},
    "detect": {"detection"},
    "watch": {"chance", "detection"},
    "agreement": {"detection"},
    "compare_with_chance": {"chance", "detection"},
    "certify": {"chance", "detection"},
    "fit_models": {"models", "exposure", "detection", "statistics"},
    "diagnose": {"diagnostics", "models", "exposure", "statistics"},
    "judge_claims": {"claims", "models", "exposure", "detection", "statistics"},
    "compare_with_truth": {"compare_with_truth.py", "models"},
    "plan_multiverse": {"multiverse", "models", "detection"},
    "run_multiverse": {"multiverse", "models", "exposure", "detection", "statistics"},
    "synthesise": {
        *("synthesise.py", "figures", "models", "detection", "statistics"),
        *("disclosure", "exposure", "exchange", "ingest"),
    },
    "disclose": {"disclosure", "exposure", "models"},
    "verify": {"verify.py", "claims", "detection"},
    "draw_figures": {
        *("figures", "claims", "exposure", "models", "multiverse", "detection", "statistics"),
        "disclosure",
    },
    "write_report": {
        *("report", "figures", "claims", "chance", "diagnostics", "exposure", "models"),
        *("statistics", "disclosure", "detection"),
    },
    "write_summary": {
        *("report", "figures", "chance", "models", "exposure", "statistics", "disclosure"),
    },
    "write_index": {"report", "figures", "disclosure", "exposure", "models"},
    "write_crate": {"report", "disclosure"},
    "write_explorer_library": {"explorer"},
    "write_explorer": {
        *("explorer", "chance", "detection", "disclosure", "exposure", "models"),
    },
}


@pytest.mark.parametrize("rule", sorted(file.stem for file in SCRIPTS.glob("*.py")))
def test_a_rule_watches_no_part_of_the_library_that_it_does_not_use(rule):
    files = code_files(SCRIPTS / f"{rule}.py")
    parts = {file.removeprefix(LIBRARY).split("/")[0] for file in files}
    assert parts - {"__init__.py", "project"} == WATCHED[rule]


def test_a_changed_message_draws_no_figure_again():
    assert not any("/messages/" in file for file in code_files(SCRIPTS / "draw_figures.py"))


def test_imports_for_type_checkers_are_not_followed():
    files = code_files(SCRIPTS / "agreement.py")
    assert LIBRARY + "__init__.py" in files  # it names all public functions for type checkers
    assert not any("/dataframes/" in file for file in files)
