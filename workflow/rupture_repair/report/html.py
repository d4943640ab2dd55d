"""From Markdown to one page that needs nothing else."""

import subprocess
from pathlib import Path

from .markdown import FOLDER

#: Pandoc's Markdown without what would let text become markup.
READER = (
    "markdown-raw_html-raw_tex-raw_attribute-citations-example_lists-implicit_header_references"
)


def render_html(markdown: str, target: Path) -> Path:
    """Write Markdown as one self-contained HTML page.

    Figures and style sheet are taken into the page, formulas become MathML; the page has no
    script and loads nothing. The same Markdown and figures give the same bytes.

    Parameters
    ----------
    markdown : str
        What a function of :mod:`rupture_repair.report` returned. Paths of figures in it are
        relative to the folder of `target`.
    target : Path
        The page to write, for example reports/demo.html.

    Returns
    -------
    Path
        `target`.

    Raises
    ------
    RuntimeError
        If pandoc refuses, with its message: a fault of this program.
    """
    import pypandoc

    command = [
        pypandoc.get_pandoc_path(),
        f"--from={READER}",
        "--to=html5",
        "--standalone",
        "--embed-resources",
        "--mathml",
        "--toc",
        "--toc-depth=2",
        "--columns=100000",  # a table's columns take the width that their content needs
        "--wrap=none",
        "--syntax-highlighting=none",
        f"--template={FOLDER / 'page.html'}",
        f"--css={FOLDER / 'style.css'}",
        f"--resource-path={target.parent}",
        f"--output={target}",
        "--fail-if-warnings",
    ]
    target.parent.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(command, input=markdown, text=True, capture_output=True, encoding="utf-8")
    if done.returncode:
        raise RuntimeError(f"pandoc could not write {target}: {done.stderr.strip()}")
    return target
