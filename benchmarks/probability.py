"""Time the hidden Markov model: estimating its parameters, then assessing every session.

    python benchmarks/probability.py [--courses 100000] [--sessions 12]

Draws SRS-like courses with ruptures and prints seconds, microseconds per rating, and peak memory
of this one process.
"""

import argparse
import resource
import time

import numpy as np

from rupture_repair.detection.courses import Courses
from rupture_repair.detection.hidden_markov import rupture_probability


def draw(courses: int, sessions: int) -> Courses:
    """Return courses in which 4 % of steady sessions begin a fall of 7 points."""
    random = np.random.default_rng(1)
    table = 33 + random.normal(0, 3, (courses, 1)) + random.normal(0, 2, (courses, sessions))
    ruptured = np.zeros(courses, dtype=bool)
    for t in range(1, sessions):
        chance = random.random(courses)
        ruptured = np.where(ruptured, chance >= 0.3, chance < 0.04)
        table[:, t] -= 7 * ruptured
    rating = np.clip(table.round(1), 0, 40).ravel()
    session = np.tile(np.arange(1, sessions + 1), courses)
    return Courses(rating, session, np.arange(courses + 1) * sessions)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--courses", type=int, default=100_000)
    parser.add_argument("--sessions", type=int, default=12)
    arguments = parser.parse_args()
    courses = draw(arguments.courses, arguments.sessions)
    number = len(courses.rating)
    print(f"{arguments.courses} courses, {number} ratings")

    begin = time.perf_counter()
    model = rupture_probability.fit(courses, low=0, high=40, step=0.1)
    fitted = time.perf_counter() - begin
    assessment = rupture_probability.assess(courses, model)
    both = time.perf_counter() - begin
    low = rupture_probability.low(courses, model, assessment).low
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    print(f"fit      {fitted:6.1f} s   {model.n_courses} courses")
    print(f"assess   {both - fitted:6.1f} s   {(both - fitted) / number * 1e6:.1f} us per rating")
    print(f"together {both:6.1f} s   peak {peak:.2f} GB, {low.mean():.1%} of sessions ruptured")


if __name__ == "__main__":
    main()
