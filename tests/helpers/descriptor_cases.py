"""Messages about dataset.yaml, and what brings each about."""

from reading_cases import Case
from small_dataset import AS_WIDE, GONE

BY_DAY = {"tables.sessions.session": GONE, "tables.sessions.day": "session_no"}
BY_DATE = {"tables.sessions.session": GONE, "tables.sessions.date": "session_no"}
MOOD = {
    "rater": "client",
    "timing": "day",
    "total": "phq",
    "range": [0, 27],
    "better": "lower",
}

#: Of keys and values of the descriptor.
DESCRIPTOR = [
    Case(
        (
            "E110 data/dataset.yaml, key measures.alliance.instrument: 'SSR' is not a known "
            "instrument. Did you mean 'SRS'? Known: SRS, WAI, WAI-S, WAI-SR, SAI, ARM-28, ARM-12, "
            "ARM-5, CALPAS-P, BPSR-P, ORS, PHQ-9, GAD-7, CORE-10, CORE-OM, OQ-45.2, BDI-II, "
            "HSCL-11, PCL-5. For another one leave `instrument` out and write range and better."
        ),
        edits={"measures.alliance.instrument": "SSR"},
    ),
    Case(
        (
            "E111 data/dataset.yaml, key measures.mood: the measure 'mood' has no role. Write "
            "role: alliance, outcome or other; only measures named alliance or outcome do "
            "without."
        ),
        edits={"measures.mood": MOOD},
    ),
    Case(
        (
            "E112 data/dataset.yaml, key measures.outcome: 'range' is missing, and no instrument "
            "says it. Write range: [lowest, highest] and better: higher or lower, or name an "
            "instrument."
        ),
        edits={"measures.outcome.instrument": GONE},
    ),
    Case(
        (
            "E113 data/dataset.yaml, key measures.outcome.range: [27, 0] is no range. Write "
            "[lowest, highest] with two finite numbers, the lower one first."
        ),
        edits={"measures.outcome.range": [27, 0]},
    ),
    Case(
        (
            "E114 data/dataset.yaml, key tables.sessions: exactly one of session, date and day "
            "must name a column; found: session, date. Keep the one by which sessions are to be "
            "numbered."
        ),
        edits={"tables.sessions.date": "date"},
    ),
    Case(
        (
            "E115 data/dataset.yaml, key measures.outcome.pattern: 'pattern' does not go with the "
            "long layout. Write 'total' instead."
        ),
        edits={"measures.outcome.total": GONE, "measures.outcome.pattern": "W{session}"},
    ),
    Case(
        (
            "E115 data/dataset.yaml, key measures.outcome.total: 'session_no' does not go with "
            "tables.sessions.session, which names the same column. Name the column of the ratings."
        ),
        edits={"measures.outcome.total": "session_no"},
    ),
    Case(
        (
            "E115 data/dataset.yaml, key tables.sessions.same_day: 'same_day' does not go with "
            "sessions known by their number. Remove it, or name the column with the date or day."
        ),
        edits={"tables.sessions.same_day": "mean"},
    ),
    Case(
        (
            "E116 data/dataset.yaml, key measures.outcome: the values come from (none). Write "
            "items, a total (pattern in the wide layout) or both for a measure rated at sessions; "
            "first and last for one rated before and after the course."
        ),
        edits={"measures.outcome.total": GONE},
    ),
    Case(
        (
            "E116 data/dataset.yaml, key measures.outcome: the values come from total, first. "
            "Write items, a total (pattern in the wide layout) or both for a measure rated at "
            "sessions; first and last for one rated before and after the course."
        ),
        edits={"measures.outcome.first": "phq_first"},
    ),
    Case(
        (
            "E117 data/dataset.yaml, key measures.alliance: there are several outcome measures "
            "(outcome, mood), and none is named for this measure. Write outcome: <name of the "
            "outcome measure>."
        ),
        edits={"measures.mood": {"role": "outcome", **MOOD}},
    ),
    Case(
        (
            "E118 data/dataset.yaml, key measures.alliance.outcome: 'outcomes' is not a measure "
            "with the role outcome. Did you mean 'outcome'? Outcome measures here: outcome."
        ),
        edits={"measures.alliance.outcome": "outcomes"},
    ),
    Case(
        (
            "E119 data/dataset.yaml, key measures.outcome.first: 'first' names a column of the "
            "courses table, but there is none. Describe it under tables.courses."
        ),
        edits={
            "tables.courses": GONE,
            "measures.outcome.total": GONE,
            "measures.outcome.first": "phq_first",
        },
    ),
    Case(
        (
            "E120 data/dataset.yaml, key tables.courses.covariates: 'sex (m/f)' cannot name a "
            "column of the tables and a term of a formula. Write covariates: {sex_m_f: 'sex "
            "(m/f)'} instead of a list."
        ),
        edits={"tables.courses.covariates": ["sex (m/f)"]},
    ),
    Case(
        (
            "E121 data/dataset.yaml, key tables.courses.covariates.session: the name 'session' is "
            "already used. Choose another one; taken are the other names here, words of Python, "
            "and: course, client, therapist, session, day, ending, dataset, measure, criterion, "
            "state, episode."
        ),
        edits={"tables.courses.covariates": ["session"]},
    ),
    Case(
        (
            "E122 data/dataset.yaml, key measures.alliance.items: 2 items are given, but the "
            "total of SRS has 4. Give all items, or the total, or the range of the total that "
            "these items make."
        ),
        edits={
            "measures.alliance.items": {"bond": "srs1", "goals": "srs2"},
            "measures.alliance.total": GONE,
        },
    ),
    Case(
        (
            "E123 data/dataset.yaml, key measures.outcome.pattern: 'W1' does not hold {session} "
            "once. In the wide layout write for example 'Week{session}' for Week1, Week2 and so "
            "on."
        ),
        edits={**AS_WIDE, "measures.outcome.pattern": "W1"},
    ),
    Case(
        (
            "E124 data/dataset.yaml, key measures: no measure has the role alliance, so there is "
            "nothing to look for ruptures in; measures: alliance, outcome. Give one of them role: "
            "alliance, with stands_in if it is no alliance measure."
        ),
        edits={"measures.alliance.role": "other"},
    ),
    Case(
        (
            "E125 data/dataset.yaml, key measures.alliance.first: a measure with the role "
            "alliance must be rated at sessions. Name its items or total instead of first and "
            "last, or give it another role."
        ),
        edits={
            "measures.alliance": {
                "rater": "client",
                "timing": "day",
                "first": "sex",
                "range": [0, 1],
                "better": "higher",
            }
        },
    ),
    Case(
        (
            "E126 data/dataset.yaml, key tables.courses.therapist: 'therapist' is named for the "
            "sessions table and for the courses table. Name the column in one of them."
        ),
        edits={"tables.courses.therapist": "therapist"},
    ),
    Case(
        (
            "E127 data/dataset.yaml, key measures.alliance.items: the column 'srs3' is used for "
            "two items. Name each column once."
        ),
        edits={"measures.alliance.items.overall": "srs3"},
    ),
    Case(
        (
            "E128 data/dataset.yaml, key tables.sessions.date_format: '%d.%m.' does not tell day, "
            "month and year. Use the signs %Y (2024) or %y (24), %m and %d, for example "
            "'%d.%m.%Y'."
        ),
        edits={**BY_DATE, "tables.sessions.date_format": "%d.%m."},
    ),
    Case(
        (
            "E129 data/dataset.yaml, key tables.sessions.encoding: 'utf8x' is not a known "
            "encoding. Did you mean 'utf-8'? Common ones: utf-8, utf-16, cp1252, latin-1, "
            "iso-8859-15, mac-roman."
        ),
        edits={"tables.sessions.encoding": "utf8x"},
    ),
    Case(
        (
            "E130 data/dataset.yaml, key tables.sessions.file: '../sessions.csv' leads out of the "
            "dataset's folder. Put the file into that folder and write its name only."
        ),
        edits={"tables.sessions.file": "../sessions.csv"},
    ),
    Case(
        (
            "E131 data/dataset.yaml, key mirror_folder: the files are those of a public dataset, "
            "and are not here. Fetch them with `snakemake --cores 1 fetch_data`, or set mirror in "
            "config.yaml to the folder that holds 'clinic'."
        ),
        edits={"mirror_folder": "clinic"},
    ),
    Case(
        (
            "E132 data/dataset.yaml, key measures.alliance.reverse: 'srs5' is none of the columns "
            "under items. Did you mean 'srs4'? Columns of items here: srs1, srs2, srs3, srs4."
        ),
        edits={"measures.alliance.reverse": ["srs5"]},
    ),
    Case(
        (
            "E133 data/dataset.yaml, line 3, key licence: TODO is left: nobody but you can know "
            "this. Under which terms the data may be used; shown wherever results appear. Write "
            "the value in its place (allowed: text, not empty)."
        ),
        edits={"licence": "TODO"},
    ),
]
