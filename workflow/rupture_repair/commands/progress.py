"""A bar of the steps of a run, at the foot of a terminal."""

import contextlib
import io
import queue
import re
import shutil
import subprocess
import threading
import time
from typing import IO

from ..project import step_log

#: What Snakemake says of how far it is: before the first step, and after each.
TOTAL, DONE = re.compile(r"total +(\d+)"), re.compile(r"(\d+) of (\d+) steps \(\d+%\) done")

#: What else Snakemake says of a run that goes well, which the bar replaces.
USUAL = re.compile(
    r"Using (workflow specific|shell:)|Assuming unrestricted|Building DAG|Provided |Rules claiming|"
    r"Job stats:|job +count|-+ |\w+ +\d+$|Select jobs|Execute \d+ jobs|\[\w{3} \w{3} |"
    r"Finished job|Complete log|Config file |Elapsed time|$"
)

#: Characters of the bar, and seconds after which it is drawn again.
WIDTH, SECONDS = 24, 1.0


class Bar:
    """The last line of a terminal: how many steps are done, which are at work, and since when.

    Parameters
    ----------
    terminal : text stream
    """

    def __init__(self, terminal: IO[str]):
        self._terminal = terminal
        self._done, self._total = 0, 0
        self._began = time.monotonic()

    def hear(self, line: str) -> None:
        """Take in a line of the run; show it above the bar if it says more than how far it is."""
        if found := DONE.fullmatch(line):
            self._done, self._total = int(found[1]), int(found[2])
        elif found := TOTAL.fullmatch(line):
            self._total = int(found[1])
        elif not USUAL.match(line):
            self.clear()
            print(line, file=self._terminal)

    def text(self, at_work: list[str]) -> str:
        """Return the bar in words.

        Parameters
        ----------
        at_work : list of str
            Names of the steps that run.
        """
        filled = WIDTH * self._done // max(self._total, 1)
        minutes, seconds = divmod(int(time.monotonic() - self._began), 60)
        steps = f"{self._done} of {self._total} steps" if self._total else "looking what to do"
        return " ".join(
            [
                f"[{'#' * filled}{'.' * (WIDTH - filled)}]",
                f"{minutes}:{seconds:02}",
                steps,
                *at_work,
            ]
        )

    def draw(self) -> None:
        """Draw the bar anew."""
        at_work = [f"{step['dataset']}:{step['step']}" for step in step_log.unfinished()]
        wide = shutil.get_terminal_size().columns - 1
        self._terminal.write("\r" + self.text(at_work)[:wide].ljust(wide))
        self._terminal.flush()

    def clear(self) -> None:
        """Make the last line empty."""
        self._terminal.write("\r" + " " * (shutil.get_terminal_size().columns - 1) + "\r")
        self._terminal.flush()


def follow(process: "subprocess.Popen[bytes]", terminal: IO[str]) -> None:
    """Draw the bar of a run until it has ended.

    Parameters
    ----------
    process : Popen
        Snakemake; its stdout is a pipe, into which its stderr goes as well.
    terminal : text stream
    """
    lines: queue.Queue[str | None] = queue.Queue()

    def read() -> None:
        assert process.stdout is not None
        for line in io.TextIOWrapper(process.stdout, encoding="utf-8", errors="replace"):
            lines.put(line.rstrip("\n"))
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    bar = Bar(terminal)
    while True:
        # Snakemake hears an interruption as well, and ends its steps.
        with contextlib.suppress(KeyboardInterrupt):
            try:
                line = lines.get(timeout=SECONDS)
                if line is None:
                    break
                bar.hear(line)
            except queue.Empty:
                # A step that outlives Snakemake keeps the pipe open.
                if process.poll() is not None:
                    break
            bar.draw()
    bar.clear()
