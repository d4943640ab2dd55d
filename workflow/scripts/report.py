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
    report.render_html(report.dataset_report(material, about), Path(snakemake.output[0]))
    print(f"{dataset}: {snakemake.output[0]}")
