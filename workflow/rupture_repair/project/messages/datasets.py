"""The texts of the problems of datasets: cells, rows, courses, files, and warnings."""

from typing import NamedTuple


class Entry(NamedTuple):
    """One kind of problem: what is wrong (`text`), what to do (`remedy`), and `why` it matters.

    `why` is printed in docs/problems.md only.
    """

    text: str
    remedy: str
    why: str = ""


DATASETS: dict[str, Entry] = {
    # --- E2 cells
    "E201": Entry(
        "'{found}' is not a number.",
        "Correct the cell, or add '{found}' to missing in dataset.yaml if it means "
        "'not known'.{advice}",
    ),
    "E202": Entry("'{found}' is not a finite number.", "Correct the cell."),
    "E203": Entry(
        "{found} is outside {low}..{high}{scale}.",
        "Correct the value or set range in dataset.yaml.",
    ),
    "E204": Entry(
        "'{found}' is not a whole number.",
        "Sessions have whole numbers; number them, or name a column with the date or day.",
    ),
    "E205": Entry(
        "session {found} is outside {low}..{high}.",
        "Correct the number, or set first_session in dataset.yaml to the number that the file "
        "gives to the first session.",
    ),
    "E206": Entry(
        "the course has no id.", "Fill in the cell; remove the row only if nobody was rated in it."
    ),
    "E207": Entry(
        "the session is not given.",
        "Fill in the cell, or name a column with the date or day. Remove the row only if it is no "
        "session.",
    ),
    "E208": Entry(
        "'{found}' is not a date of the form {written}.",
        "Correct the cell, or set date_format in dataset.yaml.",
    ),
    "E209": Entry(
        "'{found}' is not a known ending.{hint}",
        "Allowed: {allowed}. Say what it means under ending_codes in dataset.yaml.",
    ),
    "E210": Entry("'{found}' is not a known {what} of events.{hint}", "Allowed: {allowed}."),
    "E211": Entry(
        "the total is {found}, but the {scored} of the items is {expected}.",
        "Correct the total or the items, or set scored in dataset.yaml.",
    ),
    "E212": Entry(
        "{found} is not a day within {most} days of day 0.",
        "Correct the cell; for dates name the column under date instead of day.",
    ),
    "E213": Entry(
        "the {what} of the event is missing.",
        "Fill in the cell; remove the row only if nothing was coded.",
    ),
    "E214": Entry(
        "'{found}' is the error of a spreadsheet's formula.",
        "Correct the formula and save the file again, or clear the cell.",
        "A formula failed, so the value is not known. Statistics programs read such a cell as text "
        "or drop it in silence.",
    ),
    "E215": Entry(
        "{found} is what {low} + {high} - blank gives: a blank turned like a reverse-keyed item.",
        "Clear the cells, or state what they are under accepted in dataset.yaml "
        "(finding: blank_reversed).",
        "A formula such as 8 - A1 makes 8 of an empty cell. On a scale from 1 to 7 that is out of "
        "range; on a scale from 0 it looks like the highest answer, given on an empty form.",
    ),
    "E216": Entry(
        "the total is {found}, but every item is blank.",
        "Clear the total, or accept it in dataset.yaml (finding: blank_form_scored).",
        "The sum of empty cells is 0 in a spreadsheet, so that a form that was never filled in "
        "becomes the worst possible rating: a rupture that did not happen.",
    ),
    "E217": Entry(
        "the total {found} counts {blank} blank item{s} as 0.",
        "Clear the total, or make it by the instrument's rule for missing items: leave `total` out "
        "of dataset.yaml; or accept it there (finding: blanks_as_zero).",
        "A form with one blank item then looks like a fall of the alliance.",
    ),
    "E218": Entry(
        "{found} runs against the other items (corrected correlation {correlation} in "
        "{courses} courses): it seems to be reverse-keyed and not turned, or turned twice.",
        "Name it under reverse of {key_named} in dataset.yaml, or take it out there; or accept it "
        "(finding: unreversed_item).",
        "An item such as 'we do not get on' counts for the alliance only after its answers are "
        "turned round. Left as it is, it cancels another item in every total.",
    ),
    "E219": Entry(
        "'{found}' and '{first}' ({first_place}) seem to be one {what}: they differ only in "
        "{difference}.",
        "Write them alike{or_accept}.",
        "Programs take them for two groups, or two courses, and each of the two is incomplete.",
    ),
    "E220": Entry(
        "'{found}' is no value.",
        "Add '{found}' to missing in dataset.yaml if it means 'not known', or correct the cell.",
        "A question mark means that somebody did not know; as a category of its own it becomes a "
        "group of clients.",
    ),
    "E221": Entry(
        "'{found}' is not the id of a {what} as it was given: {how}.",
        "Export the file again from the program that holds the ids, with this column as "
        "text{or_accept}.",
        "Spreadsheets round long numbers and turn 1-2 into a date. Several ids become one, and "
        "the file itself cannot tell which rows belong to whom.",
    ),
    "E222": Entry(
        "'{found}' is one of {words} words and {numbers} numbers in one column of covariates.",
        "Correct the cells; add the word to missing in dataset.yaml if it means 'not known'; or, "
        "if all are names of categories, accept this in dataset.yaml (finding: "
        "numbers_and_words).",
        "One word turns a column of numbers into as many categories as it has values.",
    ),
    "E223": Entry(
        "'{found}' may be {thousands}, with a sign between the thousands: it has three places "
        "after the '{sign}', as all such numbers here, and {other}.",
        "Write {thousands}; or {longer} if '{sign}' is the decimal sign.",
        "In German a thousand is written 1.000, which other programs read as one.",
    ),
    "E224": Entry(
        "the year of '{found}' is not possible.",
        "Correct the cell, or date_format in dataset.yaml (%y for years of two digits). Years from "
        "{first} to {last} are read.",
    ),
    "E225": Entry(
        "'{found}' names a summary, not a {what}.",
        "Remove the rows of means and sums from the file; or accept them in dataset.yaml (finding: "
        "summary_row) if this is an id.",
        "A row of means below a table counts as one more client, who is always average.",
    ),
    "E226": Entry(
        "{fewer} of {courses} courses begin with session 0 here, the others with session 1.",
        "Number the sessions of these courses as those of the others; or accept this in "
        "dataset.yaml (finding: mixed_numbering) if session 0 is one that only some had.",
        "All sessions of the other courses would be taken for one later.",
    ),
    "E227": Entry(
        "the ratings of this row ('{found}') are the {what} of those in rows {first} to {last}.",
        "Remove the row if it sums up others; or accept it in dataset.yaml (finding: summary_row) "
        "if it is a session.",
        "A row of means counts as one more session, or one more client, who is always average.",
    ),
    "E228": Entry(
        "'{found}' is not the number of a session.",
        "Write its number alone (1 for Session 1a, for example), or name a column with the date or "
        "day instead.",
    ),
    # --- E3 rows, courses, files
    "E301": Entry(
        "the file does not exist.{hint}",
        "Put it there, or correct its name in dataset.yaml.",
    ),
    "E302": Entry("{found}.", "The first row must hold the column names, the others the data."),
    "E303": Entry(
        "the file has one column when split at {found}.",
        "Set delimiter in dataset.yaml, most likely to {allowed}.",
    ),
    "E304": Entry(
        "{found} cannot be read as {encoding}.",
        "Set encoding in dataset.yaml (often cp1252 or latin-1), or save the file as UTF-8.",
    ),
    "E305": Entry(
        "the file is {found}.",
        "{advice}",
    ),
    "E306": Entry(
        "the row has {found} cells, the header {allowed}.",
        "Look for a missing or extra {sign}, or one in a text that is not in quotes.",
    ),
    "E307": Entry(
        "the file has no such column.{hint}",
        "Correct {key_named} in dataset.yaml. Columns here: {allowed}.",
    ),
    "E308": Entry(
        "{found} columns have this name.",
        "Rename one of them in the file, so that {key_named} of dataset.yaml names one column.",
    ),
    "E309": Entry(
        "session {found} of course '{course}' is already in row {first}.",
        "If a second course of therapy of one client begins here, add a column with an id for each "
        "course (such as {course}-1 and {course}-2), name it under course, and the column of "
        "clients under client. If not, correct the number, or put what belongs to one session into "
        "one row.",
    ),
    "E310": Entry(
        "course '{course}' already has a row for this day, row {first}.",
        "Write same_day: mean in dataset.yaml to take their mean, or correct the day.",
    ),
    "E311": Entry(
        "course '{found}' has a row above.",
        "Put what belongs to one course into one row, or give the second course of a client an id "
        "of its own.",
    ),
    "E312": Entry(
        "the {what} of course '{course}' is '{found}' here, but '{first}' in row {first_row}.",
        "A course is one client with one therapist, and what is known of it once is the same in "
        "all of its rows: correct the cell, or give the rows another course id.",
    ),
    "E313": Entry(
        "course '{found}' has no session.",
        "Correct the id, or add the sessions of this course.",
    ),
    "E314": Entry(
        "a quotation mark is opened and never closed.",
        'Find the " without its partner and correct the cell.',
    ),
    "E315": Entry(
        "the folder {found} does not exist.",
        "Get the files (the source is in dataset.yaml), or correct mirror in config.yaml.",
    ),
    "E316": Entry(
        "no column follows this pattern.",
        "{{session}} matches digits only. Columns here: {allowed}.",
    ),
    "E317": Entry(
        "the columns '{first}' and '{found}' are the same session.",
        "Rename one of them in the file.",
    ),
    "E318": Entry("no course has a rating.", "Name the columns that hold the ratings."),
    "E320": Entry("the file cannot be read: {found}.", "Correct its permissions or copy it anew."),
    "E319": Entry(
        "the row has moved one column to the left: '{found}' is under {column}, its last cell "
        "is empty, and all fits one column further right.",
        "Insert the cell that is missing.",
        "It happens when a cell is deleted in a spreadsheet. Where the scales are alike the values "
        "pass for answers to the neighbouring items.",
    ),
    "E321": Entry(
        "course '{course}' has the same {sessions} ratings as course '{first}' (row {first_row}).",
        "Remove one of the two, or correct its ratings; or accept them in dataset.yaml "
        "(finding: repeated_course).",
        "The rows of one client were copied under another id. By chance such a match would hardly "
        "happen: each counts twice in every model. It is reported where chance alone would bring "
        "one such pair in fewer than one of a hundred datasets.",
    ),
    "E322": Entry(
        "the first row holds '{found}', and the column names are in row {row_of_names}.",
        "Delete the rows above the column names.",
        "A title above the table makes every column nameless.",
    ),
    "E323": Entry(
        "the file has no sheet '{found}'.{hint}",
        "Set sheet in dataset.yaml to one of: {allowed}.",
    ),
    "E324": Entry(
        "the file cannot be read as {what}: {found}.",
        "Open it in the program that wrote it and save it again, or save it as CSV.",
    ),
    "E325": Entry(
        "the file has {found} columns; {allowed} can be read.",
        "Keep the columns that are needed, or make it long: one row per session.",
    ),
    "E326": Entry(
        "{found} sheets hold a table, and dataset.yaml names none: {allowed}.",
        "Write sheet: '{first}' (or another one) under each table in dataset.yaml. With `new`, add "
        "--answer tables.sessions.sheet=NAME. If the sheets belong together, copy their rows into "
        "one sheet.",
        "A sheet per therapist or per year is common. Only one of them would be read.",
    ),
    "E327": Entry(
        "these cells hold a formula whose value was never saved: {cells}.",
        "Open the file in Excel or LibreOffice, save it there, and use that file.",
        "Programs that write spreadsheets leave it to Excel to compute formulas. Until then the "
        "cells are blank, and sessions seem not to be rated.",
    ),
    "E328": Entry(
        "these cells are merged, so that only the first of each area holds its value: {cells}.",
        "Unmerge them, and write the value into every row that it belongs to.",
        "An id over several merged rows is the id of the first row only.",
    ),
    "E329": Entry(
        "the cell holds line breaks and signs that separate columns: a quotation mark seems to "
        "have swallowed rows.",
        'Find the " without its partner in this row or the rows below it, and correct the cell.'
        "{or_accept}",
        "Two stray quotation marks make one cell of everything between them. The rows in between "
        "are gone, and no program says so.",
    ),
    "E330": Entry(
        "the column looks like {what}: {found}.",
        "Remove it from the file. If it identifies nobody, say so in dataset.yaml: accepted: "
        "[{{finding: {finding}, column: {column_quoted}, reason: ...}}].",
        "What identifies a person is not needed here, and a file that does not hold it cannot "
        "leak it. Names of columns and their contents are looked at, used or not.",
    ),
    "E331": Entry(
        "the key that replaces the ids cannot be {what}: {found}.",
        "Make the file readable and its folder writable, or write ids: public if the ids of these "
        "data identify nobody.",
    ),
    "E332": Entry(
        "no id of this column ({count} in all) is that of a course with a rating: the first here "
        "is '{found}', the first in {other} is '{first}'.",
        "Name the column with the same ids in both tables, or write the ids alike.",
        "Endings, covariates and events would be missing for every course.",
    ),
    "E333": Entry(
        "the number format '{found}' hides what these cells hold, or shows something else: "
        "{cells}.",
        "Format the cells as plain numbers (General) and save the file.",
        "People read what a spreadsheet shows: 12 where a format scales 12000, or nothing at all.",
    ),
    "E334": Entry(
        "these cells seem to hold numbers that are formatted as dates ({found} is the first): "
        "{cells}.",
        "Format the cells as plain numbers (General) and save the file.",
        "A spreadsheet turns 27 into 1900-01-27 as soon as a cell is formatted as a date.",
    ),
    "E335": Entry(
        "the row is not written as CSV is: after a closing quotation mark comes something else "
        "than {sign}.",
        'Put the whole cell in quotation marks, and write each " within it twice, or remove them.',
        "Programs read such a row in different ways.",
    ),
    # --- W warnings: shown in the report, they do not stop
    "W101": Entry(
        "no measure has the role outcome.",
        "Ruptures and repairs are described, but not linked to outcome.",
    ),
    "W102": Entry(
        "several values are published for {instrument}: {found}.",
        "None is used, for nothing says which holds here; state one with its source.",
    ),
    "W103": Entry(
        "the reliable change of '{measure}' is not known.",
        "Criteria that need it cannot be assessed; state reliability or reliable_change with its "
        "source, if there is one.",
    ),
    "W201": Entry("'{measure}' has no value in any session.", "Nothing can be said about it."),
    "W202": Entry(
        "the total is missing although all items are there.",
        "It is left missing; leave `total` out of dataset.yaml to have totals made from items.",
    ),
    "W203": Entry(
        "'{measure}' has the value {found} everywhere.",
        "Without variation nothing can be said about it.",
    ),
    "W301": Entry(
        "there is only one course.",
        "Nothing between courses can be estimated.",
    ),
    "W302": Entry(
        "every course has only one session.",
        "No rupture can be seen: that takes a rating before and one after.",
    ),
    "W303": Entry("the course of this row has no session with a rating.", "It is left out."),
    "W304": Entry(
        "the course is missing in {found}.",
        "Its ending counts as unknown and its covariates as missing.",
    ),
    "W305": Entry("the row is empty.", "It is left out."),
    "W306": Entry("two scores on one day.", "The mean of a day's scores is its score."),
    "W307": Entry(
        "session {found} of this course has an event but no row among the sessions.",
        "The event is kept, but belongs to no rating.",
    ),
    "W104": Entry(
        "{found} of {items} items of {instrument} are reverse-keyed (numbers {numbers}), and "
        "dataset.yaml does not say whether they are turned in the file.",
        "Write reverse: [] if they are, or their columns if they are not.",
    ),
    "W308": Entry(
        "the row ends in more delimiters than there are columns.",
        "The empty cells are left out. Saving the file anew removes them.",
        "Spreadsheets write commas for cells that were once touched. Nothing is lost.",
    ),
    "W309": Entry(
        "dataset.yaml accepts this ({what}): {reason}.",
        "Nothing is to be done; remove the entry under accepted to have it refused again.",
        "Whoever reads the report sees what the check found and why it was let pass.",
    ),
    "W310": Entry(
        "dataset.yaml accepts '{finding}' here, but nothing like it was found.",
        "Remove it under accepted, or correct the column's name.",
    ),
    "W311": Entry(
        "of the combinations of {found}, the rarest is that of {cell} course{s}; courses alone "
        "in theirs: {alone}.",
        "Who knows these facts of a client finds the course. Merge categories or leave columns out "
        "where the tables are to be shared.",
        "This is k-anonymity: the size of the smallest group of courses that share all covariates. "
        "It warns below five.",
    ),
    "W312": Entry(
        "'{found}' is taken for an id here, although missing in dataset.yaml lists it.",
        "Clear the cell if it means that the id is not known.",
        "Codes such as 99 mean 'not known' among ratings, but are ids of clients as well.",
    ),
    "W313": Entry(
        "the row is hidden in the spreadsheet, for example by a filter.",
        "It is read like all others. Delete it in the file if it should not count.",
    ),
    "W314": Entry(
        "{gap} {unit} lie between this session of course '{course}' and the one before it (row "
        "{first_row}); half of all sessions follow within {median}.",
        "Correct the cell if it is a slip. If a second course of therapy begins here, give it a "
        "course id of its own, and name the column of clients under client.",
        "A wrong year moves a session to the end of its course. Two therapies in one course make "
        "neighbours of sessions that are years apart.",
    ),
    "W315": Entry(
        "hidden sheets hold tables that are not read: {found}. Read is '{sheet}'.",
        "If another sheet is meant, write sheet: and its name under the table in dataset.yaml.",
    ),
    "W316": Entry(
        "{found} means 'not known' here, as missing in dataset.yaml says, although it lies within "
        "{low}..{high}.",
        "If it is a rating, take it out of missing; if not, nothing is to be done.",
        "A code such as 99 on a scale from 0 to 100 removes the highest ratings without a trace.",
    ),
    "W317": Entry(
        "the values are read as the categories by which the file labels them: {found}.",
        "Remove the labels from the file if they are numbers.",
    ),
    "W318": Entry(
        "the file labels some of these numbers, and they are read as numbers: {found}.",
        "If a label means 'not known', add its number to missing in dataset.yaml; if the values "
        "are categories, label all of them, each with a word of its own.",
    ),
    "W319": Entry(
        "{fewer} of {courses} courses begin with session 1 here, the others with session 0.",
        "If these courses are numbered from 1, number their sessions from 0 as those of the "
        "others; if their session 0 was skipped, nothing is to be done.",
    ),
    "W320": Entry(
        "{found} is out of the order of the rows of this course ({above} above, {below} below); "
        "with day and month swapped, {swapped}, it would be in order.",
        "Correct the cell if day and month are swapped, and look at the others of the same hand.",
        "Where a column has dates in two orders, 02/05 is read as one of two days, and sessions "
        "change places.",
    ),
}
