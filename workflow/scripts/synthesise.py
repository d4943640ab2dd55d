"""Pool the estimates of all datasets, and draw their forest."""

from pathlib import Path

from rupture_repair import synthesise
from rupture_repair.disclosure.gate import Gate
from rupture_repair.figures.style import save
from rupture_repair.figures.synthesis import synthesis_forest
from rupture_repair.project import processed, step_log, yaml_files
from rupture_repair.project.headline import one_for_all

given, params, out = snakemake.input, snakemake.params, snakemake.output
with step_log.step("synthesise", "all", snakemake.log[0], out, given):
    closed = [
        name
        for name, file in zip(params.datasets, given.gates, strict=True)
        if not Gate.read(Path(file)).open
    ]
    pooled, studies = synthesise.synthesise(
        synthesise.read(
            params.datasets,
            *(given.about, given.measures, given.estimates, given.claims),
            gates=given.gates,
            same_scores=params.same_scores,
        ),
        closed,
    )
    processed.write(pooled, out.pooled)
    processed.write(studies, out.studies)
    published = yaml_files.read(given.published, "published")
    forest = synthesis_forest(pooled, studies, published, one_for_all(params.default_criterion))
    save(*forest, Path(out.figures) / "synthesis_forest")
    print(*synthesise.in_words(pooled), sep="\n")
