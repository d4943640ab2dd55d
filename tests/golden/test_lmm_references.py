"""The project's own mixed models against lme4, lmerTest and nlme (see tests/reference/README.md)."""

import os
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rupture_repair import lmm
from rupture_repair.problems import ProblemsFound

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "tests/reference"
MIRROR = Path(os.environ.get("RUPTURE_REPAIR_MIRROR", ROOT.parent / "shared/data"))
KEYS = ["case", "formula", "method", "reml"]
SESSIONS = {"reisby": "week", "couples": "day"}

sys.path.insert(0, str(REFERENCE))
from quasi_random import checksums, large_courses  # noqa: E402


def _mirrored(name: str) -> pd.DataFrame:
    path = MIRROR / name
    if not path.exists():
        if os.environ.get("CI"):
            pytest.fail(f"{path.name} must not be absent in CI")
        pytest.skip(f"{path.name} of the public datasets is not here")
    return pd.read_csv(path)


def _demo() -> pd.DataFrame:
    folder = ROOT / "data/raw/demo"
    sessions, courses = (pd.read_csv(folder / f"{name}.csv") for name in ("sessions", "courses"))
    table = sessions.merge(courses, on="client_id")
    return table.assign(woman=(table["sex"] == "female").astype(float))


def _couples() -> pd.DataFrame:
    table = _mirrored("dyad_couples_diary/sample1.csv")
    return table.assign(day=table["DIARYDAY"] - 17).rename(columns=lambda name: name.rstrip("."))


def _panss() -> pd.DataFrame:
    wide = _mirrored("schizo_panss_investigators/Schizo_PANSS.csv")
    weeks = [1, 2, 4, 6, 8]
    ids = ["Id", "InvestId", "Treat"]
    table = wide.melt(ids, [f"Week{week}" for week in weeks], "week", "change")
    return table.assign(week=table["week"].str[4:].astype(int)).dropna(subset="change")


REAL = {
    "demo": _demo,
    "couples": _couples,
    "panss": _panss,
    "reisby": lambda: _mirrored("reisby_hamd/riesby.csv"),
    "large": large_courses,
}


def _results(*scripts: str) -> dict:
    tables = [pd.read_csv(REFERENCE / f"{s}_results.csv").assign(script=s) for s in scripts]
    table = pd.concat(tables, ignore_index=True)
    table = table[table["method"] != "data"]
    return dict(list(table.groupby(["script", *KEYS], sort=False)))


EVERY = _results("nested", "linear", "autoregressive", "real", "large")
PROFILED = {
    key: part
    for key, part in EVERY.items()
    if part["name"].str.startswith("profile:").any()
}
COMPARED = {
    key: part for key, part in EVERY.items() if part["name"].str.startswith("lrt:").any()
}
WITHOUT_LEVEL = {key: part for key, part in EVERY.items() if "|" not in key[2]}
FITTED = {key: part for key, part in EVERY.items() if key not in WITHOUT_LEVEL}
_KEPT: dict = {}


def _table(script: str, case: str) -> pd.DataFrame:
    return REAL[case]() if case in REAL else pd.read_csv(REFERENCE / f"{script}_{case}.csv")


def _fitted(script: str, case: str, formula: str, reml: bool, method: str = "lmer") -> lmm.Fit:
    key = (script, case, formula, reml)
    if key not in _KEPT:
        ar1 = SESSIONS.get(case, "session") if script == "autoregressive" else None
        weights = "weight" if "weights" in method else None
        text = formula.replace("_Con.", "_Con")
        _KEPT[key] = lmm.fit(text, _table(script, case), reml=reml, ar1=ar1, weights=weights)
    return _KEPT[key]


def _named(found: lmm.Fit) -> dict[str, float]:
    """Return what a fit holds under the names of the reference tables."""

    def of_r(name: str) -> str:
        return "(Intercept)" if name == "Intercept" else name

    terms = found.terms.assign(term=[of_r(name) for name in found.terms["term"]]).set_index("term")
    result = dict(terms["estimate"])
    for prefix, column in (("se", "std_error"), ("df", "df"), ("t", "statistic"), ("p", "p")):
        result |= {f"{prefix}:{term}": value for term, value in terms[column].items()}
    for group, name, other, value, _ in found.variances.itertuples(index=False):
        if group == "residual":
            result["residual"] = value
        else:
            first, second = of_r(name), of_r(name if pd.isna(other) else other)
            result[f"cov:{group}:{first}:{second}"] = value
            result[f"cov:{group}:{second}:{first}"] = value
    numbers = found.statistics
    names = {"loglik": "loglik", "aic": "aic", "bic": "bic", "n_rows": "n"}
    names |= {"r2_marginal": "r2:marginal", "r2_conditional": "r2:conditional", "rho": "rho"}
    names |= {f"n_{level.factor}": f"n:{level.factor}" for level in found.design.levels}
    result |= {new: numbers[old] for old, new in names.items() if old in numbers}
    result |= {"deviance": numbers["deviance"], "remlcrit": numbers["deviance"]}
    return result | {"singular": float(found.singular)}


def _effects(found: lmm.Fit) -> dict[str, float]:
    table = found.random_effects()
    name = table["name"].replace("Intercept", "(Intercept)")
    place = table["group"] + ":" + table["unit"] + ":" + name
    return dict(zip("ranef:" + place, table["estimate"], strict=True)) | dict(
        zip("condsd:" + place, table["std_error"], strict=True)
    )


def _distance(name: str, value: float, found: dict[str, float], expected: pd.Series) -> float:
    """Return by how much a value misses, as a share of what it is measured in."""
    scale = abs(value)
    if f"se:{name}" in expected:
        scale = max(scale, expected[f"se:{name}"])
    if name.startswith("cov:"):
        _, group, first, second = name.split(":", 3) if name.count(":") == 3 else name.split(":")
        own = [expected.get(f"cov:{group}:{one}:{one}", 0.0) for one in (first, second)]
        # A variance of less than a millionth of the residual one is no different from zero.
        scale = max(scale, np.sqrt(own[0] * own[1]), 1e-6 * expected["residual"])
    return abs(found[name] - value) / scale if scale else abs(found[name])


KINDS = {"se": 1e-5, "t": 1e-4, "df": 1e-4, "cov": 1e-4, "r2": 1e-5, "n": 0.0}
NUMBERS = {"residual": 1e-5, "rho": 1e-4, "aic": 1e-5, "bic": 1e-5, "deviance": 1e-5}
NUMBERS |= {"remlcrit": 1e-5, "n": 0.0, "singular": 0.0}


def _tolerance(name: str) -> float:
    return NUMBERS.get(name, KINDS.get(name.split(":")[0], 1e-5))


