"""The record of a run: which step read and wrote what, with which versions and settings.

Written as Workflow Run RO-Crate, profile Provenance Run Crate 0.5
(https://w3id.org/ro/wfrun/provenance/0.5), of which the folder reports/ is the crate. Tables and
raw files lie outside of it and are named, not contained.
"""

import json
import mimetypes
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from ..disclosure.limits import individuals_shown
from ..project import manifest
from ..project.optional_parts import optional
from ..project.package_files import PACKAGE, WORKFLOW
from ..project.setting_groups import Settings
from .provenance import provenance

RO_CRATE = "https://w3id.org/ro/crate/1.1"

#: What the crate conforms to.
PROFILES = (
    ("https://w3id.org/ro/wfrun/process/0.5", "Process Run Crate", "0.5"),
    ("https://w3id.org/ro/wfrun/workflow/0.5", "Workflow Run Crate", "0.5"),
    ("https://w3id.org/ro/wfrun/provenance/0.5", "Provenance Run Crate", "0.5"),
    ("https://w3id.org/workflowhub/workflow-ro-crate/1.0", "Workflow RO-Crate", "1.0"),
)

#: Where the rules are copied to, so that the record holds them.
RULES = "workflow"

WORKFLOW_PROFILE = "https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE"
FORMAL_PARAMETER = "https://bioschemas.org/profiles/FormalParameter/1.0-RELEASE"

#: Terms that the vocabulary of RO-Crate lacks, from that of its profile for runs.
TERMS = {"sha256": "https://w3id.org/ro/terms/workflow-run#sha256"}

#: Settings that are no choice of the analysis; `mirror` is a place on one machine.
NOT_RECORDED = ("mirror",)


@dataclass(frozen=True)
class Step:
    """One step of a run.

    Attributes
    ----------
    name, dataset : str
    inputs : tuple of str
        What it read, without code.
    outputs : mapping of str to str
        What it wrote, path -> SHA-256.
    """

    name: str
    dataset: str
    inputs: tuple[str, ...]
    outputs: Mapping[str, str]


def public_name(path: str, mirror: str | None) -> str:
    """Return how a file is named in the record, which no path of a machine enters.

    Parameters
    ----------
    path : str
        As a step named it.
    mirror : str or None
        The folder of public data; below it all folders are named, outside of it none.

    Examples
    --------
    >>> public_name("data/raw/demo/sessions.csv", None), public_name("/jane/a.csv", None)
    ('data/raw/demo/sessions.csv', 'elsewhere/a.csv')
    >>> public_name("/mnt/public/diary/a.csv", "/mnt/public")
    'elsewhere/diary/a.csv'
    """
    file = Path(path)
    if mirror is not None and file.is_relative_to(mirror):
        return Path("elsewhere", file.relative_to(mirror)).as_posix()
    if file.is_absolute() and file.is_relative_to(WORKFLOW):
        return file.relative_to(WORKFLOW).as_posix()
    if file.is_absolute() or ".." in file.parts:
        return Path("elsewhere", file.name).as_posix()
    return file.as_posix()


def _is_code(path: str) -> bool:
    """Return whether a step is made of a file rather than fed by it."""
    inside = Path(path).resolve().is_relative_to(PACKAGE)
    return inside or path.endswith((".py", ".lock"))


def steps(root: Path, settings: Settings) -> list[Step]:
    """Return the steps of the last run, as their logs keep them, sorted by dataset and name.

    Parameters
    ----------
    root : Path
        The working folder.
    settings : Settings
        Steps of other datasets belong to other runs.
    """
    found = []
    for dataset in (*settings.datasets, "all"):
        for file in sorted((root / "logs" / dataset).glob("*.outputs.json")):
            kept = manifest.read(file)
            read = tuple(path for path in kept["inputs"] if not _is_code(path))
            name = file.name.removesuffix(".outputs.json")
            if all((root / path).exists() for path in kept["outputs"]):
                found.append(Step(name, dataset, read, kept["outputs"]))
    return found


def _leaves(tree: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every setting with the keys that lead to it; a criterion is one setting."""
    for key, value in tree.items():
        if key == "criteria" and not above:
            yield from ((f"criteria.{row['id']}", row) for row in value)
        elif isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{above}{key}.")
        elif key not in NOT_RECORDED:
            yield f"{above}{key}", value


class Record:
    """The record while it is written.

    Parameters
    ----------
    root : Path
        The working folder.
    settings : Settings
    """

    def __init__(self, root: Path, settings: Settings):
        self._root, self._settings = root, settings
        optional("rocrate")
        self._library = import_module("rocrate.rocrate")
        self.crate = self._library.ROCrate(version="1.1")
        self.crate.metadata.extra_terms.update(TERMS)
        self._about = {
            name: json.loads((root / f"data/processed/{name}/dataset.json").read_text("utf-8"))
            for name in settings.datasets
        }
        self._open = {
            name for name, about in self._about.items() if individuals_shown(about, settings.report)
        }
        self._files: dict[str, Any] = {}

    def entity(self, identity: str, kind: str | list[str], **properties: Any) -> Any:
        """Add an entity that is no file of the crate."""
        known = {"@type": kind, **properties}
        return self.crate.add(self._library.ContextEntity(self.crate, identity, properties=known))

    def root_dataset(self, licences: Sequence[str]) -> None:
        """Describe the crate itself."""
        epoch = os.environ.get("SOURCE_DATE_EPOCH")
        made = datetime.fromtimestamp(int(epoch), UTC) if epoch else datetime.now(UTC)
        whole = self.crate.root_dataset
        names = ", ".join(self._settings.datasets)
        whole["name"] = f"Reports of rupture-repair: {names}"
        whole["description"] = "Ruptures and repairs of the alliance, and how each page was made."
        whole["datePublished"] = made.date().isoformat()
        whole["license"] = self.entity("#licence", "CreativeWork", name="; ".join(licences))
        profiles = [
            self.entity(place, "CreativeWork", name=name, version=version)
            for place, name, version in PROFILES
        ]
        whole["conformsTo"] = profiles
        self.crate.metadata["conformsTo"] = [{"@id": RO_CRATE}, profiles[-1]]

    def licences(self) -> list[str]:
        """Return the licence of each dataset in words."""
        return [f"{name}: {about['licence']}" for name, about in self._about.items()]

    def file(self, path: str, checksum: str | None = None) -> Any:
        """Return the entity of a file or folder, made when it is first asked for.

        What lies in reports/ is part of the crate. Of data whose courses may not be shown there is
        no checksum: who guesses their few rows or counts could find by it which guess is right.
        """
        if path not in self._files:
            name = public_name(path, self._settings.mirror)
            file = self._root / path
            known = {"name": name, "sha256": checksum or manifest.checksum(file)}
            if self._is_guarded(name):
                del known["sha256"]
            kind = mimetypes.guess_type(name)[0]
            if kind and not file.is_dir():
                known["encodingFormat"] = kind
            inside = name.removeprefix("reports/")
            if inside == name:
                made = self.entity(f"#{name}", "CreativeWork", **known)
            elif file.is_dir():
                made = self.crate.add_dataset(dest_path=f"{inside}/", properties={"name": name})
            else:
                made = self.crate.add_file(dest_path=inside, properties=known)
            self._files[path] = made
        return self._files[path]

    def _is_guarded(self, name: str) -> bool:
        """Return whether a file holds data of a dataset whose courses may not be shown."""
        held = name.startswith(("data/processed/", "data/raw/", "elsewhere/"))
        at = 1 if name.startswith("elsewhere/") else 2
        some_hidden = len(self._open) < len(self._about)
        return held and some_hidden and self._open.isdisjoint(Path(name).parts[at : at + 1])

    def software(self) -> dict[str, Any]:
        """Describe the programs: name -> entity."""
        about = provenance("rupture-repair report")
        versions = {"python": about["python"], **about["packages"]}
        return {
            name: self.entity(f"#{name}", "SoftwareApplication", name=name, softwareVersion=version)
            for name, version in versions.items()
        }

    def parameters(self) -> tuple[list[Any], list[Any]]:
        """Describe the settings: what can be set, and to what it was."""
        formal, given = [], []
        for key, value in _leaves(self._settings.as_dict()):
            formal.append(self.parameter(f"#parameter-{key}", key, "Text"))
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            properties = {"name": key, "value": text, "exampleOfWork": formal[-1]}
            given.append(self.entity(f"#setting-{key}", "PropertyValue", **properties))
        return formal, given

    def parameter(self, identity: str, name: str, kind: str) -> Any:
        """Describe a slot of the workflow."""
        place = {"@id": FORMAL_PARAMETER}
        return self.entity(
            identity, "FormalParameter", name=name, additionalType=kind, conformsTo=place
        )

    def workflow(self, names: Iterable[str], software: Mapping[str, Any]) -> Any:
        """Describe the rules, of which a copy is in the crate, and the tool of each step."""
        language = self.entity(
            "https://w3id.org/workflowhub/workflow-ro-crate#snakemake", "ComputerLanguage",
            name="Snakemake", identifier="https://snakemake.readthedocs.io", url="https://snakemake.readthedocs.io",
        )  # fmt: skip
        about = provenance("rupture-repair report")
        whole = self.crate.add_file(
            dest_path=f"{RULES}/Snakefile",
            properties={
                "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"],
                "name": "rupture-repair",
                "conformsTo": {"@id": WORKFLOW_PROFILE},
                "encodingFormat": "text/x-python",
                "version": "+".join(filter(None, [about["version"], about["commit"]])),
                "programmingLanguage": language,
                "softwareRequirements": list(software.values()),
                "license": "https://spdx.org/licenses/MIT",
            },
        )
        self.crate.mainEntity = whole
        tools, sequence = [], []
        for place, name in enumerate(names, 1):
            version = {"name": name, "softwareVersion": about["version"]}
            tool = self.entity(f"#tool-{name}", "SoftwareApplication", **version)
            tools.append(tool)
            step = {"name": name, "position": str(place), "workExample": tool}
            sequence.append(self.entity(f"{RULES}/Snakefile#{name}", "HowToStep", **step))
        whole["hasPart"], whole["step"] = tools, sequence
        return whole


def _in_order(done: Sequence[Step]) -> list[str]:
    """Return the names of steps so that each comes after those whose outputs it reads."""
    writer = {path: step.name for step in done for path in step.outputs}
    needs: dict[str, set[str]] = {}
    for step in done:
        before = {writer[path] for path in step.inputs if path in writer}
        needs.setdefault(step.name, set()).update(before - {step.name})
    names: list[str] = []
    while needs:
        ready = sorted(name for name, before in needs.items() if before <= set(names))
        names += ready or sorted(needs)
        needs = {name: before for name, before in needs.items() if name not in names}
    return names


def _one_or_more(values: list[Any]) -> Any:
    """Return a single value without its list, as RO-Crate asks for."""
    return values[0] if len(values) == 1 else values


def _actions(record: Record, done: Sequence[Step]) -> tuple[list[Any], list[Any]]:
    """Describe what each step did; return the actions and what directed them."""
    acts, controls = [], []
    status = {"actionStatus": "http://schema.org/CompletedActionStatus"}
    for step in done:
        name = f"{step.dataset}-{step.name}"
        act = record.entity(
            f"#action-{name}", "CreateAction", name=f"{step.name} of {step.dataset}",
            instrument={"@id": f"#tool-{step.name}"},
            object=_one_or_more([record.file(path) for path in step.inputs]),
            result=_one_or_more(
                [record.file(path, checksum) for path, checksum in step.outputs.items()]
            ),
            **status,
        )  # fmt: skip
        acts.append(act)
        control = {"instrument": {"@id": f"{RULES}/Snakefile#{step.name}"}, "object": act}
        controls.append(
            record.entity(f"#control-{name}", "ControlAction", name=f"run {name}", **control)
        )
    return acts, controls


def copy_rules(target: Path, project: Path = WORKFLOW) -> None:
    """Copy the Snakefile and its rules, replacing an earlier copy."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(project / "workflow/rules", target / "workflow/rules")
    shutil.copy(project / "Snakefile", target / "Snakefile")


def write_crate(root: Path, settings: Settings, target: Path) -> Path:
    """Write the record of the last run.

    Parameters
    ----------
    root : Path
        The working folder, with logs/ of a run that ended well.
    settings : Settings
    target : Path
        reports/ro-crate-metadata.json; a copy of the rules is put next to it, in workflow/.

    Returns
    -------
    Path
        The file. It depends on files, settings and versions, and on the day: that of
        SOURCE_DATE_EPOCH where it is set.
    """
    copy_rules(target.parent / RULES)
    done = steps(root, settings)
    record = Record(root, settings)
    record.root_dataset(record.licences())
    software = record.software()
    whole = record.workflow(_in_order(done), software)
    formal, given = record.parameters()
    raw = record.parameter("#raw-data", "raw data", "File")
    reports = record.parameter("#reports", "reports", "File")
    whole["input"], whole["output"] = [raw, *formal], reports
    acts, controls = _actions(record, done)
    written = {path for step in done for path in step.outputs}
    first = sorted({path for step in done for path in step.inputs} - written)
    pages = [path for path in sorted(written) if path.startswith("reports/")]
    inputs, results = [record.file(path) for path in first], [record.file(path) for path in pages]
    for one, slot in [(one, raw) for one in inputs] + [
        (one, reports) for one in results if one.id[-1] != "/"
    ]:
        one["exampleOfWork"] = slot
    run = record.entity(
        "#run", "CreateAction", name="run of the workflow", instrument=whole,
        object=[*inputs, *given], result=results,
        actionStatus="http://schema.org/CompletedActionStatus",
    )  # fmt: skip
    engine = optional("snakemake").__version__
    snakemake = record.entity(
        "#snakemake", "SoftwareApplication", name="Snakemake", softwareVersion=engine
    )
    record.entity(
        "#orchestration", "OrganizeAction", name="Snakemake runs the rules", instrument=snakemake,
        object=controls, result=run,
    )  # fmt: skip
    record.crate.root_dataset["mentions"] = [run, *acts]
    text = json.dumps(record.crate.metadata.generate(), indent=1, ensure_ascii=False)
    target.write_text(text + "\n", encoding="utf-8")
    return target
