"""Three studies whose single courses may not be shown, and what their pages say of them."""

import shutil
from pathlib import Path
from typing import Any
from unittest.mock import patch

from published import Reader
from rupture_repair.figures import style
from rupture_repair.simulation.files import write_dataset
from rupture_repair.simulation.settings import SimulationSettings
from whole_chain import Chain

#: The smallest count that may be shown.
LEAST = 5

#: Of differing shape: many therapists; short courses of few; long ones with few ruptures.
STUDIES = {
    "clinic": SimulationSettings(n_courses=56, n_therapists=9, max_sessions=16),
    "small": SimulationSettings(
        n_courses=26, n_therapists=3, max_sessions=9, median_sessions=6, skipped=0.15
    ),
    "long": SimulationSettings(n_courses=38, n_therapists=6, max_sessions=26, rupture_rate=0.03),
}

#: Without those whose k is solved for the dataset, and the slow ones.
CRITERIA = ("v_1sd", "v_2sd", "shewhart_2", "shewhart_3", "reported")

_SETTINGS = """\
datasets: [{datasets}]
criteria: [{criteria}]
default_criterion: v_1sd
chance: {{replicates: 3, null_models: [shuffle], planted_falls: {{depths: [2], courses: 20}},
  certificate: {{courses: 20, particles: 5}}}}
multiverse: {{permutations: 0, most: 4, minimum_sessions: [3], criteria: [v_1sd, v_2sd]}}
models: {{failed_fit: listed}}
report: {{individuals: {individuals}, min_cell: {least}, formats: [html]}}
"""

#: What is done again when more or less may be shown.
SHOWING = ("disclose", "synthesise", "draw_figures", "write_report", "write_explorer",
           "write_summary", "write_index")  # fmt: skip


def settings(individuals: str) -> str:
    """The text of config.yaml."""
    return _SETTINGS.format(
        datasets=", ".join(STUDIES), criteria=", ".join(CRITERIA), least=LEAST,
        individuals=individuals,
    )  # fmt: skip


def _unpainted(_: Any, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()


def published(folder: Path) -> dict[str, tuple[Reader, Reader]]:
    """Make the studies and their pages; return what is read in them, as shown and as it is.

    Parameters
    ----------
    folder : Path
        Must not exist.
    """
    chain = Chain(folder, settings=settings("never"))
    for seed, (name, study) in enumerate(STUDIES.items(), 1):
        write_dataset(folder / "data/raw" / name, seed=seed, settings=study)
    with patch.object(style, "save_as", _unpainted):  # only numbers are read
        chain.run()
        shutil.move(folder / "reports", folder / "shown")
        chain.configure(settings("allowed"))
        chain.run(only=SHOWING)
    return {
        name: (Reader(folder / "shown", name, place), Reader(folder / "reports", name, place))
        for place, name in enumerate(STUDIES)
    }
