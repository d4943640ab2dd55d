"""What the report says of the best that could be found, and of the share of each criterion."""

from dataclasses import replace

import pandas as pd

from bundles import material_of
from made_reports import ABOUT, flat, section
from made_tables import tables
from rupture_repair.report.dataset_page import dataset_report


def test_what_could_be_found_at_all_is_said_with_the_share_of_each_criterion():
    made = material_of(tables())
    measure, criterion = made.shown
    row = {"measure": measure, "depth": "all", "false_alarm": 0.05, "sensitivity": 0.46,
           "best": 0.46, "efficiency": 1.0, "efficiency_error": 0.0, "smallest": 3.9, "rate": 0.06,
           "typical_depth": 5.2, "repaired": 0.6, "status": "assessed", "reason": None}  # fmt: skip
    worse = {"criterion": criterion, "sensitivity": 0.345, "efficiency": 0.75}
    both = [row | {"criterion": "best_possible"}, row | worse | {"efficiency_error": 0.03}]
    classes = ["all", "under 1.5", "1.5 to 2.5", "2.5 to 4", "4 and more"]
    table = pd.DataFrame([one | {"depth": depth} for one in both for depth in classes])
    said = section(dataset_report(replace(made, certificate=table), ABOUT), "certificate")
    assert "It finds 46 % of the simulated ruptures" in flat(said).replace("\\", "").replace(
        "\u00a0", " "
    )
    assert "That is 75 % of what is possible" in flat(said).replace("\\", "").replace("\u00a0", " ")
    assert "Best possible" in said
    why = {**row, "criterion": "best_possible", "status": "not_assessable", "reason": "too few"}
    none = replace(made, certificate=pd.DataFrame([why]))
    refused = section(dataset_report(none, ABOUT), "certificate")
    assert "could not be computed" in refused
    assert "too few" in refused
    assert "{#certificate}" not in dataset_report(made, ABOUT)
