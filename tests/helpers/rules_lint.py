"""What `snakemake --lint` finds in the rules."""

import re
import subprocess
import sys
from pathlib import Path


def findings(folder: Path) -> list[str]:
    """Return every finding, as "place: finding".

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
    return found or ([done.stdout[-2000:]] if done.returncode else [])


if __name__ == "__main__":
    problems = findings(Path())
    print(*problems, sep="\n", end="\n" if problems else "")
    sys.exit(bool(problems))
