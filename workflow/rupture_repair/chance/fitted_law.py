"""The law of ruptures of a dataset by penalised likelihood: EM with the particles of the oracle."""

from dataclasses import replace

import numpy as np

from ..detection.courses import Courses
from ..detection.scan.population import some_courses
from .noise import Noise, RatingForm
from .oracle import OrdinaryFluctuation, posterior
from .rupture_law import RuptureKind, RuptureLaw

#: Courses that the law is fitted to, at most; particles for each; and steps of EM.
COURSES, PARTICLES, STEPS = 250, 24, 6

#: What is assumed beforehand, in typical SD of ordinary ups and downs, and how many ruptures that
#: counts for: where there are few, the law stays near it.
_RATE, _DEPTH, _REPAIRED, _COUNTS = 0.05, 2.0, 0.6, 3.0

#: Bounds of a fall, in typical SD: shallower ones cannot be told from noise by any method.
_LEAST, _MOST = 0.75, 6.0

#: The rate is at least this, so that ruptures are looked for at all.
LEAST_RATE = 0.01


def ordinary_of(courses: Courses, noise: Noise, form: RatingForm) -> OrdinaryFluctuation:
    """Return what the oracle knows of the ordinary ups and downs of a dataset."""
    p, number = noise.ordinary, len(courses.length)
    log_sd = (np.log(p.variance) / 2, noise.volatility)
    return OrdinaryFluctuation(
        level=np.tile([p.level, p.level_variance], (number, 1)),
        trend=np.tile([p.trend, p.trend_variance], (number, 1)),
        log_sd=np.tile(log_sd, (number, 1)),
        carry=p.carry,
        error=form.step**2 / 12,
        form=form,
    )


def assumed_law(noise: Noise) -> RuptureLaw:
    """Return the law that is assumed before ratings are looked at."""
    typical = float(np.sqrt(noise.ordinary.variance))
    return RuptureLaw(
        rate=_RATE,
        kinds=(RuptureKind(1.0, _DEPTH * typical, _REPAIRED),),
        least=_LEAST * typical,
        most=_MOST * typical,
    )


def fitted_law(
    courses: Courses, noise: Noise, form: RatingForm, entropy: np.random.SeedSequence
) -> tuple[RuptureLaw, float]:
    """Fit rate, depth, spread of depths and share repaired; the rest of the law is assumed.

    Parameters
    ----------
    courses : Courses
        As observed, turned so that higher is better.
    noise : Noise
    form : RatingForm
    entropy : SeedSequence

    Returns
    -------
    law : RuptureLaw
    ruptures : float
        How many the courses that it was fitted to have by it.
    """
    some, first = some_courses(courses, COURSES), assumed_law(noise)
    ordinary, law, onsets = ordinary_of(some, noise, form), first, 0.0
    expected = np.log(first.kinds[0].depth)
    for seed in entropy.spawn(STEPS):
        sums = posterior(some, ordinary, law, particles=PARTICLES, entropy=seed).sums.sum(axis=0)
        onsets, chances, depths, squares, repairs = (float(one) for one in sums)
        counts = onsets + _COUNTS
        mean = (depths + _COUNTS * expected) / counts
        around = squares - 2 * mean * depths + onsets * mean**2
        around += _COUNTS * (first.spread**2 + (expected - mean) ** 2)
        rate = counts / (chances + _COUNTS / first.rate)
        kind = RuptureKind(1.0, float(np.exp(mean)), (repairs + _COUNTS * _REPAIRED) / counts)
        law = replace(law, rate=max(rate, LEAST_RATE), kinds=(kind,),
                      spread=float(np.sqrt(around / counts)))  # fmt: skip
    return law, onsets
