"""Messages about twins of studies."""

from .datasets import Entry

TWIN: dict[str, Entry] = {
    "E761": Entry(
        "no twin of '{found}' can be made: {why}.",
        "Nothing was written. What the study found can be handed on without a twin: "
        "rupture-repair export {found}.",
        "A twin is drawn from numbers that describe many courses, so that none of them is told of.",
    ),
    "E762": Entry(
        "the twin would tell of single courses: {found}.",
        "Nothing was written. Another --seed draws another twin; if it fails as well, hand on what "
        "the study found: rupture-repair export {name}.",
        "Whoever has the twin and knows somebody must not learn from it what this person rated.",
    ),
}
