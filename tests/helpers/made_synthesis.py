"""Estimates of made-up datasets, pooled."""

import numpy as np
import pandas as pd

from made_measures import made_measures
from rupture_repair import synthesise
from rupture_repair.models.definitions import MODELS, PROBABLE_CRITERION

MEASURES = made_measures(
    bond_t={"rater": "therapist"},
    bond={"rater": "client"},
    mood={"role": "outcome", "rater": "client"},
)


def estimates(name, value, error=0.2, measure="bond", message="", status="converged"):
    """The table of estimates of a dataset; standardised values are a tenth of these."""
    rows = []
    for model, terms in (
        ("next_session", ("repaired_within", "open_within")),
        ("final", ("n_repaired", "n_unrepaired")),
    ):
        if status != "converged":
            terms = (None,)
        for term in terms:
            rows.append(
                {
                    "dataset": name, "measure": measure, "outcome": "mood", "criterion": "dip",
                    "model": model, "variant": MODELS[model].rests_on, "term": term,
                    "estimate": value if term else np.nan, "std_error": error if term else np.nan,
                    "standardised": value / 10 if term else np.nan, "status": status,
                    "message": message, "n_sessions": 100, "n_courses": 20, "var_residual": 4.0,
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


def by_probability(name, value, error=0.2):
    """The rows of an open rupture by probabilities, total and direct; the residual SD is 2."""
    own = estimates(name, value, error).query("term == 'open_within'")
    parts = [own.assign(variant=variant, criterion=PROBABLE_CRITERION)
             for variant in MODELS["next_session"].probable]  # fmt: skip
    return pd.concat(parts)


def pooled(*tables, synthetic=(), same_scores="left_out", claims=None):
    table = pd.concat(tables, ignore_index=True)
    facts = {
        name: {"synthetic": name in synthetic, "measures": MEASURES}
        for name in table["dataset"].unique()
    }
    found = synthesise.studies(table, facts, claims=claims, same_scores=same_scores)
    return synthesise.synthesise(found)


def claims(name, standardised, error=0.05):
    rows = [
        ("C6", "supported", standardised, error, "an estimate"),
        ("C7", "supported", 9.0, 0.1, "comes from the estimates"),
        ("C3", "undecided", np.nan, np.nan, "a share has no standardised effect"),
    ]
    columns = ["claim", "verdict", "standardised", "standardised_error", "reason"]
    table = pd.DataFrame(rows, columns=columns)
    return table.assign(
        dataset=name,
        measure="bond",
        outcome="mood",
        criterion="dip",
        part="outcome",
        note=None,
        estimate=1.0,
        std_error=1.0,
        n_courses=20,
        n_sessions=pd.NA,
    )
