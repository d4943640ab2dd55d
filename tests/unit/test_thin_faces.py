"""What is loaded: nothing heavy by the package, by --version, --help and usage errors."""

import subprocess
import sys

import pytest

import rupture_repair
from rupture_repair import cli

#: Packages that take long to load, or that only some users have.
HEAVY = ["altair", "formulae", "jinja2", "jsonschema", "matplotlib", "numpy", "pandas", "pingouin",
         "pyarrow", "scipy", "snakemake", "statsmodels", "yaml"]  # fmt: skip

USAGE_ERRORS = [
    [],
    ["episode"],
    ["fit"],
    ["fit", "--famly", "binomial"],
    ["check", "--format", "x"],
]

HELP = [["--version"], ["--help"], *([name, "--help"] for name in cli.COMMANDS)]


def loaded(code: str) -> tuple[set[str], subprocess.CompletedProcess[str]]:
    """Run Python in a fresh process; return the top-level modules that it loaded, and its end."""
    report = "print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)"
    whole = f"import sys\ntry:\n    {code}\nfinally:\n    {report}"
    done = subprocess.run(
        [sys.executable, "-c", whole], capture_output=True, text=True, check=False
    )
    return set(done.stderr.strip().splitlines()[-1].split()), done


def of_command(arguments: list[str]) -> tuple[set[str], subprocess.CompletedProcess[str]]:
    return loaded(f"from rupture_repair import cli; sys.exit(cli.main({arguments!r}))")


def test_the_package_loads_nothing_but_itself():
    bare, _ = loaded("pass")
    found, done = loaded("import rupture_repair; dir(rupture_repair); rupture_repair.__version__")
    assert done.returncode == 0
    assert found - bare <= {"rupture_repair", "importlib", "typing", *sys.stdlib_module_names}
    assert found.isdisjoint(HEAVY)


@pytest.mark.parametrize("arguments", HELP, ids=" ".join)
def test_help_loads_nothing_heavy(arguments):
    found, done = of_command(arguments)
    assert done.returncode == 0
    assert done.stdout
    assert "rupture_repair" in found
    assert found.isdisjoint(HEAVY)


@pytest.mark.parametrize("arguments", USAGE_ERRORS, ids=lambda words: " ".join(words) or "none")
def test_usage_errors_load_nothing_heavy(arguments):
    found, done = of_command(arguments)
    assert done.returncode == 2
    assert "usage: rupture-repair" in done.stderr
    assert found.isdisjoint(HEAVY)


def test_one_that_loads_something_heavy_is_noticed():
    found, _ = loaded("import rupture_repair; rupture_repair.find_episodes")
    assert {"numpy", "pandas"} <= found


def test_every_public_name_is_there_and_listed():
    for name in rupture_repair.__all__:
        assert getattr(rupture_repair, name) is not None
    assert set(rupture_repair.__all__) <= set(dir(rupture_repair))
    assert callable(rupture_repair.lmm.fit)
    with pytest.raises(AttributeError, match="has no attribute 'find_ruptures'"):
        _ = rupture_repair.find_ruptures


def test_every_public_function_says_where_it_is_and_what_it_returns():
    names = [name for name in rupture_repair.__all__ if name[0].islower() and name != "lmm"]
    assert len(names) == 5
    for name in names:
        text = getattr(rupture_repair, name).__doc__
        for section in ("Parameters", "Returns", "Raises", "Examples"):
            assert f"\n    {section}\n    ---" in text, f"{name}: no section {section}"
        assert "shape" in text or name == "simulate"
