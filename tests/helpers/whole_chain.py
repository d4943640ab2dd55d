"""All steps of the workflow in this process: the rules of the Snakefile, without a job's start.

A start of Snakemake and of a step takes seconds, which is most of the time of a small dataset.
"""

import contextlib
import io
import os
import shutil
from collections.abc import Collection, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from project_copy import Done, Project
from repository import ROOT
from rupture_repair.chance import calibrate
from rupture_repair.detection.hidden_markov import rupture_probability
from rupture_repair.figures.style import STYLE

#: Settings under which every step runs, and none takes long.
QUICK = """\
datasets: [made]
criteria: [{criteria}]
default_criterion: {default}
chance: {{replicates: 20, slow_replicates: 2, planted_falls: {{depths: [1, 2, 3], courses: 60}},
  certificate: {{courses: 20, particles: 5}}}}
multiverse: {{permutations: 9, most: 6, minimum_sessions: [3]}}
models: {{failed_fit: listed}}
report: {{formats: [html]}}
"""

#: What is made of the versions of the libraries alone, whatever the dataset: rule -> content.
_SAME_FOR_ALL: dict[str, bytes] = {"write_explorer_library": b""}

#: Courses that a hidden Markov model is fitted to, at most.
_FEW_COURSES = {"MOST_COURSES": 100, "COURSES_AT_A_TIME": (60, 100, 100)}

#: Dots per inch: most of the time of a figure is its picture.
_DPI = 30


class StepFailed(AssertionError):
    """A step ended with an error."""


class Chain:
    """The steps for a dataset named made, in a folder of its own.

    Parameters
    ----------
    folder : path
        Becomes the working directory of each step.
    *criteria : str
        The first one is the default.
    settings : str, optional
        The text of config.yaml, instead of :data:`QUICK`.
    rough : bool
        Pictures are coarse; a k is solved, and hidden Markov models are fitted, on few courses.
    """

    def __init__(
        self, folder: Path, *criteria: str, settings: str | None = None, rough: bool = True
    ):
        self.folder, self.rough = folder, rough
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("workflow", "requirements.lock"):
            if not (folder / name).exists():
                (folder / name).symlink_to(ROOT / name)
        self.configure(settings or QUICK.format(criteria=", ".join(criteria), default=criteria[0]))

    def configure(self, settings: str) -> None:
        """Replace the text of config.yaml."""
        (self.folder / "config.yaml").write_text(settings, encoding="utf-8")
        self._jobs: list[Any] = []

    def give(self, files: dict[str, str]) -> None:
        """Replace the dataset; `files` are dataset.yaml and tables, name -> text."""
        place = self.folder / "data/raw/made"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        for name, text in files.items():
            (place / name).write_text(text, encoding="utf-8")

    def run(self, *, without: Collection[str] = (), only: Collection[str] = ()) -> Path:
        """Run all steps but some, or some only; return the folder of the tables.

        Raises
        ------
        StepFailed
            With what the step said.
        """
        with contextlib.ExitStack() as changes:
            changes.enter_context(_inside(self.folder))
            if self.rough:
                changes.enter_context(patch.dict(STYLE, {"savefig.dpi": _DPI}))
                changes.enter_context(patch.multiple(calibrate, CALIBRATION_COURSES=1000))
                changes.enter_context(patch.multiple(rupture_probability, **_FEW_COURSES))
            self._jobs = self._jobs or _planned()
            for job in self._jobs:
                if job.rule.name not in without and (not only or job.rule.name in only):
                    _perform(job)
        return self.folder / "data/processed/made"


def build(project: Project, *, rough: bool = True) -> Done:
    """Run all steps of a copy of the project; Snakemake then takes the files for its own.

    It sees changed files, but no changed settings: those of this run it has no note of.
    """
    settings = (project.folder / "config.yaml").read_text(encoding="utf-8")
    Chain(project.folder, settings=settings, rough=rough).run()
    return project.run("--touch")


@contextlib.contextmanager
def _inside(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def _planned() -> list[Any]:
    """Return the jobs of the workflow, each after those that it needs."""
    from snakemake import api
    from snakemake.settings import types

    quiet = types.OutputSettings(quiet={types.Quietness.ALL})
    with api.SnakemakeApi(quiet) as snakemake:
        made = snakemake.workflow(
            resource_settings=types.ResourceSettings(cores=1),
            snakefile=ROOT / "Snakefile",
            workdir=Path.cwd(),
        )
        made.dag(types.DAGSettings())
        workflow = made._workflow
        workflow._prepare_dag(
            forceall=True, ignore_incomplete=True, lock_warn_only=True, nolock=True
        )
        workflow._build_dag()
        every = [job for level in workflow.dag.toposorted() for job in level]
    return [job for job in every if job.rule.script]


def _perform(job: Any) -> None:
    """Run the script of a job as Snakemake would."""
    for output in map(Path, job.output):
        if output.is_dir():
            shutil.rmtree(output)
        output.unlink(missing_ok=True)
        output.parent.mkdir(parents=True, exist_ok=True)
    if _SAME_FOR_ALL.get(job.rule.name):
        Path(job.output[0]).write_bytes(_SAME_FOR_ALL[job.rule.name])
        return
    given = {name: getattr(job, name) for name in ("input", "output", "params", "log", "wildcards")}
    script = ROOT / "workflow/scripts" / Path(job.rule.script).name
    code = compile(script.read_text(encoding="utf-8"), str(script), "exec")
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            exec(code, {"snakemake": SimpleNamespace(**given, threads=1), "__name__": "__main__"})
    except SystemExit as error:
        raise StepFailed(f"{job.rule.name}: {said.getvalue()}") from error
    if job.rule.name in _SAME_FOR_ALL:
        _SAME_FOR_ALL[job.rule.name] = Path(job.output[0]).read_bytes()
    missing = [str(output) for output in job.output if not Path(output).exists()]
    assert not missing, f"{job.rule.name} did not write {', '.join(missing)}"
