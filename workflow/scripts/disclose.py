"""Find what of one dataset may be shown."""

from pathlib import Path

from rupture_repair.disclosure.disclose import disclose, write
from rupture_repair.project import step_log
from rupture_repair.project.setting_groups import (
    EdgeRules,
    ExposureRules,
    ExposureStates,
    ReportSettings,
)

dataset, params = snakemake.wildcards.dataset, snakemake.params
with step_log.step("disclose", dataset, snakemake.log[0], snakemake.output, snakemake.input):
    gate = disclose(
        Path(snakemake.input.sessions).parent,
        report=ReportSettings.from_dict(params.report),
        default_criterion=params.default_criterion,
        rules=ExposureRules.of(
            ExposureStates.from_dict(params.exposure), EdgeRules.from_dict(params.edge_rules)
        ),
        criteria=params.criteria,
    )
    write(gate, Path(snakemake.output[0]))
    said = "everything" if gate.open else f"{len(gate.shown)} counts, none below {gate.least}"
    print(f"{dataset}: what may be shown: {said}")
