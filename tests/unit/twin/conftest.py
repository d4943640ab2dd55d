"""A small study that was built, and settings by which its twin is made in seconds."""

import pytest

from rupture_repair import settings as configuration
from rupture_repair.claims import estimands
from rupture_repair.detection import criteria, detect
from rupture_repair.ingest import ingest
from rupture_repair.power.plan import Base
from rupture_repair.simulation.files import write_dataset
from rupture_repair.simulation.settings import SimulationSettings
from rupture_repair.twin import choice, fidelity, fit, make, matching, privacy

CONFIG = "datasets: [demo]\ncriteria: [v_1sd]\ndefault_criterion: v_1sd\n"


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """A project with a study of 48 courses, as far as a twin needs it."""
    root = tmp_path_factory.mktemp("built")
    (root / "config.yaml").write_text(CONFIG, encoding="utf-8")
    world = SimulationSettings(n_courses=48, n_therapists=6, max_sessions=12, median_sessions=9)
    folder = write_dataset(root / "data/raw/demo", seed=3, settings=world)
    text = (folder / "dataset.yaml").read_text(encoding="utf-8")
    (folder / "dataset.yaml").write_text(text.replace("synthetic: true", "synthetic: false"))
    write_results(root, "demo")
    return root


def write_results(root, name):
    """Write what a twin needs of the results of a dataset."""
    settings = configuration.read(file=root / "config.yaml")
    dataset = ingest.ingest(name, root / "data/raw" / name)
    dataset.about["descriptor"] = f"data/raw/{name}/dataset.yaml"
    folder = root / "data/processed" / name
    ingest.write(dataset, folder)
    rules = criteria.from_dicts(settings.criteria)
    found = detect.detect(dataset.sessions, dataset.measures, rules, settings.edge_rules,
                          dataset=name)  # fmt: skip
    detect.write(found, folder)


@pytest.fixture
def quick(monkeypatch):
    """Few steps and versions, and few of all else that takes long."""
    known = {"max_sessions": 12, "median_sessions": 9.0}
    monkeypatch.setattr(fit, "fitted", lambda *given, **named: Base(known, "as simulated"))
    for module, name, value in (
        (matching, "STEPS", 1), (matching, "STUDIES", 1), (choice, "VERSIONS", 3),
        (choice, "_TRIALS", 1), (make, "ATTACKED", 1), (make, "_COURSES", 48),
        (fidelity, "_chance", lambda *given: 10.0), (fidelity, "_GROUPS", 2),
        (estimands, "DRAWS", 20),
        # Of so few courses attacks succeed by chance.
        (privacy, "MOST_AUC", 1.0), (privacy, "MOST_GAIN", 1.0),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, value)
