"""Check one dataset: every problem at once, as text and as a page."""

import json
from pathlib import Path

from rupture_repair.disclosure.limits import place_of_cells
from rupture_repair.ingest import check, check_text, ingest
from rupture_repair.project import step_log
from rupture_repair.project.datasets import is_synthetic
from rupture_repair.project.problems import ProblemsFound
from rupture_repair.project.setting_groups import ReportSettings
from rupture_repair.report.check_page import write_check
from rupture_repair.report.provenance import provenance

dataset = snakemake.wildcards.dataset
with step_log.step("check", dataset, snakemake.log[0], snakemake.output, snakemake.input):
    folder, mirror = Path(snakemake.input.descriptor).parent, snakemake.params.mirror
    problems = check.check(dataset, folder, mirror)
    # The page is wanted most when the step fails, and Snakemake removes what it declares then.
    about = provenance("make report")
    report = ReportSettings.from_dict(snakemake.params.report)
    synthetic = is_synthetic(Path(snakemake.input.descriptor))
    page = place_of_cells(dataset, synthetic, report) / f"{dataset}-check.html"
    write_check(dataset, problems, ingest.forms(folder, mirror), about, page)
    if any(one.is_error for one in problems):
        print(f"In context: {page}")
        raise ProblemsFound(problems)
    print(check_text.as_text(dataset, problems, everything=True))
    text = json.dumps([one.as_dict() for one in problems], indent=1, ensure_ascii=False)
    Path(snakemake.output[0]).write_text(text, encoding="utf-8")
