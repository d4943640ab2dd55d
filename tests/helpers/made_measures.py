"""Measures for tests; what a test leaves open is an alliance from 0 to 40, higher is better."""

from typing import Any

from rupture_repair.project.measures import Measure

#: What tests leave out of the constants of a measure.
_SOURCES = {
    "reliability": {"source": "made up"},
    "reliable_change": {"source": "made up", "standing": "made up"},
    "cut_off": {"source": "made up", "inclusive": False},
}


def made_measure(name: str = "alliance", **facts: Any) -> Measure:
    """Return a measure from keys of measures.json, of which constants need no source."""
    entry = {"label": name, "role": "alliance", "better": "higher", "range": [0, 40], **facts}
    for key, source in _SOURCES.items():
        if entry.get(key):
            entry[key] = source | entry[key]
    return Measure.from_dict(name, entry)


def made_measures(**each: dict[str, Any]) -> dict[str, Measure]:
    """Return measures by name."""
    return {name: made_measure(name, **facts) for name, facts in each.items()}
