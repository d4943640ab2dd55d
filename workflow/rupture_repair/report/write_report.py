"""Write the report of one dataset, from the tables that the steps before it wrote."""

from pathlib import Path

from ..project.setting_groups import Settings
from .dataset_page import dataset_report
from .dataset_tables import Material
from .output_formats import render
from .provenance import provenance


def write_report(
    folder: Path, figures: Path, settings: Settings, target: Path, threads: int = 1
) -> list[Path]:
    """Write the report of one dataset in every form that is asked for.

    Parameters
    ----------
    folder : Path
        data/processed/<dataset>.
    figures : Path
        reports/figures/<dataset>.
    settings : Settings
    target : Path
        The page; other forms get its name with their own suffix.
    threads : int
        Changes nothing but the time.

    Returns
    -------
    list of Path
        The files written.
    """
    about = provenance(f"make report DATASETS={folder.name}")
    text = dataset_report(Material.read(folder, figures, settings), about)
    return list(render(text, target, settings.report.formats, threads))
