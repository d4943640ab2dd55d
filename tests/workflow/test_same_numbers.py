"""The same numbers for everybody: names, order, scale and count of sessions make no difference.

Each test changes how a dataset is written, not what it says, runs the steps from its files to its
claims, and compares every table with that of the dataset as it was.
"""

import io

import numpy as np
import pandas as pd
import pytest
import yaml

from rupture_repair.ingest import pseudonyms
from whole_chain import Chain

#: Steps that write pictures and pages.
PAGES = ("draw_figures", "write_report", "write_index", "write_explorer", "synthesise",
         "write_explorer_library", "write_summary", "write_crate")  # fmt: skip

CRITERIA = ("dip", "v_1sd", "tukey", "shewhart_2", "rupture_probability")

#: Columns of points of the alliance, and those that are turned with it, by table.
POINTS = {
    "session_states": ["reference", "unit", "threshold", "fall"],
    "episodes": ["fall", "level_change"],
    "detection": ["floor"],
    "replicates": ["rating"],
    "certificate": ["typical_depth"],
    "session_probabilities": [
        "rating", "fall", "path", "deviation",
        *(f"{name}_{part}" for name in ("deviation", "rating")
          for part in ("within", "between", "detrended")),
    ],
    "sessions": ["alliance", "alliance__bond", "alliance__tasks"],
}  # fmt: skip
TURNED = {
    "session_states": ["reference"], "replicates": ["rating"],
    "sessions": ["alliance", "alliance__bond", "alliance__tasks"],
}  # fmt: skip

#: Columns of points that are counted from the best rating where lower is better.
FROM_THE_BEST = {"session_probabilities": ["rating", "path", "rating_between"]}

DESCRIPTOR = {
    "title": "Made", "source": "made", "licence": "CC0", "citation": "none", "ids": "public",
    "synthetic": True, "missing": ["", "NA"],
    "tables": {
        "sessions": {"file": "sessions.csv", "course": "course", "session": "session",
                     "therapist": "therapist"},
        "courses": {"file": "courses.csv", "course": "course", "ending": "ending",
                    "covariates": ["age"]},
        "events": {"file": "events.csv"},
    },
    "measures": {
        "alliance": {"rater": "client", "timing": "end", "range": [0, 20], "better": "higher",
                     "items": {"bond": "bond", "tasks": "tasks"},
                     "reliability": {"value": 0.9, "source": "made"}},
        "outcome": {"rater": "client", "timing": "start", "range": [0, 30], "better": "lower",
                    "total": "distress", "reliability": {"value": 0.9, "source": "made"},
                    "cut_off": {"value": 14, "inclusive": True, "source": "made"}},
    },
}  # fmt: skip


def as_made() -> dict[str, pd.DataFrame]:
    """Courses with falls, on a coarse scale: many ties, and some courses that are the same."""
    random = np.random.default_rng(11)
    length = random.integers(3, 11, 44)
    length[:3] = 2
    course = np.repeat(np.arange(44), length)
    session = np.arange(len(course)) - np.repeat(np.cumsum(length) - length, length) + 1
    fall = 3.0 * (random.random(len(course)) < 0.15)
    level = random.normal(7, 1, 44)[course]
    items = [
        np.clip(np.round(level - fall + random.normal(0, 0.8, len(course))), 0, 10)
        for _ in range(2)
    ]
    therapist = random.integers(0, 7, 44)
    worse = random.normal(0, 1.5, len(course)) + random.normal(0, 2, 44)[course] + fall
    distress = np.clip(np.round(18 - 0.6 * session + worse), 0, 30)
    table = pd.DataFrame(
        {
            "course": [f"K{one:02}" for one in course], "session": session,
            "therapist": [f"T{one}" for one in therapist[course]],
            "bond": items[0], "tasks": items[1], "distress": distress,
        }
    )  # fmt: skip
    table.loc[course < 2, ["bond", "tasks", "distress"]] = 8.0  # the same ratings, other endings
    table = table.astype(dict.fromkeys(("bond", "tasks", "distress"), "Int64"))
    table.loc[random.random(len(table)) < 0.04, "distress"] = pd.NA
    ids = [f"K{one:02}" for one in range(44)]
    ending = random.choice(["completed", "dropped_out", "ongoing"], 44)
    ending[:2] = ["completed", "dropped_out"]
    courses = pd.DataFrame({"course": ids, "ending": ending, "age": random.integers(20, 60, 44)})
    events = table.loc[::9, ["course", "session"]].assign(
        kind="cause", code=np.resize(["feeling_judged", "feeling_unheard"], len(table[::9])),
        reporter="observer",
    )  # fmt: skip
    again = events.iloc[:5].assign(code="unclear_rationale")
    return {"sessions": table, "courses": courses, "events": pd.concat([events, again])}


def files(tables: dict[str, pd.DataFrame], descriptor: dict) -> dict[str, str]:
    written = {"dataset.yaml": yaml.safe_dump(descriptor, sort_keys=False)}
    for name, table in tables.items():
        text = io.StringIO()
        table.to_csv(text, index=False, lineterminator="\n")
        written[f"{name}.csv"] = text.getvalue()
    return written


def changed(**changes) -> dict:
    """Return the descriptor with `path__to__key` set."""
    content = yaml.safe_load(yaml.safe_dump(DESCRIPTOR))
    for path, value in changes.items():
        *above, last = path.split("__")
        part = content
        for key in above:
            part = part[key]
        part[last] = value
    return content


def tables_of(folder) -> dict[str, pd.DataFrame]:
    """Return all tables of a dataset, rows in an order that does not hang on theirs."""
    return {path.stem: pd.read_parquet(path) for path in sorted(folder.glob("*.parquet"))}


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    return Chain(tmp_path_factory.mktemp("chain"), *CRITERIA)


@pytest.fixture(scope="module")
def original(chain):
    chain.give(files(as_made(), DESCRIPTOR))
    return tables_of(chain.run(without=PAGES))


def in_one_order(table: pd.DataFrame) -> pd.DataFrame:
    """Sort rows by their texts and whole numbers, then by their other numbers, rounded."""
    keys = table.copy()
    for name, column in keys.items():
        if isinstance(column.dtype, pd.CategoricalDtype):
            keys[name] = table[name] = column.astype("str")
        elif column.dtype.kind == "f":
            keys[name] = column.round(6)
    texts = [name for name in keys if keys[name].dtype.kind != "f"]
    order = keys.sort_values([*texts, *keys.columns.difference(texts)], kind="stable").index
    return table.loc[order].reset_index(drop=True)


def alike_together(tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Give courses with the same ratings one name in the replicates: chance cannot tell them."""
    rows, sessions = tables["replicates"], tables["sessions"].sort_values(["course", "session"])
    parts = []
    for measure, part in rows.groupby("measure", observed=True):
        rated = sessions.dropna(subset=[measure])
        cells = rated["session"].astype("str") + ":" + rated[measure].round(6).astype("str")
        content = cells.groupby(rated["course"].astype("str")).agg(" ".join)
        parts.append(part.assign(course=part["course"].astype("str").map(content)))
    return tables | {"replicates": pd.concat(parts, ignore_index=True)}


def assert_same(one: dict[str, pd.DataFrame], two: dict[str, pd.DataFrame]) -> None:
    assert one.keys() == two.keys()
    one, two = alike_together(one), alike_together(two)
    for name in one:
        first, second = (in_one_order(tables[name]) for tables in (one, two))
        pd.testing.assert_frame_equal(
            first, second, check_dtype=False, rtol=1e-5, atol=1e-7, obj=name
        )


def without_therapists(tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Leave out the id of the therapist without whom the influence on a model is seen."""
    rows = tables["diagnostics"]
    part = rows["part"].str.replace("therapist .*", "therapist", regex=True)
    return tables | {"diagnostics": rows.assign(part=part)}


def without_level(tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Leave out the constant of the one model that has the level of the alliance as a covariate."""
    rows = tables["estimates"]
    return tables | {"estimates": rows[(rows["model"] != "final") | (rows["term"] != "Intercept")]}


def without_points(tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Leave out the points of what is measured by the alliance: its growth, and its slopes."""
    interval = ["estimate", "std_error", "ci_low", "ci_high"]
    rows = tables["estimates"].copy()
    of_alliance = rows["model"].isin(["growth", "moderation"])
    rows.loc[of_alliance | rows["term"].isin(["mean_alliance"]), interval] = np.nan
    rows.loc[of_alliance, [*rows.filter(like="var_")]] = np.nan
    # The restricted likelihood holds the size of the covariates.
    likelihood = ["loglik", "aic", "bic"]
    rows.loc[of_alliance | (rows["model"] == "final"), likelihood] = np.nan
    return tables | {
        "estimates": rows,
        "claims": tables["claims"].drop(columns=interval),
        "components": tables["components"].drop(columns="sd_within"),
    }


def test_other_ids_and_another_key_of_their_codes_change_no_number(chain, original):
    chain.give(files(as_made(), changed(ids="hashed", synthetic=False)))
    found = tables_of(chain.run(without=PAGES))
    secret = pseudonyms.key(chain.folder / "data/raw/made")
    for kind, tables in {"course": original, "therapist": original}.items():
        ids = set().union(*(table[kind].dropna() for table in tables.values() if kind in table))
        back = {pseudonyms.code(secret, kind, one): one for one in ids}
        for table in found.values():
            for column in {kind, "client" if kind == "course" else kind} & set(table):
                table[column] = table[column].astype("str").map(back)
    assert_same(*(without_therapists(tables) for tables in (original, found)))


def test_the_order_of_rows_and_columns_and_the_first_session_change_no_number(chain, original):
    random = np.random.default_rng(5)
    tables = as_made()
    for name in ("sessions", "events"):
        tables[name] = tables[name].assign(session=tables[name]["session"] - 1)
    shuffled = {
        name: table.iloc[random.permutation(len(table)), random.permutation(table.shape[1])]
        for name, table in tables.items()
    }
    chain.give(files(shuffled, changed(tables__sessions__first_session=0)))
    assert_same(original, tables_of(chain.run(without=PAGES)))


def test_a_mirrored_scale_changes_no_number(chain, original):
    tables = as_made()
    for item in ("bond", "tasks"):
        tables["sessions"][item] = 10 - tables["sessions"][item]
    chain.give(files(tables, changed(measures__alliance__better="lower")))
    found = tables_of(chain.run(without=PAGES))
    for name, columns in TURNED.items():
        for column in columns:
            top = 10 if "__" in column else 20
            found[name][column] = top - found[name][column]
    for name, columns in FROM_THE_BEST.items():
        found[name][columns] += 20
    assert_same(*(without_level(tables) for tables in (original, found)))


def test_ten_times_the_points_change_no_number_without_points(chain, original):
    tables = as_made()
    for item in ("bond", "tasks"):
        tables["sessions"][item] *= 10
    chain.give(files(tables, changed(measures__alliance__range=[0, 200])))
    found = tables_of(chain.run(without=PAGES))
    for name, columns in POINTS.items():
        found[name][columns] /= 10
    assert_same(*(without_points(tables) for tables in (original, found)))
