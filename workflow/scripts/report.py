"""Write the report of one dataset."""

from pathlib import Path

from rupture_repair import journal, report

dataset = snakemake.wildcards.dataset
with journal.step("report", dataset, snakemake.log[0]):
    material = report.Material.read(
        Path(snakemake.input.sessions).parent,
        Path(snakemake.input.figures),
        snakemake.params.config,
    )
    about = report.provenance(Path(), "make report", Path("requirements.lock"))
    text = report.dataset_report(material, about)
    forms = snakemake.params.config["report"]["formats"]
    written = report.render(text, Path(snakemake.output[0]), forms, snakemake.threads)
    print(f"{dataset}: {', '.join(map(str, written))}")
