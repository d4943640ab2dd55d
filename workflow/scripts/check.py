"""Check one dataset: every problem at once, as text and as a page."""

import json
from pathlib import Path

from rupture_repair import check, ingest, journal, report
from rupture_repair.problems import ProblemsFound

dataset = snakemake.wildcards.dataset
with journal.step("check", dataset, snakemake.log[0]):
    folder, mirror = Path(snakemake.input.descriptor).parent, snakemake.params.mirror
    problems = ingest.find_problems(dataset, folder, mirror)
    # The page is wanted most when the step fails, and Snakemake removes what it declares then.
    about = report.provenance(Path(), "make report", Path("requirements.lock"))
    page = Path("reports") / f"{dataset}-check.html"
    report.write_check(dataset, problems, ingest.forms(folder, mirror), about, page)
    if any(one.is_error for one in problems):
        print(f"In context: {page}")
        raise ProblemsFound(problems)
    print(check.as_text(dataset, problems, everything=True))
    text = json.dumps([one.as_dict() for one in problems], indent=1, ensure_ascii=False)
    Path(snakemake.output[0]).write_text(text, encoding="utf-8")
