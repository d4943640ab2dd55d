"""Forms on which simulated ratings are given: their items, ends and steps."""

from dataclasses import dataclass

import numpy as np

from ..project.arrays import Floats
from .settings import SimulationSettings

#: Upper end of the total of every form, in points; the lower one is 0.
HIGHEST = 40.0
#: Means of the four SRS items around a quarter of the total; they sum to zero.
_ITEM_MEANS = (0.25, -0.05, -0.15, -0.05)
_THERAPIST_ITEM_MEANS = (0.2, 0.0, -0.2, 0.0)
OUTCOME_COMPONENTS = ("individual", "interpersonal", "social", "overall")
#: SD of an outcome component around a quarter of the total: lasting, and at each session.
OUTCOME_ITEM_SD = (1.0, 0.8)


@dataclass(frozen=True)
class SimulatedForm:
    """A form of one or more items whose total lies between 0 and 40 points.

    Attributes
    ----------
    most : tuple of float
        Upper end of each item; they sum to 40, and an item has such a share of the total.
    means : tuple of float
        Mean of each item around its share of the total, in points.
    marks_per_point : tuple of float
        How many marks can be told apart in a point of each item.
    lasting, momentary : float
        SD of an item around its share: lasting in a course, and at each session.
    carry : float
        AR(1) coefficient of the total from one session number to the next.
    unrated, missing_item : float
        Probability that a form is blank, and that one of its items is.
    main_item : bool
        Whether ruptures hit one item most (of the alliance, that of the cause; of the outcome,
        interpersonal), as the settings say; else every item has its share of them.
    """

    most: tuple[float, ...]
    means: tuple[float, ...]
    marks_per_point: tuple[float, ...]
    lasting: float
    momentary: float
    carry: float
    unrated: float
    missing_item: float
    main_item: bool = False

    @property
    def share(self) -> Floats:
        """Share of each item in the total."""
        return np.array(self.most) / HIGHEST


@dataclass(frozen=True)
class SimulatedForms:
    """The forms of the client's alliance, the therapist's, and the outcome."""

    alliance: SimulatedForm
    alliance_therapist: SimulatedForm
    outcome: SimulatedForm

    @classmethod
    def of(cls, s: SimulationSettings) -> "SimulatedForms":
        """Return the forms of the demo: SRS and ORS, with four marks in millimetres each."""

        def four(means: tuple[float, ...], sds: tuple[float, float], blank: float) -> SimulatedForm:
            return SimulatedForm(
                most=(HIGHEST / 4,) * 4, means=means, marks_per_point=(10.0,) * 4, lasting=sds[0],
                momentary=sds[1], carry=s.autocorrelation, unrated=blank,
                missing_item=s.missing_item, main_item=True,
            )  # fmt: skip

        item = (s.item_sd_course, s.item_noise)
        return cls(
            alliance=four(_ITEM_MEANS, item, s.unrated),
            alliance_therapist=four(_THERAPIST_ITEM_MEANS, item, s.unrated_therapist),
            outcome=four((0.0,) * 4, OUTCOME_ITEM_SD, s.unrated),
        )


@dataclass(frozen=True)
class OtherView:
    """Another rating of the same courses: another level, and part of each fall.

    Attributes
    ----------
    level, sd_course, sd_therapist, sd_within : float
        In points, as those of the alliance.
    trend, trend_sd : float
        Mean and SD of the linear trend, points per session.
    between, within : float
        Correlation with the alliance of the levels, and of the ordinary fluctuation.
    seen_noticed, seen_unnoticed : float
        Share of a fall that it shows, if the therapist noticed it and if not.
    """

    level: float
    sd_course: float
    sd_therapist: float
    sd_within: float
    trend: float
    trend_sd: float
    between: float
    within: float
    seen_noticed: float
    seen_unnoticed: float

    @classmethod
    def of(cls, s: SimulationSettings) -> "OtherView":
        """Return the therapist's view of the demo."""
        return cls(
            s.therapist_level, s.therapist_sd_course, s.therapist_sd_therapist,
            s.therapist_sd_within, 0.0, 0.0, s.agreement_between, s.agreement_within,
            s.seen_noticed, s.seen_unnoticed,
        )  # fmt: skip
