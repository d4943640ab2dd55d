"""Small datasets of clinics, as files."""

from collections.abc import Sequence

from project_copy import Project

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


#: The clinics that are built once, and settings with which every step is quick.
CLINICS = ("north", "south", "west")
QUICK = """\
criteria: [v_1sd, v_2sd]
default_criterion: v_1sd
multiverse: {most: 12, permutations: 9}
chance: {replicates: 5, slow_replicates: 2, planted_falls: {courses: 50},
  certificate: {courses: 20, particles: 5}}
"""


def settings(datasets: Sequence[str], quick: str = QUICK) -> str:
    """Return a config.yaml of these datasets."""
    return f"datasets: [{', '.join(datasets)}]\n{quick}"


def wandering(seed: int, courses: int = 30, sessions: int = 10) -> str:
    """Return ratings that wander without a pattern from course to course."""
    state, lines = seed, []
    for course in range(1, courses + 1):
        for session in range(1, sessions + 1):
            state = (1103515245 * state + 12345) % 2**31
            srs, ors = 25 + state // 65536 % 13, 12 + state // 1024 % 17
            lines.append(f"c{course:02},{session},{srs},{ors}")
    return HEADER + "\n".join(lines) + "\n"


def prepare(project: Project) -> None:
    """Put the clinics into a project."""
    project.settings(settings(CLINICS))
    for seed, name in enumerate(CLINICS, 1):
        project.dataset(name, DESCRIPTOR, sessions=wandering(seed))
