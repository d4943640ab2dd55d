"""Every reason that a table can give: why something is missing, or what is to be minded.

The text of a reason has fields for its facts. Between < and > is what only the owner of the data
may read; after a bar what others read instead. Others never read a fact that is not among
:data:`SHOWN`. A reason without facts needs no name: it is written where it is given.
"""

#: Facts that others may read: words, and numbers that were chosen or belong to the method.
SHOWN = frozenset(
    {"between", "criteria", "direction", "every", "instrument", "level", "measure", "method",
     "missing", "model", "names", "of", "outcome", "reason", "reference", "rule_for", "term",
     "terms", "units", "upper", "variant", "what",
     "cut_off", "deviation", "errors", "gain", "gradient", "highest", "items", "k", "lowest",
     "needed", "percent", "quoted", "separation", "session", "smallest"}
)  # fmt: skip

#: Facts that others may read where the estimate is shown of which they are digits.
OF_ESTIMATES = frozenset({"direct", "estimate", "low", "high", "sd", "reliability"})

_DETECTION = {
    "mostly": "no session could be assessed, mostly: {reason}",
    "other_instrument": "the rule is for {rule_for}, this measure is {instrument}",
    "level_outside": "the level {cut_off} lies outside the range {lowest} to {highest}",
    "fewer_ratings": "fewer than {needed} ratings",
    "ruptures_near": "ruptures lie only {separation} SD below the other sessions, less than "
    "{smallest}: they cannot be distinguished from skewed noise",
    "mostly_ruptured": "{percent} of all sessions would be ruptured: it is not known which are "
    "ordinary",
    "k_too_large": "up to k = {k} more than {percent} of {of} are false alarms",
    "too_short_for_k": "no course is long enough for a k with at most {percent} false alarms",
    "every_k_by_chance": "at every k that finds an episode more than {percent} are by chance",
    "all_alike": "{criteria} {every} in an episode",
}

_MODELS = {
    "criterion": "the criterion is not assessable: {reason}",
    "no_outcome": "no outcome measure is paired with {measure}",
    "no_session_outcome": "no outcome that is rated at sessions is paired with {measure}",
    "before_and_after": "{outcome} is measured before and after therapy only, not at sessions",
    "not_measured": "{outcome} is not measured at sessions",
    "not_rated": "{measure} is not rated at sessions",
    "at_landmark": "groups by session {session}",
    "recovery_on": "recovery on {outcome} is not known: {reason}",
    "recovery": "recovery is not known: {reason}",
    "not_known": "{names} not known",
    "unknown_endings": "<{courses} courses|courses> whose ending is not known count until their "
    "last session but one",
    "other_reference": "no course is without ruptures: the reference is '{reference}'",
    "few_courses": "few courses<: {groups}| in some groups>",
    "no_result": "the model has no result: {reason}",
    "few_for_probabilities": "fewer than {needed} courses, too few for standard errors that know "
    "of the hidden Markov model",
    "mostly_at_an_end": "<{percent}|half or more> of the ratings are at an end of their scale: "
    "how they fluctuate there is not known",
    "rare_repairs": "of ruptures <only {percent}|too few> end within a session, {needed} are "
    "needed: what goes with a repair is not assessable by probabilities",
    "too_unsure": "not shown, as the standard error exceeds the SD of the outcome: {terms}",
    "feedback": "by the ratings up to each session alone the effect of an open rupture is "
    "<{early}, by all ratings {smoothed}|clearly another>: the outcome may move later ratings, "
    "and neither is sure",
    "outcome_is_rarer": "the outcome is rated at <{percent}|fewer than half> of the rated sessions",
}

_STATISTICS = {
    "all_missing": "no complete rows: {missing} missing",
    "left_out": "<{rows} of {all} rows|rows> left out with missing values< ({by_column})>",
    "nobody_named": "<no {level} is named|there are too few>: fitted without the {upper} level",
    "only_one": "<only one {level}|there are too few>: fitted without the {upper} level",
    "one_each": "each {level} has one {between}: fitted without the {upper} level",
    "aliased": "left out, being constant or a combination of other terms: {terms}",
    "aliased_here": "left out in these rows: {terms}",
    "offset": "{term} has the coefficient 1",
    "constant": "{term} does not vary<: it is {value_of_all} in all {rows} rows>",
    "no_variation": "{term} does not vary",
    "same_outcome": "the outcome <is {value_of_all} in all {rows} rows|does not vary>",
    "none_within": "the outcome does not vary within any {level}",
    "none_within_terms": "the outcome does not vary within any {level}, but for what the terms "
    "explain",
    "too_few_events": "too few <events: {events} in {rows} rows for {number} terms|data for this "
    "model>",
    "too_few_units": "too few <{units}: {found} for {number} parameters|data for this model>",
    "separation": "separation in {terms}: <the outcome of {apart} of {rows} rows follows from this "
    "without error, so that no|no> finite estimate exists, merge rare categories or leave a term "
    "out",
    "slope_left_out": "the random {names} given {level} cannot be distinguished from the residual"
    "< ({rows} rows, {effects} random effects)>: fitted with the random intercept only",
    "level_left_out": "the random effects of {level} cannot be distinguished from the residual"
    "< ({rows} rows, {found} units)>: fitted without the {upper} level",
    "singular": "singular: {reason}",
    "zero_variance": "the variance of {names} given {level} is zero",
    "correlated": "{names} given {level} are perfectly correlated",
    "few_groups": "<{groups} groups|few groups>: robust errors are too small with fewer than about "
    "{needed}",
    "no_level": "no {level} level to average over",
    "no_solution": "<the estimating equations have no solution: {rarer} rows with the rarer "
    "outcome are too few for {number} terms|too few data for this model>",
    "not_solved": "the estimating equations were not solved<: {said}>",
    "unbounded": "the standard deviation of intercepts given {level} grows without bound: the "
    "terms and the units tell almost every outcome without error",
    "stopped_away": "stopped {errors} standard errors away from an optimum",
    "from_start": "from a standard deviation of {deviation}: {reason}",
    "unchecked": "the check for separation failed<: {said}>",
    "could_gain": "{method}: stopped where a step would gain {gain} log-likelihood",
    "steep": "{method}: stopped with a gradient of {gradient}",
    "broke_off": "{method} broke off<: {said}>",
    "zero_estimate": "the estimate of {terms} is exactly zero",
}

_CLAIMS = {
    "courses_with_outcome": "<{courses} courses with|too few courses with> first and last outcome, "
    "{needed} are needed",
    "courses_with_components": "<{courses} courses with {sessions} sessions|too few courses with "
    "several sessions> with all components, {needed} are needed",
    "few_recovered": "<{courses} recovered courses, {least} are needed|too few courses are known "
    "to have recovered>",
    "not_told_apart": "<{number} >{what} of <{groups} >{units} are too few to tell them apart",
    "intraclass_of": "<{number}|all> {what} of <{groups} >{units}",
    "not_fitted_here": "the model {model}, {variant}, was not fitted for this criterion (models: "
    "variants_for: all_criteria fits it)",
    "of_model": "the model {model}, {variant}: {reason}",
    "no_such_term": "the model {model}, {variant}, has no {term}: none occurred",
    "not_fitted": "the model {model} was not fitted",
    "no_estimates": "the model {model} has no estimates: {reason}",
    "no_term": "the model has no term {term}: it is constant or follows from the others",
    "no_term_without_it": "without it there is no term {term}",
    "nothing_to_compare": "no {term} to compare: {reason}",
    "few_first_ruptures": "<{courses} courses, {repaired} courses with the first rupture repaired "
    "and {unrepaired} courses with it not repaired, {least} are needed, {each} of each|too few "
    "courses with the first rupture repaired, or with it not repaired>",
    "what_became": "<of {courses} courses, left out: {left_out}>",
    "paths": "difference in all {estimate}, not through the alliance {direct} [{low}, {high}]",
    "few_coded": "<{episodes} coded episodes of {codes} codes|too few coded episodes>, {needed} of "
    "{smallest} are needed",
    "codes_alike": "the variance between codes is estimated as zero< in {episodes} episodes>: it "
    "has no interval",
    "quoted": "quoted: {quoted}",
    "shares": "share with an episode< {shares}>, expected by chance in the recovered: {estimate}",
    "outside": "the interval [{low}, {high}] does not hold its own estimate {estimate}: the method "
    "does not fit these data",
    "few_units": "<{found} units are too few|too few units> to see a distribution",
    "few_pairs": "<{pairs} pairs are too few|too few pairs>",
}

_INTERVAL, _WORTH = (
    "the interval [{low}, {high}]",
    "the smallest effect worth caring about ({smallest})",
)

_VERDICTS = {
    "above_worth": f"{_INTERVAL} lies at or above {_WORTH}",
    "below_worth": f"{_INTERVAL} lies below {_WORTH}",
    "around_worth": f"{_INTERVAL} holds values below and above {_WORTH}",
    "not_zero": f"{_INTERVAL} excludes zero",
    "near_zero": f"{_INTERVAL} lies within plus or minus {_WORTH}",
    "none_as_large": f"{_INTERVAL} holds no effect as large as {_WORTH}",
    "beyond_zero": f"{_INTERVAL} lies {{direction}} zero",
    "other_side": f"{_INTERVAL} holds only the other side of zero",
    "less_than_worth": f"the whole interval [{{low}}, {{high}}] holds less than {_WORTH}",
    "beyond_but_small": f"{_INTERVAL} lies {{direction}} zero, but the estimate is smaller than "
    f"{_WORTH}",
    "imprecise": "too imprecise: both no effect and one worth caring about fit the interval "
    "[{low}, {high}]",
    "chance_makes_it": "{reason}, but chance alone makes it {direction}",
    "by_total": "total: {reason}",
    "by_direct": "beyond the rating: {reason}",
    "by_early": "by the ratings up to each session: {reason}",
    "not_by_probabilities": "by probabilities not assessable: {reason}",
    "share_left": "of the states that the criterion finds, which errs: of what goes with such a "
    "state {percent} is expected to be left here",
}

_SCALES = {
    "alpha_of_items": "Cronbach's alpha of the {items} items at the first complete rating of "
    "<{courses} courses of|courses of> this dataset",
    "change_of_courses": "1.96 x SD x sqrt(2) x sqrt(1 - reliability), SD {sd} of the first "
    "ratings of <{courses} courses|courses>, reliability {reliability}",
}

#: By name, the reasons that hold facts.
WITH_FACTS = _DETECTION | _MODELS | _STATISTICS | _CLAIMS | _VERDICTS | _SCALES

#: Why a session or course cannot be assessed; their order is that of the kernel's codes.
OF_SESSIONS = (
    "too few ratings",
    "no variation in the ratings of this course",
    "too few ratings for any to reach the threshold",
    "nothing to compare with",
    "the previous rating lies too many sessions back",
    "follows an episode whose outcome was not observed",
    "not rated",
    "too few ratings before or after this session",
    "half of the ratings or more are equal, so that their spread is zero",
)

#: The others, word by word.
WITHOUT_FACTS = (
    *OF_SESSIONS,
    "no session could be assessed",
    "the measure has no rating",
    "no reliability is known for this measure, so there is no reliable change",
    "the ratings do not vary within courses",
    "no course has three ratings that vary, so ordinary ups and downs are not known",
    "the rule needs the range of the scale",
    "no coded events: no rupture was reported",
    "no k was found at which rupture-free courses of this dataset rarely show an episode",
    "no evidence of a ruptured state: one state fits as well by BIC",
    "the estimation did not converge",
    "no model was fitted",
    "reports of ruptures cannot be simulated from the ratings",
    "no course is long enough for a fall and its repair",
    "the settings ask for no certificate",
    "too few courses to know how courses differ",
    "no session can be assessed by both",
    "the criterion is not assessable",
    "rating and outcome are the same scores, so that an association is built in",
    "another rating stands in for the alliance: this is a trial of the pipeline, not evidence on "
    "the alliance",
    "the criterion uses later ratings, so that what it says of the time before the landmark was "
    "not known then",
    "the engine statsmodels has no autocorrelated residuals in mixed models",
    "it is not known of any course how it ended: leaving cannot be distinguished from finishing",
    "no course was dropped out of",
    "there is nothing to compare",
    "no session whose state is known is followed by a rated outcome within the allowed gap",
    "no course that could be assessed has a rated outcome",
    "no course could be assessed",
    "no session follows one whose state is known",
    "no episode has an onset, a later rating and a matched stretch",
    "no episode is known to be repaired or not",
    "no ruptures reported by therapists",
    "no coded events",
    "the alliance is not rated by client and therapist",
    "not assessable by the criterion",
    "not followed by a rated outcome within the allowed gap",
    "a value of the model is missing",
    "there are no rows to analyse",
    "no complete rows",
    "the outcome does not vary in the rows that are left",
    "the terms explain the outcome completely, nothing is left to estimate",
    "effects of courses cannot be distinguished from the residual",
    "the model has no random part",
    "the logistic regression without a random part did not converge",
    "every stop could be left for a better one",
    "the likelihood cannot be computed at any starting point",
    "the covariance of the estimates is not positive definite",
    "no degrees of freedom from this engine: z statistic and normal interval",
    "fewer than 20 courses with three sessions followed by an outcome",
    "fewer than 20 courses with three sessions with all components",
    "the dataset has no components of the alliance",
    "the share expected by chance is not known for this criterion",
    "the share expected by chance is not known for any recovered course",
    "the share expected by chance is not known for every recovered course",
    "no therapist is named",
    "falls by chance alone show a loss, so that zero is not neutral (docs/decisions.md)",
    "alliance or last outcome do not differ between courses",
    "assumed: repair, alliance and outcome are not moved together by anything else (severity, "
    "therapist), the relations are straight lines, and that of alliance and outcome is the same "
    "after both, courses are independent",
    "strategies are coded up to the repair: an association, not an effect",
    "error of measurement of single items counts as unshared",
    "exploratory, as in simulated studies five sixths of what goes with a repair come back",
    "of the states that the criterion finds, which errs: in simulated studies 15 to 62 % of what "
    "goes with an open rupture is left (docs/power.md)",
    "the outcome has no interpersonal component",
    "no outcome measure is paired with this alliance measure",
    "the estimate has no interval",
    "alpha needs two components, the others need components that vary",
    "there is no fit with autocorrelated residuals",
    "its variance is zero",
    "another measure of the same dataset is used, so that estimates are independent",
    "synthetic data are not pooled with observed ones",
    "a twin is no study of its own",
)
