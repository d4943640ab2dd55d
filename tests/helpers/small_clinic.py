"""A small dataset of a clinic, as files."""

DESCRIPTOR = """\
title: Clinic
source: a clinic
licence: none
citation: none
tables:
  sessions: {file: sessions.csv, course: course, session: session}
measures:
  alliance: {instrument: SRS, rater: client, timing: end, total: srs}
  outcome: {instrument: ORS, rater: client, timing: start, total: ors}
missing: ["", NA]
"""


HEADER = "course,session,srs,ors\n"


def rows(courses: int, sessions: int) -> str:
    lines = [
        f"c{course:02},{session},"
        f"{30 + (7 * course + 5 * session * session + (course // 12) * session) % 11},"
        f"{15 + (3 * course + 7 * session) % 13}"
        for course in range(1, courses + 1)
        for session in range(1, sessions + 1)
    ]
    return HEADER + "\n".join(lines) + "\n"
