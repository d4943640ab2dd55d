"""Pool the estimates of all datasets and of other sites, and draw their forest."""

from pathlib import Path

from rupture_repair import __version__, synthesise
from rupture_repair.disclosure.gate import Gate
from rupture_repair.exchange import comparable, imported
from rupture_repair.exchange.joining import join
from rupture_repair.figures.style import save
from rupture_repair.figures.synthesis import synthesis_forest
from rupture_repair.project import processed, step_log, yaml_files
from rupture_repair.project.headline import one_for_all

given, params, out = snakemake.input, snakemake.params, snakemake.output
with step_log.step("synthesise", "all", snakemake.log[0], out, given):
    here = comparable.definitions(__version__, params.definitions)
    others = [imported.read(Path(file)) for file in given.imported]
    closed = [one.name for one in others if one.manifest["withheld"]]
    closed += [
        name
        for name, file in zip(params.datasets, given.gates, strict=True)
        if not Gate.read(Path(file)).open
    ]
    how = {"gates": given.gates, "same_scores": params.same_scores, "sites": others, "here": here}
    found = synthesise.read(
        *(params.datasets, given.about, given.measures, given.estimates, given.claims), **how
    )
    pooled, studies = synthesise.synthesise(found, closed)
    sites = synthesise.sites_of(params.datasets, given.about, given.measures, others, here)
    criterion = one_for_all(params.default_criterion)
    joint = join([Path(file).parent for file in given.about], others, here, criterion)
    for table, file in ((pooled, out.pooled), (studies, out.studies), (sites, out.sites),
                        (joint, out.joint)):  # fmt: skip
        processed.write(table, file)
    published = yaml_files.read(given.published, "published")
    forest = synthesis_forest(pooled, studies, published, criterion)
    save(*forest, Path(out.figures) / "synthesis_forest")
    print(*synthesise.in_words(pooled), sep="\n")
