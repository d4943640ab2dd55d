"""Every sentence by which a table says why something is missing, or what is to be minded.

Between < and > is what only the owner of the data may read; after a bar what others read instead
(words only).
Of the fields, `{name}` is a word (a term, a criterion, an instrument), `{chosen}` a number that was
chosen or belongs to the method, `{estimate}` a number that is printed next to the sentence anyway,
`{reason}` another sentence, and `{found}` anything that was counted or measured: this one occurs
only where others do not read it.
"""

DETECTION = (
    "too few ratings",
    "no variation in the ratings of this course",
    "with so few ratings no rating can lie this far from the reference",
    "nothing to compare with",
    "the previous rating lies too many sessions back",
    "follows an episode whose outcome was not observed",
    "not rated",
    "too few ratings before or after this session",
    "half of the ratings or more are equal, so that their spread is zero",
    "no session could be assessed",
    "no session could be assessed, mostly: {reason}",
    "the measure has no rating",
    "the rule is for {name}, this measure is {name}",
    "no reliability is known for this measure, so there is no reliable change",
    "the ratings do not vary within courses",
    "the rule needs the range of the scale",
    "no coded events: no rupture was reported",
    "no k was found at which rupture-free courses of this dataset rarely show an episode",
    "the level {chosen} lies outside the range {chosen} to {chosen}",
    "fewer than {chosen} ratings",
    "no evidence of a ruptured state: one state fits as well by BIC",
    "ruptures lie only {chosen} SD below the other sessions, less than {chosen}: they cannot be "
    "distinguished from skewed noise",
    "{chosen} of all sessions would be ruptured: it is not known which are ordinary",
    "the estimation did not converge",
    "reports of ruptures cannot be simulated from the ratings",
    "up to k = {chosen} more than {chosen}% of {name} are false alarms",
    "no course is long enough for a k with at most {chosen}% false alarms",
    "at every k that finds an episode more than {chosen}% are by chance",
    "no session can be assessed by both",
    "{name} puts no session in an episode",
    "{name} put no session in an episode",
    "{name} puts every session in an episode",
    "{name} put every session in an episode",
)

MODELS = (
    "the criterion is not assessable",
    "the criterion is not assessable: {reason}",
    "no outcome measure is paired with {name}",
    "no outcome that is rated at sessions is paired with {name}",
    "{name} is measured before and after therapy only, not at sessions",
    "{name} is not measured at sessions",
    "{name} is not rated at sessions",
    "rating and outcome are the same scores, so that an association is built in",
    "another rating stands in for the alliance: this is a trial of the pipeline, not evidence on "
    "the alliance",
    "groups by session {chosen}",
    "the criterion uses later ratings, so that what it says of the time before the landmark was "
    "not known then",
    "the engine statsmodels has no autocorrelated residuals in mixed models",
    "recovery on {name} is not known: {reason}",
    "recovery is not known: {reason}",
    "{name} not known",
    "it is not known of any course how it ended: leaving cannot be distinguished from finishing",
    "no course was dropped out of",
    "<{found} courses|courses> whose ending is not known count until their last session but one",
    "there is nothing to compare",
    "no course is without ruptures: the reference is '{name}'",
    "few courses<: {found}| in some groups>",
    "no session whose state is known is followed by a rated outcome soon enough",
    "no course that could be assessed has a rated outcome",
    "no course could be assessed",
    "no session follows one whose state is known",
    "no episode has an onset, a later rating and a matched stretch",
    "no episode is known to be repaired or not",
    "no ruptures reported by therapists",
    "no coded events",
    "the alliance is not rated by client and therapist",
    "the model has no result: {reason}",
    "not assessable by the criterion",
    "not followed by a rated outcome soon enough",
    "a value of the model is missing",
)

STATISTICS = (
    "there are no rows to analyse",
    "no complete rows",
    "no complete rows: {name} missing",
    "<{found} of {found} rows|rows> left out with missing values< ({found})>",
    "<no {name} is named|there are too few>: fitted without the {name} level",
    "<only one {name}|there are too few>: fitted without the {name} level",
    "each {name} has one {name}: fitted without the {name} level",
    "left out, being constant or a combination of other terms: {name}",
    "left out in these rows: {name}",
    "{name} has the coefficient {chosen}",
    "{name} does not vary<: it is {found} in all {found} rows>",
    "the outcome <is {found} in all {found} rows|does not vary>",
    "the outcome does not vary in the rows that are left",
    "the outcome does not vary within any {name}",
    "the outcome does not vary within any {name}, but for what the terms explain",
    "the terms explain the outcome completely, nothing is left to estimate",
    "too few <events: {found} in {found} rows for {found} terms|data for this model>",
    "too few <{found}: {found} for {found} parameters|data for this model>",
    "separation in {name}: <the outcome of {found} of {found} rows follows from this without "
    "error, so that no|no> finite estimate exists; merge rare categories, or leave a term out",
    "the random slope of {name} given {name} cannot be distinguished from the "
    "residual< ({found})>: fitted with the random intercept only",
    "the random slopes of {name} given {name} cannot be distinguished from the "
    "residual< ({found})>: fitted with the random intercept only",
    "the random effects of {name} cannot be distinguished from the residual< ({found})>: fitted "
    "without the {name} level",
    "effects of courses cannot be distinguished from the residual",
    "the model has no random part",
    "singular: {reason}",
    "the variance of {name} given {name} is zero",
    "{name} given {name} are perfectly correlated",
    "<{found} groups|few groups>: robust errors are too small with fewer than about {chosen}",
    "no {name} level to average over",
    "<the estimating equations have no solution: {found} rows with the rarer outcome are too few "
    "for {found} terms|too few data for this model>",
    "the standard deviation of intercepts given {name} grows without bound: the terms and the "
    "units tell almost every outcome without error",
    "the estimating equations were not solved<: {found}>",
    "the logistic regression without a random part did not converge",
    "stopped {chosen} standard errors away from an optimum",
    "from a standard deviation of {chosen}: {reason}",
    "the check for separation failed<: {found}>",
    "every stop could be left for a better one",
    "the likelihood cannot be computed at any starting point",
    "{name}: stopped where a step would gain {chosen} log-likelihood",
    "{name}: stopped with a gradient of {chosen}",
    "the covariance of the estimates is not positive definite",
    "the estimate of {name} is exactly zero",
    "no degrees of freedom from this engine: z statistic and normal interval",
)

CLAIMS = (
    "<{found} courses with|too few courses with> first and last outcome; {chosen} are needed",
    "fewer than {chosen} courses with three sessions followed by an outcome",
    "fewer than {chosen} courses with three sessions with all components",
    "<{found} courses with {found} sessions|too few courses with several sessions> with all "
    "components; {chosen} are needed",
    "the dataset has no components of the alliance",
    "<{found} recovered courses; {found} are needed|too few courses are known to have recovered>",
    "the share expected by chance is not known for this criterion",
    "the share expected by chance is not known for every recovered course",
    "<{found} repaired episodes of {found} courses|repaired episodes of courses>: too few to tell "
    "them apart",
    "<{found} episodes of {found} courses|episodes of courses>: too few to tell them apart",
    "<{found} courses of {found} therapists|courses of therapists>: too few to tell them apart",
    "<{found} repaired episodes of {found} courses|all repaired episodes>",
    "<{found} episodes of {found} courses|all episodes>",
    "<{found} courses of {found} therapists|all courses of therapists>",
    "no therapist is named",
    "the model {name}, {name}, was not fitted for this criterion (models: variants_for: "
    "all_criteria fits it)",
    "the model {name}, {name}: {reason}",
    "the model {name}, {name}, has no {name}: none occurred",
    "the model {name} was not fitted",
    "the model {name} has no estimates: {reason}",
    "the model has no term {name}: it is constant or follows from the others",
    "without it there is no term {name}",
    "falls by chance alone show a loss, so that zero is not neutral (docs/decisions.md)",
    "<{found}; {found}; of {found} courses, left out: {found}|too few courses with the first "
    "rupture repaired, or with it not repaired>",
    "alliance or last outcome do not differ between courses",
    "difference in all {estimate}, not through the alliance {estimate} [{estimate}, {estimate}]"
    "<; of {found} courses, left out: {found}>; assumed: repair, alliance and outcome are not "
    "moved together by anything else (severity, therapist); the relations are straight lines, and "
    "that of alliance and outcome is the same after both; courses are independent",
    "<{found} coded episodes of {found} codes|too few coded episodes>; {chosen} of {chosen} are "
    "needed",
    "the variance between codes is estimated as zero< in {found} episodes>: it has no interval",
    "strategies are coded up to the repair; an association, not an effect",
    "quoted: {chosen}",
    "error of measurement of single items counts as unshared",
    "share with an episode< {found}>; expected by chance in the recovered: {estimate}",
    "the outcome has no interpersonal component",
    "no outcome measure is paired with this alliance measure",
    "no {name} to compare: {reason}",
    "the estimate has no interval",
    "alpha needs two components; the others need components that vary",
    "there is no fit with autocorrelated residuals",
    "its variance is zero",
    "<{found} units are too few|too few units> to see a distribution",
    "<{found} pairs are too few|too few pairs>",
)

_INTERVAL = "the interval [{estimate}, {estimate}]"
_WORTH = "the smallest effect worth caring about ({chosen})"

VERDICTS = (
    f"{_INTERVAL} lies at or above {_WORTH}",
    f"{_INTERVAL} lies below {_WORTH}",
    f"{_INTERVAL} holds values below and above {_WORTH}",
    f"{_INTERVAL} excludes zero",
    f"{_INTERVAL} lies within plus or minus {_WORTH}",
    f"{_INTERVAL} holds no effect as large as {_WORTH}",
    f"{_INTERVAL} holds zero, or the estimate is below {_WORTH}",
    f"{_INTERVAL} lies {{name}} zero",
    f"{_INTERVAL} holds only the other side of zero",
    f"the whole interval [{{estimate}}, {{estimate}}] holds less than {_WORTH}",
    f"{_INTERVAL} lies {{name}} zero, but the estimate is smaller than {_WORTH}",
    "too imprecise: both no effect and one worth caring about fit the interval [{estimate}, "
    "{estimate}]",
    "{reason}, but chance alone makes it {name}",
)

SCALES = (
    "Cronbach's alpha of the {chosen} items at the first complete rating of <{found} courses of|"
    "courses of> this dataset",
    "{chosen} x SD x sqrt({chosen}) x sqrt({chosen} - reliability), SD {estimate} of the first "
    "ratings of <{found} courses|courses>, reliability {estimate}",
)

SYNTHESIS = (
    "another measure of the same dataset is used, so that estimates are independent",
    "synthetic data are not pooled with observed ones",
)

SENTENCES = (*DETECTION, *MODELS, *STATISTICS, *CLAIMS, *VERDICTS, *SCALES, *SYNTHESIS)
