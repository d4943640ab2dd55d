"""The models as data, so that reports print what was fitted."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Variant:
    """One way to fit a model.

    Attributes
    ----------
    formula : str
        In lme4's notation.
    about : str
        What the variant is for.
    table : str
        The table of exposure that it is fitted to, see :func:`rupture_repair.models.fit_all`.
    family : {"gaussian", "binomial"}
    ar1 : str or None
        Column of session numbers over which residuals are autocorrelated.
    group : str or None
        With it the model is fitted by generalised estimating equations with this grouping column.
    moderator : str or None
        The column that moderates.
    answers : tuple of str or None
        As for the model, where the variant differs.
    always : bool
        Whether it is fitted for every criterion whatever `variants_for` says: claims rest on it.
    contrasts : mapping of str to mapping
        Name -> weights of terms, which are tested together as a row of its own.
    view : {"smoothed", "filtered"} or None
        With it the exposure is a probability, see :mod:`rupture_repair.models.probable`.
    """

    formula: str
    about: str
    table: str
    family: str = "gaussian"
    ar1: str | None = None
    group: str | None = None
    moderator: str | None = None
    answers: tuple[str, ...] | None = None
    always: bool = False
    contrasts: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    view: str | None = None


@dataclass(frozen=True)
class Model:
    """A model and its variants.

    Attributes
    ----------
    id : str
    question : str
        What is asked, in words.
    rows : {"session", "course", "episode"}
        What one row of the analysis is.
    variants : dict of str to Variant
        `main` is the first.
    reading : dict of str to str
        What the coefficient of a term means.
    answers : tuple of str
        Beginnings of the terms that answer the question; a fit without any is no answer.
    empty : str
        What it means that the table of the model has no rows.
    rests_on : str
        The variant that statements about the question rest on: headline, claims, synthesis.
    probable : tuple of str
        Variants that they rest on in its place where the hidden Markov model is identified: a
        statement needs all of them. The first is shown first.
    early : str
        The variant by the ratings up to each session alone, which a claim needs as well: where the
        outcome moves later ratings, these tell of the outcome, and not of a rupture.
    without_probable : str
        Why there are none.
    """

    id: str
    question: str
    rows: str
    variants: dict[str, Variant]
    reading: dict[str, str]
    answers: tuple[str, ...]
    empty: str
    rests_on: str = "main"
    probable: tuple[str, ...] = ()
    early: str = ""
    without_probable: str = ""

    @property
    def must_agree(self) -> tuple[str, ...]:
        """The variants by probabilities that a claim needs, the one that is shown first."""
        return (*self.probable, *filter(None, [self.early]))

    @property
    def formula(self) -> str:
        """Formula of the main variant."""
        return self.variants["main"].formula

    @property
    def about(self) -> dict[str, str]:
        """What each variant is for."""
        return {name: variant.about for name, variant in self.variants.items()}


_RANDOM = "(1 + time | course) + (1 | therapist)"
_CONTROLS = f"time + n_sessions + baseline + {_RANDOM}"
_NEXT = f"repaired_within + open_within + repaired_between + open_between + {_CONTROLS}"
_DETRENDED = f"repaired_detrended + open_detrended + repaired_between + open_between + {_CONTROLS}"

#: The term that sets repaired against open ruptures, and what it is made of, by kind of exposure.
REPAIRED_MINUS_OPEN = "repaired_minus_open"
_WITHIN, _WITHOUT_TREND = (
    {REPAIRED_MINUS_OPEN: {f"repaired_{kind}": 1.0, f"open_{kind}": -1.0}}
    for kind in ("within", "detrended")
)

#: The criterion whose model the probabilities are of: their rows stand under it.
PROBABLE_CRITERION = "rupture_probability"
#: The claims on the next outcome, which rest on them.
ON_NEXT_OUTCOME = ("C7", "C9")


def _probable(covariate: str, view: str, about: str) -> Variant:
    """Return a variant whose exposures are probabilities, next to a covariate."""
    exposures = " + ".join(
        f"{name}_{part}"
        for part in ("within", "between")
        for name in ("repaired", "open", covariate)
    )
    formula = f"outcome_next ~ {exposures} + {_CONTROLS}"
    return Variant(
        formula, about, "sessions", ar1="session", always=True, contrasts=_WITHIN, view=view
    )


_NEXT_SESSION = Model(
    id="next_session",
    question="Does a repaired (an open) rupture now go with a better (a worse) outcome at the "
    "next session?",
    rows="session",
    variants={
        "main": Variant(
            f"outcome_next ~ {_NEXT}", "as the formula says", "sessions", contrasts=_WITHIN
        ),
        "with_outcome_now": Variant(
            f"outcome_next ~ outcome_now + {_NEXT}",
            "with the outcome of the same session as a covariate: change from one session to the "
            "next; in short courses the estimates are pulled towards zero, because the outcome "
            "now carries the course's own level (Nickell 1981, doi 10.2307/1911408)",
            "sessions",
            contrasts=_WITHIN,
        ),
        "detrended": Variant(
            f"outcome_next ~ {_DETRENDED}",
            "exposure as its residual from the course's own straight line over time, so that no "
            "trend of a course passes for an effect",
            "sessions",
            contrasts=_WITHOUT_TREND,
        ),
        "ar1": Variant(
            f"outcome_next ~ {_NEXT}",
            "with residuals that are autocorrelated over session numbers; statements on what goes "
            "with the states that a criterion finds rest on it: where the outcome carries over "
            "from session to session, the standard errors of main, with_outcome_now and detrended "
            "are too small (docs/power.md)",
            "sessions",
            ar1="session",
            always=True,
            contrasts=_WITHIN,
        ),
        "probable_total": _probable(
            "deviation",
            "smoothed",
            "an open rupture against a steady session of equal ordinary fluctuation: exposures are "
            "probabilities by the hidden Markov model, residuals are autocorrelated, and standard "
            "errors know that its parameters were estimated; what goes with a repair is "
            "exploratory: five sixths of it come back in simulated studies (docs/effects.md)",
        ),
        "probable_direct": _probable(
            "rating",
            "smoothed",
            "the same against a steady session with the same rating: what a rupture does beyond "
            "the rating itself",
        ),
        "probable_filtered": _probable(
            "deviation",
            "filtered",
            "as probable_total, from the ratings up to each session only: where it differs "
            "clearly, the outcome may move later ratings",
        ),
    },
    reading={
        "repaired_within": "difference in the next outcome, in points, between sessions of one "
        "course at or after a repair and its steady sessions",
        "open_within": "the same for sessions with a rupture that is not repaired so far",
        REPAIRED_MINUS_OPEN: "difference in the next outcome, in points, between sessions at or "
        "after a repair and sessions with a rupture that is not repaired so far",
        "repaired_between": "difference in outcome between a course with all and a course with "
        "none of its sessions at or after a repair",
        "open_between": "the same for sessions with a rupture that is not repaired so far",
        "repaired_detrended": "as repaired_within, without the course's own trend in exposure",
        "open_detrended": "as open_within, without the course's own trend in exposure",
        "deviation_within": "points of the next outcome for one point of ordinary fluctuation",
        "rating_within": "points of the next outcome for one point of the rating",
        "outcome_now": "points of the next outcome for one point of the outcome now",
        "time": "points per session number",
        "n_sessions": "points for each further rated session of the course",
        "baseline": "points for one point of the first rated outcome",
    },
    answers=("repaired_within", "open_within", "repaired_detrended", "open_detrended"),
    empty="no session whose state is known is followed by a rated outcome within the allowed gap",
    rests_on="ar1",
    probable=("probable_total", "probable_direct"),
    early="probable_filtered",
)

_TRAJECTORY = Model(
    id="trajectory",
    question="Do the slopes of courses with repaired and with unrepaired ruptures differ from "
    "those of courses without ruptures?",
    rows="session",
    variants={
        "main": Variant(
            f"outcome ~ time * group + {_RANDOM}",
            "as the formula says; the group of a course is known only at its end",
            "trajectories",
        ),
        "landmark": Variant(
            f"outcome ~ time * group + {_RANDOM}",
            "groups fixed by what had happened up to a landmark, slopes after it, so that a long "
            "course has no better chance of a repair; time is counted from the landmark",
            "trajectories_after",
            always=True,
        ),
    },
    reading={
        "time": "points per session number in courses without ruptures",
        "group": "difference in outcome at time 0 from courses without ruptures",
        "time:group": "difference in slope, points per session number, from courses without "
        "ruptures",
    },
    answers=("time:group",),
    empty="no course that could be assessed has a rated outcome",
    without_probable="whole episodes are counted, of which probabilities of single sessions say "
    "nothing",
)

_COURSE = (
    "first_outcome + n_repaired + n_unrepaired + n_censored + n_sessions + mean_alliance + "
    "(1 | therapist)"
)

_FINAL = Model(
    id="final",
    question="At the end of therapy, is the outcome better after repaired and worse after "
    "unrepaired ruptures?",
    rows="course",
    variants={
        "main": Variant(f"last_outcome ~ {_COURSE}", "as the formula says", "courses"),
        "recovered": Variant(
            f"recovered ~ {_COURSE}",
            "log odds of recovery (reliable change and beyond the cut-off) among courses that "
            "began on the clinical side, by logistic regression",
            "courses",
            family="binomial",
        ),
        "recovered_gee": Variant(
            f"recovered ~ {_COURSE}",
            "the same by generalised estimating equations, averaged over therapists",
            "courses",
            family="binomial",
            group="therapist",
        ),
    },
    reading={
        "first_outcome": "points for one point of the first outcome",
        "n_repaired": "points for each repaired rupture of the course",
        "n_unrepaired": "points for each unrepaired rupture of the course",
        "n_censored": "points for each rupture with too few sessions left to know",
        "n_sessions": "points for each further rated session of the course",
        "mean_alliance": "points for one point of the course's mean alliance",
    },
    answers=("n_repaired", "n_unrepaired"),
    empty="no course could be assessed",
    without_probable="whole episodes are counted, of which probabilities of single sessions say "
    "nothing",
)

_LEAVING = "time + I(time ** 2) + open_prev + repaired_prev"

_ENDING = Model(
    id="ending",
    question="Do clients leave sooner after a session with an open rupture?",
    rows="session",
    variants={
        "main": Variant(
            f"left ~ {_LEAVING} + baseline + (1 | therapist)",
            "hazard of dropping out with a session, by the status of the session before",
            "leaving",
            family="binomial",
        ),
        "without_baseline": Variant(
            f"left ~ {_LEAVING} + (1 | therapist)",
            "the same without the first outcome, which not every course has",
            "leaving",
            family="binomial",
        ),
    },
    reading={
        "open_prev": "log odds ratio of leaving with the session after one with an open rupture, "
        "against one after a steady session",
        "repaired_prev": "the same after a session at or after a repair",
        "time": "change of the log odds per session number, at the first session",
        "I(time ** 2)": "bend of the log odds over session numbers",
        "baseline": "log odds ratio for one point of the first rated outcome",
    },
    answers=("open_prev", "repaired_prev"),
    empty="no session follows one whose state is known",
    without_probable="whether a rupture stays open depends on leaving, so that a probability that "
    "knows how the course went on is circular",
)

_GROWTH = Model(
    id="growth",
    question="Is the alliance higher after a repaired, and lower after an unrepaired rupture than "
    "before it, beyond what it does where there is no rupture?",
    rows="episode",
    variants={
        "main": Variant(
            "gain ~ 0 + repaired + unrepaired + censored + depth + time + (1 | course)",
            "change over an episode minus that over matched stretches of other courses outside "
            "episodes, which begin as high; but zero is no neutral value: a fall is itself a sign "
            "that the level before it was high by chance, so that in data without any rupture "
            "falls from the previous rating show losses of about half a within-course SD "
            "(docs/decisions.md)",
            "growth",
        ),
    },
    reading={
        "repaired": "points by which the alliance lies higher after a repaired rupture than "
        "before it, beyond matched stretches, at mean depth and time",
        "unrepaired": "the same for an unrepaired rupture",
        "censored": "the same for a rupture with too few sessions left to know",
        "depth": "points for each point of a deeper fall",
        "time": "points per session number of the onset",
    },
    answers=("repaired", "unrepaired"),
    empty="no episode has an onset, a later rating and a matched stretch",
    without_probable="whole episodes are counted, of which probabilities of single sessions say "
    "nothing",
)

_MODERATED = "depth + session + (1 | therapist)"

_MODERATION = Model(
    id="moderation",
    question="What goes with the repair of a rupture?",
    rows="episode",
    variants={
        "main": Variant(
            f"repaired ~ {_MODERATED}",
            "without a moderator: depth and time of the rupture",
            "moderation",
            family="binomial",
            answers=("depth",),
        ),
        **{
            name: Variant(
                f"repaired ~ {name} + {_MODERATED}",
                about,
                "moderation",
                family="binomial",
                moderator=name,
                answers=(name,),
                always=name in ("disagreement", "noticed"),
            )
            for name, about in {
                "disagreement": "how far client's and therapist's ratings lie apart",
                "noticed": "whether the therapist reported a rupture",
                "kind": "withdrawal or confrontation, as coded",
                "cause": "the coded cause",
                "strategy": "the coded repair strategy",
            }.items()
        },
    },
    reading={
        "depth": "log odds ratio of repair for each point of a deeper fall",
        "session": "log odds ratio of repair per session number",
        "disagreement": "log odds ratio of repair for one standard deviation between the raters",
        "noticed": "log odds ratio of repair where the therapist reported a rupture",
        "kind": "log odds ratio of repair against episodes that were not coded",
        "cause": "log odds ratio of repair against episodes that were not coded",
        "strategy": "log odds ratio of repair against episodes that were not coded",
    },
    answers=("depth",),
    empty="no episode is known to be repaired or not",
    without_probable="whole episodes are counted, of which probabilities of single sessions say "
    "nothing",
)

#: The models, in the order of the report.
MODELS: dict[str, Model] = {
    model.id: model for model in (_NEXT_SESSION, _TRAJECTORY, _FINAL, _ENDING, _GROWTH, _MODERATION)
}


#: Variants whose exposures are probabilities.
PROBABLE_VARIANTS = {
    name: variant for name, variant in _NEXT_SESSION.variants.items() if variant.view
}

#: What the message of an estimate begins with where its two measures are one.
SAME_SCORES = "rating and outcome are the same scores, so that an association is built in"
