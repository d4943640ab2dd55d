"""The catalogue of messages as a page of the documentation."""

from .catalogue import CATALOGUE

_PARTS = {
    "E1": "Configuration and descriptors",
    "E2": "Cells",
    "E3": "Rows, courses, files",
    "E4": "Criteria",
    "E5": "Models",
    "E6": "Simulation",
    "E7": "Single commands",
    "E8": "Planning a study",
    "E9": "Public datasets",
    "W": "Warnings: listed in the report, they do not stop",
}


def documentation() -> str:
    """Return docs/problems.md: every code with its text, its remedy and why it matters."""
    lines = [
        "# Problems",
        "",
        "Made from the catalogue by `python docs/reference_pages.py`; do not edit. Every message",
        "begins with one of these codes. Words in braces show where the value found is printed.",
        "",
        "Errors (E) stop the dataset, others go on; warnings (W) are listed in its report. Where a",
        "message names a *finding*, `accepted` in dataset.yaml lets it pass with a reason, which",
        "the report shows.",
    ]
    codes = sorted(CATALOGUE, key=lambda code: (code.startswith("W"), code))
    for part, title in _PARTS.items():
        lines += ["", f"## {title}"]
        for code in (code for code in codes if code.startswith(part)):
            entry = CATALOGUE[code]
            lines += ["", f"### {code}", "", _prose(entry.text)]
            lines += ["", f"*What to do:* {_prose(entry.remedy)}"] if entry.remedy else []
            lines += ["", f"*Why:* {entry.why}"] if entry.why else []
    return "\n".join(lines) + "\n"


def _prose(template: str) -> str:
    """Return a text of the catalogue for reading: `{found}` in code, hints left out."""
    text = template.replace("{hint}", "").replace("{advice}", "").replace("{s}", "(s)")
    text = text.replace("{{", "\0").replace("}}", "\1")
    text = text.replace("'{", "{").replace("}'", "}").replace("{", "`{").replace("}", "}`")
    text = text.replace("\0", "{").replace("\1", "}").strip()
    return text[:1].upper() + text[1:]
