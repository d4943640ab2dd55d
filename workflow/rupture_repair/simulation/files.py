"""Write a simulated dataset into a folder, with its descriptor and its truth."""

import json
from collections.abc import Collection
from dataclasses import asdict
from pathlib import Path

from ..project.problems import ProblemsFound, listing, problem
from .settings import SimulationSettings
from .tables import COVARIATES, FORMS, simulate_dataset

#: Seed of the demo.
DEFAULT_SEED = 2026
#: First line of the descriptor: a folder without it was not written by the simulation.
MARK = "# Synthetic data, written by 'rupture-repair simulate'. Do not edit."
#: Table -> decimals of its fractions.
TABLES = {"sessions": 1, "courses": 1, "events": 1, "truth": 2}
FILES = ("dataset.yaml", *(f"{table}.csv" for table in TABLES), "truth_settings.yaml", "README.md")

_DESCRIPTOR = """{mark}
title: Synthetic demo with planted ruptures and known effects (seed {seed})
synthetic: true
ids: public
source: rupture-repair simulate --seed {seed}, see docs/simulate.md and truth_settings.yaml
licence: CC0-1.0
citation: Synthetic data, no real persons; cite the software, see CITATION.cff.
tables:
  sessions:
    file: sessions.csv
    course: client_id
    therapist: therapist_id
    session: session_no
  courses:
    file: courses.csv
    course: client_id
    ending: ending_reason
    covariates: [{covariates}]
  events:
    file: events.csv
measures:
  alliance:
    label: Alliance, rated by the client
    role: alliance
    instrument: SRS
    rater: client
    timing: end
    items: {srs}
    total: srs_total
  alliance_therapist:
    label: Alliance, rated by the therapist
    role: alliance
    instrument: SRS
    rater: therapist
    timing: end
    outcome: outcome
    items: {srs_t}
    total: srs_t_total
  outcome:
    label: Outcome, rated by the client
    role: outcome
    instrument: ORS
    rater: client
    timing: start
    items: {ors}
    total: ors_total
    cut_off:
      value: 25
      inclusive: false
      source: Miller et al. 2003, Journal of Brief Therapy 2(2), 91-100 (adults, as these are)
missing: ["", NA]
"""

_README = """# Synthetic demo dataset

**Synthetic: no person described here exists.** Written by `rupture-repair simulate` (seed {seed});
the same seed gives the same files, byte for byte. Ruptures, repairs and effects are planted, so
that what an analysis finds can be compared with what is true. The numbers say nothing about
psychotherapy. Licence: CC0-1.0.

| file | one row per | rows |
|---|---|---:|
| sessions.csv | session held | {sessions} |
| courses.csv | course (one client with one therapist) | {courses} |
| events.csv | coded event | {events} |
| truth.csv | planted rupture | {truth} |

- **sessions.csv**: `client_id`, `therapist_id`, `session_no`, and three forms of four items from
  0 to 10 and their total from 0 to 40: `srs_` (alliance, client, end of the session), `srs_t_`
  (alliance, therapist, end) and `ors_` (outcome, client, start). Blank: not rated. A number
  that is left out: the session was not held.
- **courses.csv**: `client_id`, `ending_reason` (completed, dropped_out, ongoing, unknown), and
  `age_group`, `sex`, `diagnosis_group`, `previous_therapy`, none of which has an effect.
- **events.csv**: `course`, `session`, `kind` (rupture, type, cause, repair),
  `code`, `reporter`. Events are missed, miscoded and falsely reported, as in practice.
- **truth.csv**: what was planted. `onset` is the last session before the fall; `depth_points`
  the fall, `depth_rated` the fall as the ends of the scale let it show; `regain` the fraction won
  back; `status` is censored where the course ended before the outcome was known; `observable`
  and the columns ending in `_rated` allow for sessions that were not held or rated.
- **dataset.yaml**: the descriptor. **truth_settings.yaml**: seed and all parameters.
- docs/simulate.md gives the model.
"""


def write_dataset(
    folder: str | Path, *, seed: int = DEFAULT_SEED, settings: SimulationSettings | None = None
) -> Path:
    """Simulate a dataset and write it into a folder, ready for the pipeline.

    Parameters
    ----------
    folder : str or Path
        Made if need be. An earlier simulation in it is replaced.
    seed : int
        Not negative. The same seed and settings give the same files, byte for byte.
    settings : SimulationSettings, optional
        The defaults are those of the demo.

    Returns
    -------
    Path
        The folder, which holds sessions.csv, courses.csv, events.csv, truth.csv (columns as in
        :func:`.tables.simulate_dataset`), dataset.yaml, truth_settings.yaml and README.md.

    Raises
    ------
    ProblemsFound
        E601 if the folder holds anything that this function did not write; E602 for a seed that
        is not possible.
    """
    folder, settings = Path(folder), settings or SimulationSettings()
    refuse_foreign_files(folder, MARK, FILES)
    tables = simulate_dataset(settings, seed=seed)
    texts = {
        "dataset.yaml": _descriptor(seed),
        "truth_settings.yaml": _settings_text(seed, settings),
        "README.md": _README.format(seed=seed, **{name: len(tables[name]) for name in TABLES}),
    }
    texts |= {
        f"{name}.csv": tables[name].to_csv(
            index=False, lineterminator="\n", float_format=f"%.{decimals}f"
        )
        for name, decimals in TABLES.items()
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name in FILES:  # the descriptor, which bears the mark, first
        (folder / name).write_bytes(texts[name].encode())
    return folder


def refuse_foreign_files(folder: Path, mark: str, files: Collection[str]) -> None:
    """Raise unless the folder is absent, empty, or holds what was written here and nothing else.

    Hidden files, such as a file manager leaves behind, do not matter.

    Parameters
    ----------
    folder : Path
    mark : str
        First line of the dataset.yaml of a folder that may be written again.
    files : collection of str
        Names of the files that it may hold.

    Raises
    ------
    ProblemsFound
        E601.
    """
    if folder.exists() and not folder.is_dir():
        raise ProblemsFound([problem("E601", file=folder, found="the place of a file")])
    found = sorted(file.name for file in folder.glob("[!.]*"))
    descriptor = folder / "dataset.yaml"
    ours = descriptor.is_file() and descriptor.read_bytes().startswith(mark.encode() + b"\n")
    foreign = [name for name in found if name not in files] if ours else found
    if foreign:
        raise ProblemsFound([problem("E601", file=folder, found=listing(foreign))])


def _descriptor(seed: int) -> str:
    """Return the text of dataset.yaml."""
    items = {
        form: "{" + ", ".join(f"{item}: {form}_{item}" for item in names) + "}"
        for form, names in FORMS.items()
    }
    return _DESCRIPTOR.format(mark=MARK, seed=seed, covariates=", ".join(COVARIATES), **items)


def _settings_text(seed: int, settings: SimulationSettings) -> str:
    """Return the text of truth_settings.yaml; JSON values are YAML too."""
    lines = [f"{name}: {json.dumps(value)}" for name, value in asdict(settings).items()]
    return "\n".join([MARK, "settings:", *(f"  {line}" for line in lines), f"seed: {seed}", ""])
