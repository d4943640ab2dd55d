import contextlib
from pathlib import Path

import pytest

from repository import ROOT
from rupture_repair.project import yaml_files
from rupture_repair.project.messages.catalogue import CATALOGUE
from rupture_repair.project.package_files import KNOWLEDGE
from rupture_repair.project.problems import ProblemsFound, did_you_mean, listing, problem


def texts(text: str, folder: Path, name: str = "config") -> list[str]:
    path = folder / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ProblemsFound) as found:
        yaml_files.read(path, name, f"{name}.yaml")
    return [entry.text for entry in found.value.problems]


def test_an_empty_config_is_the_default_config(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("")
    content = yaml_files.read(path, "config")
    assert content["datasets"] == ["demo"]
    assert content["edge_rules"] == {"max_gap": 2, "onset_inside_episode": False}
    assert content["models"]["exposure"]["open"] == ["ruptured", "after_unrepaired"]


def test_all_problems_are_told_at_once_with_line_key_and_nearest_word(tmp_path):
    text = "datasts: [demo]\nmodels:\n  engine: statmodels\nedge_rules: {max_gap: 0}\n"
    assert texts(text, tmp_path) == [
        "E103 config.yaml, line 1, key datasts: 'datasts' is not a known key. Did you mean "
        "'datasets'? Allowed here: datasets, mirror, criteria, default_criterion, "
        "settings_of_criteria, edge_rules, seed, monte_carlo_courses, hidden_markov, chance, "
        "models, claims, synthesis, multiverse, report.",
        "E105 config.yaml, line 3, key models.engine: 'statmodels' is not allowed. Did you mean "
        "'statsmodels'? Allowed: blocks, statsmodels.",
        "E105 config.yaml, line 4, key edge_rules.max_gap: '0' is not allowed. Allowed: a whole "
        "number, at least 1.",
    ]


NUMBER = (
    "E102 config.yaml, line 1: this is not valid YAML: here is a number {}; a code of many digits "
    "is written in quotes. "
)


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        ("9" * 5000, "of more than 15 digits"),
        ("-" + "9" * 17, "of more than 15 digits"),
        ("0x" + "f" * 4000, "of more than 15 digits"),
        ("0b" + "1" * 60, "of more than 15 digits"),
        ("1:" + "59:" * 40 + "0", "of more than 15 digits"),
        (".inf", "that is not finite"),
        ("-.inf", "that is not finite"),
        (".nan", "that is not finite"),
        ("1." + "0" * 5000 + "e+999", "that is not finite"),
    ],
)
def test_numbers_that_nobody_can_count_with_are_refused(tmp_path, number, kind):
    found = texts(f"seed: {number}\n", tmp_path)
    assert len(found) == 1
    assert found[0].startswith(NUMBER.format(kind))


def test_the_largest_exact_number_is_read(tmp_path):
    assert yaml_files.value(str(2**53)) == 2**53
    with pytest.raises(ValueError, match="more than 15 digits"):
        yaml_files.value(str(2**53 + 1))


@pytest.mark.parametrize(
    "number", [10**5000, -(2**60), float("inf"), float("nan")], ids=["huge", "low", "inf", "nan"]
)
def test_such_numbers_are_refused_from_the_command_line_as_well(number):
    """Snakemake has read them already."""
    found = yaml_files.check(
        {"seed": 1, "chance": {"replicates": [1, number]}}, "config", "--config"
    )
    assert [one.text for one in found] == [
        "E105 --config, key chance.replicates.1: a number that is not finite or has more than 15 "
        "digits is not allowed. Allowed: numbers up to 9,007,199,254,740,992."
    ]


@pytest.mark.parametrize(
    "text",
    ["<<: {seed: 3}\n", "chance: {<<: {false_alarm: 0.5}}\n", "<<: [{seed: 3}, {seed: 4}]\n"],
)
def test_merge_keys_are_refused(tmp_path, text):
    assert texts(text, tmp_path)[0].startswith(
        "E102 config.yaml, line 1: this is not valid YAML: merge keys (<<) are not used here."
    )


@pytest.mark.parametrize(
    "value",
    ["!!set {a, b}", "!!omap [a: 1]", "!!binary aGk=", "2020-01-01", "2020-13-45", "!!int x",
     "!!float x", "!!bool x", "!!null x", "!!timestamp x", "1:30", "1_000", "!!str 5", "[[[[]]]]",
     "{a: {b: {c: 1}}}", '"\\uD800"', "=", "? x", "-", "|", "0o17", "0x", "1e999"],
)  # fmt: skip
@pytest.mark.parametrize("key", ["seed", "datasets", "criteria", "chance", "mirror", "models"])
def test_a_strange_value_is_read_or_refused_in_words(tmp_path, key, value):
    path = tmp_path / "config.yaml"
    path.write_text(f"{key}: {value}\n", encoding="utf-8")
    with contextlib.suppress(ProblemsFound):
        yaml_files.read(path, "config", "config.yaml")


def test_a_renamed_key_names_the_new_one(tmp_path, monkeypatch):
    monkeypatch.setitem(yaml_files.RENAMED, "config", {"criterion": "default_criterion"})
    assert texts("criterion: dip\n", tmp_path) == [
        "E106 config.yaml, line 1, key criterion: 'criterion' was renamed. "
        "Write 'default_criterion' instead."
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "a: [1\n",
            "E102 config.yaml, line 2: this is not valid YAML: expected ',' or ']', but got "
            "'<stream end>'. Correct the line; indent with spaces and put text with ': ' or '#' in "
            "quotes.",
        ),
        (
            "mirror: x\nmirror: y\n",
            "E109 config.yaml, line 2, key mirror: the key 'mirror' is written twice. Keep one of "
            "the two; the second would silently win.",
        ),
        (
            "mirror: &a x\n",
            "E102 config.yaml, line 1: this is not valid YAML: anchors and aliases (& and *) are "
            "not used here. Correct the line; indent with spaces and put text with ': ' or '#' in "
            "quotes.",
        ),
        (
            "? [a, b]\n: 1\n",
            "E102 config.yaml, line 1: this is not valid YAML: a key must be a word, not a list "
            "or a group. Correct the line; indent with spaces and put text with ': ' or '#' in "
            "quotes.",
        ),
        ("- 1\n", "E105 config.yaml: '[1]' is not allowed. Allowed: a group of keys."),
        (
            "mirror: !!python/object/apply:os.system [ls]\n",
            "E102 config.yaml, line 1: this is not valid YAML: could not determine a constructor "
            "for the tag 'tag:yaml.org,2002:python/object/apply:os.system'. Correct the line; "
            "indent with spaces and put text with ': ' or '#' in quotes.",
        ),
    ],
)
def test_faulty_yaml_is_told_in_words(text, expected, tmp_path):
    assert texts(text, tmp_path) == [expected]


def test_deep_nesting_is_refused_without_a_traceback(tmp_path):
    found = texts("a: " + "[" * 3000 + "]" * 3000, tmp_path)
    assert len(found) == 1
    assert found[0].startswith("E102 config.yaml")


def test_a_missing_and_an_unreadable_file(tmp_path):
    with pytest.raises(ProblemsFound, match=r"E101 .*nowhere\.yaml: the file does not exist"):
        yaml_files.read(tmp_path / "nowhere.yaml", "config")
    (tmp_path / "config.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ProblemsFound, match="it is not a UTF-8 text"):
        yaml_files.read(tmp_path / "config.yaml", "config")


def test_a_missing_required_key_is_described(tmp_path):
    text = "x: {name: a, rule: b, reference: previous, unit: raw, repair: {regain: 1, within: 3}}\n"
    assert texts(text, tmp_path, "criteria") == [
        "E104 criteria.yaml, line 1, key x: the required key 'k' is missing. Add it: How many "
        "units a rating must fall; for rupture_probability the probability to reach; calibrated "
        "for the smallest k at which rupture-free courses of the dataset rarely show an episode "
        "(chance.false_alarm in config.yaml).",
        "E104 criteria.yaml, line 1, key x: the required key 'source' is missing. Add it: Where "
        "the rule comes from.",
        "E104 criteria.yaml, line 1, key x: the required key 'standing' is missing. Add it: How "
        "sure it is that the source states this very rule.",
    ]


def test_the_config_as_shipped_states_every_key_with_its_default():
    shipped = yaml_files.read(ROOT / "config.yaml", "config")
    assert shipped == yaml_files.complete({}, "config")
    text = (ROOT / "config.yaml").read_text(encoding="utf-8")
    missing = [key for key in yaml_files.schema("config")["properties"] if f"\n{key}:" not in text]
    assert missing == []


def keys_without_description(part, schema, where=""):
    for key, below in part.get("properties", {}).items():
        below = yaml_files.resolved(below, schema)
        if "description" not in below:
            yield f"{where}.{key}"
        yield from keys_without_description(below, schema, f"{where}.{key}")


@pytest.mark.parametrize(
    "name", sorted(path.name.split(".")[0] for path in (KNOWLEDGE / "schemas").iterdir())
)
def test_every_schema_is_strict_and_describes_each_key(name):
    schema = yaml_files.schema(name)
    parts = [schema, *schema.get("$defs", {}).values()]
    assert [key for part in parts for key in keys_without_description(part, schema)] == []
    for part in parts:
        if "properties" in part:
            assert part.get("additionalProperties") is False


def test_place_and_count_of_a_problem():
    entry = problem("E101", file="a.csv", row=41, column="srs1", more=3)
    assert entry.text == (
        "E101 a.csv, row 41, column srs1: the file does not exist. "
        "Create it, or correct the path. (and 3 more)"
    )


def test_a_problem_without_its_facts_is_our_mistake():
    with pytest.raises(KeyError):
        problem("E103", found="x")


def test_catalogue_ends_its_sentences_and_has_remedies():
    for code, entry in CATALOGUE.items():
        assert entry.remedy.strip(), code
        assert "\n" not in entry.text + entry.remedy, code


def test_hints():
    assert did_you_mean("sesions", ["sessions", "courses"]) == " Did you mean 'sessions'?"
    assert did_you_mean("xyz", ["sessions"]) == ""
    assert listing("abc", most=2) == "a, b, … (3 in all)"
    assert listing([]) == "(none)"
