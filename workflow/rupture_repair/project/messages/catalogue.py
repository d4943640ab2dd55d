"""The texts of all messages that a user's mistake can produce, by code.

:mod:`rupture_repair.project.problems` makes problems of them; every text has a test.
"""

from .datasets import DATASETS, Entry
from .exchange import EXCHANGE
from .public_data import PUBLIC
from .twin import TWIN

__all__ = ["CATALOGUE", "Entry"]

#: The catalogue. E1: configuration and descriptors. E2: cells. E3: rows, courses, files.
#: E4: criteria. E5: models. E6: simulation. E7: single commands. E8: power. E9: public datasets.
#: Texts are ``str.format`` templates over the facts of a problem.
CATALOGUE: dict[str, Entry] = {
    # --- E1 configuration and descriptors
    "E101": Entry(
        "the file does not exist.",
        "Create it, or correct the path. {hint}",
    ),
    "E102": Entry(
        "this is not valid YAML: {found}.",
        "Correct the line; indent with spaces and put text with ': ' or '#' in quotes.",
    ),
    "E103": Entry(
        "'{found}' is not a known key.{hint}",
        "Allowed here: {allowed}.",
    ),
    "E104": Entry(
        "the required key '{found}' is missing.",
        "Add it: {description}",
    ),
    "E105": Entry(
        "{found} is not allowed.{hint}",
        "Allowed: {allowed}.",
    ),
    "E106": Entry(
        "'{found}' was renamed.",
        "Write '{allowed}' instead.",
    ),
    "E107": Entry(
        "the dataset '{found}' has no dataset.yaml in data/raw/ or workflow/datasets/.{hint}",
        "Known datasets: {allowed}.",
    ),
    "E108": Entry(
        "'{found}' cannot name a dataset.",
        "Rename the folder with letters, digits, '-' and '_' only (for example '{allowed}'), "
        "beginning with a letter or digit: the name becomes part of file names and addresses. "
        "'index' and names that end in '-check', '-explorer' or '-failed' are those of other "
        "pages.",
    ),
    "E109": Entry(
        "the key '{found}' is written twice.",
        "Keep one of the two; the second would silently win.",
    ),
    # --- E11x, E12x what dataset.yaml means
    "E110": Entry(
        "'{found}' is not a known instrument.{hint}",
        "Known: {allowed}. For another one leave `instrument` out and write range and better.",
    ),
    "E111": Entry(
        "the measure '{found}' has no role.",
        "Write role: alliance, outcome or other; only measures named alliance or outcome do "
        "without.",
    ),
    "E112": Entry(
        "'{found}' is missing, and no instrument says it.",
        "Write range: [lowest, highest] and better: higher or lower, or name an instrument.",
    ),
    "E113": Entry(
        "{found} is no range.",
        "Write [lowest, highest] with two finite numbers, the lower one first.",
    ),
    "E114": Entry(
        "exactly one of session, date and day must name a column; found: {found}.",
        "Keep the one by which sessions are to be numbered.",
    ),
    "E115": Entry("'{found}' does not go with {context}.", "{advice}"),
    "E116": Entry(
        "the values come from {found}.",
        "Write items, a total (pattern in the wide layout) or both for a measure rated at "
        "sessions; first and last for one rated before and after the course.",
    ),
    "E117": Entry(
        "there are several outcome measures ({found}), and none is named for this measure.",
        "Write outcome: <name of the outcome measure>.",
    ),
    "E118": Entry(
        "'{found}' is not a measure with the role outcome.{hint}",
        "Outcome measures here: {allowed}.",
    ),
    "E119": Entry(
        "'{found}' names a column of the courses table, but there is none.",
        "Describe it under tables.courses.",
    ),
    "E120": Entry(
        "'{found}' cannot name a column of the tables and a term of a formula.",
        "{advice}",
    ),
    "E121": Entry(
        "the name '{found}' is already used.",
        "Choose another one; taken are the other names here, words of Python, and: {allowed}.",
    ),
    "E122": Entry(
        "{found} items are given, but the total of {instrument} has {allowed}.",
        "Give all items, or the total, or the range of the total that these items make.",
    ),
    "E123": Entry(
        "'{found}' does not hold {{session}} once.",
        "In the wide layout write for example 'Week{{session}}' for Week1, Week2 and so on.",
    ),
    "E124": Entry(
        "no measure has the role alliance, so there is nothing to look for ruptures in; "
        "measures: {found}.",
        "Give one of them role: alliance, with stands_in if it is no alliance measure.",
    ),
    "E125": Entry(
        "a measure with the role alliance must be rated at sessions.",
        "Name its items or total instead of first and last, or give it another role.",
    ),
    "E126": Entry(
        "'{found}' is named for the sessions table and for the courses table.",
        "Name the column in one of them.",
    ),
    "E127": Entry(
        "the column '{found}' is used for two items.",
        "Name each column once.",
    ),
    "E128": Entry(
        "'{found}' does not tell day, month and year.",
        "Use the signs %Y (2024) or %y (24), %m and %d, for example '%d.%m.%Y'.",
    ),
    "E129": Entry(
        "'{found}' is not a known encoding.{hint}",
        "Common ones: {allowed}.",
    ),
    "E130": Entry(
        "'{found}' {why}.",
        "Put the file into that folder and write its name only.",
    ),
    "E131": Entry(
        "the files are those of a public dataset, and are not here.",
        "Fetch them with `snakemake --cores 1 fetch_{dataset}`, or set mirror in config.yaml to "
        "the folder that holds '{found}'.",
    ),
    "E132": Entry(
        "'{found}' is none of the columns under items.{hint}",
        "Columns of items here: {allowed}.",
    ),
    "E133": Entry(
        "TODO is left: nobody but you can know this. {description}",
        "Write the value in its place (allowed: {allowed}).",
    ),
    # E2 (cells), E3 (rows, courses, files) and the warnings W
    **DATASETS,
    # --- E4 criteria
    "E401": Entry(
        "there is no criterion '{found}' in workflow/rupture_repair/knowledge/criteria.yaml.{hint}",
        "Allowed: {allowed}.",
    ),
    "E402": Entry(
        "the changed settings do not make a valid criterion: {found}",
        "Correct the setting; workflow/rupture_repair/knowledge/schemas/criteria.schema.yaml "
        "describes each.",
    ),
    "E403": Entry(
        "the reference 'fixed' needs the level to compare with.",
        "Add value: in points of the instrument.",
    ),
    "E404": Entry(
        "'{found}' does not go with a window.",
        "Allowed with a window: {allowed}; or set window: null.",
    ),
    "E405": Entry(
        "'{found}' is no part of a claim.{hint}",
        "Allowed: {allowed}.",
    ),
    # --- E5 models
    "E501": Entry(
        "the formula cannot be read: {found}.",
        "Write it as in R's lme4, for example 'y ~ x + (1 + time | course) + (1 | therapist)'.",
    ),
    "E502": Entry(
        "the formula names '{found}', which is not there.{hint}",
        "Allowed: {allowed}.",
    ),
    "E503": Entry(
        "the outcome must be one column of numbers; found {found}.",
        "Give a numeric column on the left of '~'.",
    ),
    "E504": Entry(
        "the levels are crossed: a {lower} occurs in more than one {upper}.",
        "Supported are nested levels, each {lower} in one {upper}. Give each {lower} of each "
        "{upper} an id of its own, leave one of the two levels out, or take the slower engine "
        "(models: engine: statsmodels in config.yaml), which fits crossed levels.",
    ),
    "E505": Entry(
        "not supported by the engine {engine}: {found}.",
        "Supported: {allowed}.",
    ),
    "E506": Entry(
        "the value is infinite.",
        "Correct it, or leave the cell empty.",
    ),
    "E507": Entry(
        "the weight {found} is not positive.",
        "Correct it, or leave the cell empty so that the row is left out.",
    ),
    "E508": Entry(
        "the session number {found} is not whole.",
        "Autocorrelation is over whole numbers of sessions or days; round them or number them.",
    ),
    "E509": Entry(
        "{found} occurs twice in one {factor}.",
        "Autocorrelated residuals need one row for each session of a {factor}: keep one of them.",
    ),
    "E510": Entry(
        "the outcome of a logistic model must be 0 or 1; found {found}.",
        "Code the event as 1 and its absence as 0; leave cells empty where it is not known.",
    ),
    "E511": Entry(
        "not supported in a logistic model: {found}.",
        "Supported: one random intercept, for example (1 | therapist), or none.",
    ),
    "E520": Entry(
        "a column of numbers is needed; found {found}.",
        "Name another column, or correct the cells.",
    ),
    "E521": Entry(
        "this does not go with the family {found}.",
        "Leave one of the two out: autocorrelated residuals, weights and the choice of maximum "
        "likelihood belong to linear models, quadrature points to logistic ones.",
    ),
    "E522": Entry(
        "not assessable: {found}.",
        "The data cannot answer this question; a simpler formula or more data may.",
    ),
    "E523": Entry(
        "the model could not be fitted: {found}.",
        "Look at the terms for extreme values, or try a simpler random part.",
    ),
    # --- E6 simulation
    "E601": Entry(
        "the folder holds {found}, not written by 'rupture-repair simulate'.",
        "Nothing was written. Name a folder that is new or empty, or holds an earlier simulation.",
    ),
    "E602": Entry(
        "{found} is not possible for the simulation.",
        "Allowed: {allowed}.",
    ),
    "E610": Entry(
        "{found} is there already.",
        "Nothing was written: take another name, or remove it if it is not needed.",
    ),
    "E611": Entry(
        "'{found}' is no answer.{hint}",
        "Write --answer KEY=VALUE, where KEY is a key of dataset.yaml with all keys above it, for "
        "example --answer measures.alliance.rater=client.",
    ),
    "E612": Entry(
        "{found}.",
        "Nothing was written. Correct the folder's permissions, or free the disk, and try again.",
    ),
    "E590": Entry(
        "dataset {dataset}: the model {model} ({variant}) for {measure} by the criterion "
        "{criterion} could not be fitted ({message}).",
        "The report is built and lists it; with models.failed_fit: listed in config.yaml the run "
        "ends without an error.",
    ),
    # --- E7 the commands explain and episodes
    "E701": Entry(
        "there are no results of the dataset '{found}' in {folder}.{hint}",
        "Results are there of: {allowed}. Others are made by `make report`, once config.yaml "
        "names them under datasets.",
    ),
    "E702": Entry(
        "the dataset {dataset} has no course '{found}'.{hint}",
        "Courses: {allowed}.",
    ),
    "E703": Entry(
        "the criterion '{found}' was not applied to the dataset {dataset}.{hint}",
        "Applied were: {allowed}. Add others in config.yaml under criteria and run `make report`.",
    ),
    "E704": Entry(
        "'{found}' is no alliance measure of the dataset {dataset}.{hint}",
        "Alliance measures: {allowed}.",
    ),
    "E705": Entry(
        "the course '{found}' has no rating of {measure}.",
        "Name another course or measure.",
    ),
    "E706": Entry(
        "a picture cannot be written as '{found}'.",
        "Give a file name that ends in {allowed}.",
    ),
    "E707": Entry(
        "the package {found} is not installed; it is needed to {purpose}.",
        "Install it: python -m pip install 'rupture-repair[{extra}]'.",
    ),
    "E708": Entry(
        "there is no project in this folder: it has no config.yaml.",
        "{advice}",
    ),
    "E711": Entry("the file does not exist.{hint}", "Correct the path."),
    "E712": Entry(
        "the file has one column when split at '{found}'.",
        "Give the sign between its columns, most likely --delimiter {allowed}.",
    ),
    "E713": Entry("the file cannot be read as UTF-8.", "Save it as CSV in UTF-8."),
    "E714": Entry(
        "there is no column '{found}'.{hint}",
        "Columns here: {allowed}.",
    ),
    "E715": Entry(
        "{number} columns have the name '{found}'.",
        "Rename all but one of them.",
    ),
    "E716": Entry(
        "'{found}' is not a number.",
        "Correct the cell, or leave it empty (or NA) where the session was not rated.",
    ),
    "E717": Entry(
        "{found} is outside {low}..{high}.",
        "Correct the cell, or the range.",
    ),
    "E718": Entry(
        "'{found}' is no session number.",
        "Sessions are numbered with whole numbers from 0 to {most}.",
    ),
    "E719": Entry(
        "'{found}' cannot be used.{hint}",
        "Allowed: {allowed}.",
    ),
    "E720": Entry(
        "there is no criterion '{found}'.{hint}",
        "Allowed: {allowed}.",
    ),
    "E721": Entry(
        "'{found}' is one of {numbers} different numbers among {words} different words.",
        "Correct the cells. If all are names of categories, write factor({column}) in the formula.",
    ),
    "E722": Entry(
        "courses cannot be watched by {measure}: {why}.",
        "Nothing is known by which a fall could be told from ordinary ups and downs. Where there "
        "are more courses, try again with all of them in one file or dataset.",
    ),
    # --- E73x runs of the workflow
    "E731": Entry(
        "another run is at work in this folder since {since} (process {found} on {host}).",
        "Wait until it has ended, then start again. It was not disturbed.",
    ),
    "E732": Entry(
        "a run began on the machine {host} (process {found}), which cannot be asked from here.",
        "Wait until it has ended. If it no longer runs, delete this file, then start again.",
    ),
    "E733": Entry(
        "the step {found} was stopped from outside before it was done; not written: {missing}.",
        "Most often memory ran out, or a job of a cluster reached its limit of memory or time. "
        "Close other programs, or give it more, and start again: what was finished is kept.",
    ),
    # --- E74x files that sites exchange
    **EXCHANGE,
    **TWIN,
    # --- E8 power
    "E801": Entry(
        "no study can be planned for the claim '{found}'{why}.{hint}",
        "Offered: {allowed}. docs/power.md says why the others are not.",
    ),
    "E802": Entry(
        "an effect of {found} is not possible.",
        "Give its size from 0 to {most}, in {units}, in the direction that the claim expects. "
        "It is the {effect}.",
    ),
    "E803": Entry(
        "a target power of {found} is not possible.",
        "Give a number above alpha, which is {alpha}, and below 1; 0.8 is usual.",
    ),
    "E804": Entry(
        "the simulation has no setting '{found}'.{hint}",
        "Allowed: {allowed}.",
    ),
    "E805": Entry(
        "this setting carries the effect that the study is planned for.",
        "Leave it out and give the effect by --effect.",
    ),
    "E806": Entry(
        "the folder holds studies that were simulated with other settings: {found}.",
        "Name another folder by --out, or remove this one.",
    ),
    "E807": Entry(
        "the file was not written by 'rupture-repair power', or is damaged.",
        "Nothing was changed. Name another folder by --out, or remove this one.",
    ),
    "E808": Entry(
        "the criterion '{found}' cannot be tried on simulated studies: {why}.",
        "Name another criterion.",
    ),
    "E809": Entry(
        "studies like the dataset '{found}' cannot be simulated: {why}.",
        "Name another dataset, or state the values by --set.",
    ),
    "E810": Entry(
        "no study can be planned with the variant '{found}' of the model {model}.{hint}",
        "Offered: {allowed}. Others do not hold their level: of simulated studies without effect "
        "more than alpha are significant (docs/power.md).",
    ),
    # --- E9 public datasets
    **PUBLIC,
}
