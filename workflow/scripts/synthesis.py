"""Pool the estimates of all datasets, and draw their forest."""

from pathlib import Path

from rupture_repair import config, figures, journal, outputs, synthesis

given, params, out = snakemake.input, snakemake.params, snakemake.output
with journal.step("synthesis", "all", snakemake.log[0]):
    pooled, studies = synthesis.synthesise(
        synthesis.read(
            params.datasets,
            *(given.about, given.measures, given.estimates, given.claims),
            same_scores=params.synthesis["same_scores"],
        )
    )
    outputs.write(pooled, *out.pooled)
    outputs.write(studies, *out.studies)
    published = config.read(given.published, "published")
    forest = figures.synthesis_forest(pooled, studies, published, params.default_criterion)
    figures.save(*forest, Path(out.figures) / "synthesis_forest")
    print(*synthesis.in_words(pooled), sep="\n")
