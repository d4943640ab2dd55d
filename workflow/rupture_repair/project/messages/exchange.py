"""Messages about files that sites exchange."""

from .datasets import Entry

_AGAIN = "Nothing was written. Ask the site for the file as `rupture-repair export` wrote it."

EXCHANGE: dict[str, Entry] = {
    "E741": Entry("the file is no export: {found}.", _AGAIN),
    "E742": Entry(
        "the file holds '{found}', which no export holds.",
        _AGAIN + " Members of an export have fixed names and no folder, and each is there once.",
    ),
    "E743": Entry(
        "the file has {found} bytes or is compressed; an export has {most} at most and never is.",
        _AGAIN,
        "A small compressed file can unfold to fill a disk. An export is as large as it looks.",
    ),
    "E744": Entry(
        "{found} is not as it was exported: at least one byte was changed or lost.",
        _AGAIN + " Send it as a file, not through a program that packs it anew.",
    ),
    "E745": Entry(
        "the file was made by version {found}, here is version {here}: {why}.",
        "Nothing was written. Build the study again by the same version at both sites, then export "
        "it again.",
        "Estimates by two definitions are not two estimates of one thing.",
    ),
    "E746": Entry(
        "the content is not that of an export: {found}.",
        _AGAIN,
    ),
    "E747": Entry(
        "dataset.yaml of {found} accepts courses that are there twice (finding: repeated_course).",
        "Nothing was written. Leave one of each pair out of the file and build the report again.",
        "A course that counts twice makes every standard error at every site too small.",
    ),
    "E748": Entry(
        "'{found}' cannot be the name of the site here: it is taken, or no name of a dataset.",
        "Nothing was written. Give the file another name, for example '{allowed}.zip'.",
    ),
    "E751": Entry(
        "what may be shown of {found} was decided by other settings (report: individuals, "
        "min_cell).",
        "Build its report again, then export: rupture-repair report.",
    ),
    "E750": Entry(
        "{found} cannot hand on cross products for a joint model: {why}.",
        "Nothing was written. Without --model the file holds all else. More courses, or a "
        "criterion by which more of them have ruptures, may allow it.",
        "From cross products of few courses the ratings of one of them could be worked out.",
    ),
    "E749": Entry(
        "its courses are those of '{found}', which is here already.",
        "Nothing was written. Pool one of the two: move data/imported/{found}.zip away if the new "
        "file is to replace it, or leave '{found}' out of datasets in config.yaml if it is one.",
        "The same courses twice make the pooled interval too narrow. Known are whole fits that are "
        "equal; courses that two sites share in part cannot be seen without their ids.",
    ),
}
