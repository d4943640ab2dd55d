"""The picture of docs/effects.md: `python docs/effects_picture.py` writes it beside the page."""

from pathlib import Path

from drawing import Box, picture

BOXES = {
    "ratings": Box("alliance ratings", ("of all sessions;", "never the outcome"), "#eef2f5"),
    "model": Box("hidden Markov model", ("what may be ruptured",), "#eef2f5"),
    "open": Box("P(open)", ("a rupture is open",), "#f7dcdc"),
    "repaired": Box("P(repaired)", ("steady after a rupture",), "#e2f0d9"),
    "fluctuation": Box("fluctuation", ("total: as expected;", "direct: the rating"), "#fdf3c7"),
    "controls": Box("controls", ("time, length, baseline;", "course and therapist")),
    "outcome": Box("outcome", ("at the next session",), "#dcebf7"),
}  # fmt: skip
ROWS = [["ratings"], ["model"], ["open", "repaired", "fluctuation", "controls"], ["outcome"]]
MIDDLE = ("open", "repaired", "fluctuation")
ARROWS = {
    ("ratings", "model"),
    *(("model", name) for name in MIDDLE),
    *((name, "outcome") for name in (*MIDDLE, "controls")),
}
DESCRIPTION = (
    "From the ratings alone the hidden Markov model says how probable it is for each session that "
    "a rupture is open or repaired, and how large its ordinary fluctuation is. The outcome at the "
    "next session is a line in the three, with controls."
)


def drawn() -> str:
    """Return the picture as SVG."""
    return picture(ROWS, BOXES, ARROWS, DESCRIPTION)


if __name__ == "__main__":
    Path(__file__).with_name("effects.svg").write_text(drawn(), encoding="utf-8")
