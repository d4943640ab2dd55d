"""What `snakemake --lint` finds in the rules, except that they name no container."""

import re
import subprocess
import sys
from pathlib import Path

#: The rules run in the environment that the Makefile makes; there is no container yet.
EXPECTED = "Specify a conda environment or container for each rule."


def findings(folder: Path) -> list[str]:
    """Return every finding but the expected one, as "place: finding".

    Parameters
    ----------
    folder : Path
        The folder of the Snakefile.
    """
    done = subprocess.run(
        [Path(sys.executable).parent / "snakemake", "--lint"],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    places = re.findall(r"^Lints for (.+):\n((?:    .*\n)+)", done.stdout, flags=re.MULTILINE)
    found = [
        f"{place}: {finding}"
        for place, text in places
        for finding in re.findall(r"^    \* (.+):$", text, flags=re.MULTILINE)
    ]
    if not found and done.returncode:
        return [done.stdout[-2000:]]
    return [text for text in found if not text.endswith(f": {EXPECTED}")]


if __name__ == "__main__":
    problems = findings(Path())
    print(*problems, sep="\n", end="\n" if problems else "")
    sys.exit(bool(problems))
