"""Small random datasets on which mixed models are hard to fit, the same for every engine.

20 to 60 courses, some of one session, with sessions missing in between; true variances zero, small
or large; intercepts and slopes perfectly correlated now and then; with and without slope and
therapist.
"""

import numpy as np
import pandas as pd

FORMULAS = (
    "y ~ time + x + (1 | course)",
    "y ~ time + x + (1 + time | course)",
    "y ~ time + x + (1 | course) + (1 | therapist)",
    "y ~ time + x + (1 + time | course) + (1 | therapist)",
)


def random_case(seed):
    """Return formula, whether by REML, and data (residual SD is 3)."""
    random = np.random.default_rng([seed, 4])
    formula, reml = FORMULAS[seed % 4], seed // 4 % 2 == 0
    courses, longest = random.integers(20, 61), random.integers(4, 16)
    length = random.integers(1, longest + 1, courses)
    therapist = random.integers(0, random.integers(3, 13), courses)
    course = np.repeat(np.arange(courses), length)
    time = np.arange(len(course)) - np.repeat(np.cumsum(length) - length, length)
    present = (random.random(len(course)) < 0.85) | (time == 0)
    course, time = course[present], time[present]
    effects = random.standard_normal((2, courses))
    correlation = random.choice([-1.0, -0.5, 0.0, 0.5, 1.0])
    effects[1] = correlation * effects[0] + np.sqrt(1 - correlation**2) * effects[1]
    level = random.choice([0.0, 0.5, 4.0]) * effects[0]
    slope = random.choice([0.0, 0.05, 0.5]) * effects[1]
    skill = random.choice([0.0, 0.4, 2.0]) * random.standard_normal(13)
    x = (random.random(len(course)) < 0.25).astype(int)
    y = 20 + 0.4 * time + 1.5 * x + level[course] + slope[course] * time
    y = y + skill[therapist[course]] + 3 * random.standard_normal(len(course))
    columns = {"course": course, "therapist": therapist[course], "time": time, "x": x}
    return formula, reml, pd.DataFrame(columns | {"y": np.round(y, 3)})


def fits(formula, table):
    """Tell whether the data can be fitted: more rows than random effects, x not constant."""
    effects = 2 if "1 + time" in formula else 1
    return len(table) > effects * table["course"].nunique() and np.ptp(table["x"]) > 0
