"""Check one dataset: every problem at once."""

import json
from pathlib import Path

from rupture_repair import ingest, journal
from rupture_repair.problems import ProblemsFound

dataset = snakemake.wildcards.dataset
with journal.step("check", dataset, snakemake.log[0]):
    descriptor = Path(snakemake.input.descriptor)
    problems = ingest.find_problems(dataset, descriptor.parent, snakemake.params.mirror)
    if any(entry.code.startswith("E") for entry in problems):
        raise ProblemsFound(problems)
    print(f"{dataset}: no errors, {len(problems)} warnings")
    print(*[entry.text for entry in problems], sep="\n")
    text = json.dumps([entry.as_dict() for entry in problems], indent=1, ensure_ascii=False)
    Path(snakemake.output[0]).write_text(text, encoding="utf-8")
