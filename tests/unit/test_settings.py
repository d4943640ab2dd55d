import ast
import json
from pathlib import Path

import pytest

from repository import ROOT
from rupture_repair import settings as project
from rupture_repair.project import yaml_files
from rupture_repair.project.datasets import data_files
from rupture_repair.project.problems import ProblemsFound
from rupture_repair.project.setting_groups import (
    ChanceSettings,
    EdgeRules,
    ModelSettings,
    MultiverseSettings,
    ReportSettings,
    Settings,
)


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "data/raw/clinic"
    folder.mkdir(parents=True)
    (folder / "dataset.yaml").write_text(
        "tables: {sessions: {file: a.csv}, courses: {file: b.csv}}"
    )
    (folder / "a.csv").write_text("x\n1\n")
    (tmp_path / "config.yaml").write_text("datasets: [clinic]\n")
    return tmp_path


def texts(root: Path, overrides=None) -> list[str]:
    with pytest.raises(ProblemsFound) as found:
        project.read(overrides, root / "config.yaml")
    return [entry.text for entry in found.value.problems]


def test_settings_are_complete_and_hold_the_criteria_themselves(root):
    settings = project.read(None, root / "config.yaml")
    assert settings.criteria[0]["id"] == "dip"
    assert settings.criteria[0]["repair"]["within"] == 3


def test_settings_come_back_from_plain_data_as_they_were(root):
    settings = project.read(None, root / "config.yaml")
    plain = settings.as_dict()
    assert Settings.from_dict(plain) == settings
    assert Settings.from_dict(json.loads(json.dumps(plain))).multiverse == settings.multiverse
    assert plain["multiverse"]["k_factors"] == [1, 0.8, 1.25]
    assert plain["criteria"][0]["repair"]["within"] == 3


def test_every_key_of_the_schema_is_an_attribute_and_nothing_else_is(root):
    plain = project.read(None, root / "config.yaml").as_dict()
    shipped = yaml_files.complete({}, "config")
    assert plain.keys() == shipped.keys()
    for key, group in shipped.items():
        if isinstance(group, dict):
            assert plain[key].keys() == group.keys(), key
    with pytest.raises(TypeError, match="max_gp"):
        EdgeRules.from_dict({"max_gp": 1})


def test_a_group_is_by_default_as_the_schema_says():
    shipped = yaml_files.complete({}, "config")
    for kind in (EdgeRules, ChanceSettings, ModelSettings, MultiverseSettings, ReportSettings):
        assert project.default(kind).as_dict() == shipped[kind.key]


def test_overrides_of_the_command_line_are_laid_over_and_checked(root):
    settings = project.read({"edge_rules": {"max_gap": 1}}, root / "config.yaml")
    assert settings.edge_rules == EdgeRules(max_gap=1, onset_inside_episode=False)
    assert texts(root, {"edge_rules": {"max_gp": 1}}) == [
        "E103 --config, key edge_rules.max_gp: 'max_gp' is not a known key. Did you mean "
        "'max_gap'? Allowed here: max_gap, onset_inside_episode."
    ]


def test_an_unknown_dataset_is_named_with_the_nearest_one(root):
    assert texts(root, {"datasets": ["clinc"]}) == [
        "E107 config.yaml, key datasets: the dataset 'clinc' has no dataset.yaml in data/raw/ or "
        "workflow/datasets/. Did you mean 'clinic'? Known datasets: clinic."
    ]


@pytest.mark.parametrize(
    ("name", "better"),
    [
        ("My clinic", "My-clinic"),
        ("Étude", "Etude"),
        ("研究", "my-dataset"),
        ("index", "my-index"),
        ("Index", "my-Index"),
        ("clinic-explorer", "clinic_explorer"),
        ("clinic-check", "clinic_check"),
        ("clinic-failed", "clinic_failed"),
    ],
)
def test_names_of_other_letters_or_other_pages_are_refused_with_a_better_one(root, name, better):
    assert texts(root, {"datasets": [name]}) == [
        f"E108 config.yaml, key datasets: '{name}' cannot name a dataset. Rename the folder with "
        f"letters, digits, '-' and '_' only (for example '{better}'), beginning with a letter or "
        "digit: the name becomes part of file names and addresses. 'index' and names that end in "
        "'-check', '-explorer' or '-failed' are those of other pages."
    ]


def test_criteria_and_datasets_are_told_at_once(root):
    found = texts(root, {"datasets": ["x"], "criteria": ["dipp"]})
    assert [text[:4] for text in found] == ["E107", "E401"]


def test_the_default_criterion_must_be_among_the_criteria(root):
    assert texts(root, {"criteria": ["v_1sd"]}) == [
        "E401 config.yaml, key default_criterion: there is no criterion 'dip' in "
        "workflow/rupture_repair/knowledge/criteria.yaml. Allowed: v_1sd."
    ]


def test_best_needs_both_criteria_that_it_chooses_from(root):
    assert texts(root, {"criteria": ["dip", "v_1sd"], "default_criterion": "best"}) == [
        "E401 config.yaml, key default_criterion: there is no criterion 'rupture_probability' in "
        "workflow/rupture_repair/knowledge/criteria.yaml. Allowed: dip, v_1sd."
    ]
    both = {"criteria": ["dip", "rupture_probability"], "default_criterion": "best"}
    assert project.read(both, root / "config.yaml").default_criterion == "best"


def test_files_to_watch_are_those_that_exist(root):
    assert data_files("clinic", None, root) == [Path("data/raw/clinic/a.csv")]
    (root / "data/raw/clinic/dataset.yaml").write_text("tables: [")
    assert data_files("clinic", None, root) == []


def test_the_library_passes_groups_and_no_dictionaries_of_settings():
    """Settings of the project have types; of criteria and other sites they are as files say."""
    library, loose = ROOT / "workflow/rupture_repair", set()
    for file in library.rglob("*.py"):
        place = file.relative_to(library).as_posix()
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.arg):
                name, kind = node.arg, node.annotation
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                name, kind = node.target.id, node.annotation
            else:
                continue
            if name in ("settings", "config", "edge_rules") and "Any" in ast.unparse(kind or node):
                loose.add(place)
    assert {place for place in loose if not place.startswith("dataframes/")} == {
        "detection/criteria.py",
        "exchange/comparable.py",
    }
