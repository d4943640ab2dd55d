"""The texts of the problems of fetching public datasets."""

from .datasets import Entry

PUBLIC: dict[str, Entry] = {
    "E901": Entry(
        "there is no public dataset '{found}' in the register.{hint}",
        "Registered: {allowed}.",
    ),
    "E902": Entry(
        "{url} cannot be reached: {found}.",
        "Nothing was written. Check the connection and try again, or set mirror in config.yaml to "
        "a folder that holds the files.",
    ),
    "E903": Entry(
        "{url} does not give the file: {found}.",
        "Nothing was written. Correct url if the file has moved, or set mirror in config.yaml to a "
        "folder that holds the files.",
    ),
    "E904": Entry(
        "the file from {origin} has the checksum {found}, but {expected} is registered.",
        "It was not kept. Try again; if it stays so, the file was changed since it was registered: "
        "do not use it before you know how, and register the new version with its checksum.",
        "Results rest on the very file that was registered. One that was cut off, changed or "
        "replaced on its way gives other results, or worse.",
    ),
    "E905": Entry(
        "the mirror has no file {found}.{hint}",
        "Put it there, correct mirror in config.yaml, or leave mirror out to download the file.",
    ),
    "E906": Entry(
        "the columns are {found}.",
        "Write exactly: {allowed}.",
    ),
    "E907": Entry(
        "'{found}' cannot be used.",
        "Allowed: {allowed}.",
    ),
    "E908": Entry(
        "the file '{found}' of {dataset} is already in row {first}.",
        "Keep one of the two rows.",
    ),
    "E909": Entry(
        "another file is there: its checksum is {found}, but {expected} is registered.",
        "Nothing was changed. Move it away, or remove it, and fetch again.",
    ),
    "E910": Entry(
        "'{found}' was downloaded but cannot be opened: {why}.",
        "Nothing was written. Try again; if it stays so, look at what the address gives in a "
        "browser and correct url.",
    ),
    "E911": Entry(
        "'{found}' was downloaded, but does not hold one file '{wanted}'.{hint}",
        "It holds: {allowed}. Correct file or url.",
    ),
}
