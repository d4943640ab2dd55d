"""What the pages of a dataset say of its counts: every table, figure, text and explorer datum.

Each table of a page and each file of a figure is read here, or named as one that counts nobody; so
a new one is noticed. A count has the same name wherever it is printed.
"""

import base64
import gzip
import html
import itertools
import json
import re
from functools import partial

import numpy as np
import pandas as pd

from attacker import Attacker

#: Tables of pages that hold estimates and settings, by the beginning of their captions.
UNCOUNTED = (
    "What is known of the scales", "The criteria.", "What each rule makes of one planted fall",
    "Simulated courses with and without",
    "Estimates of all specifications", "How much of the variance",
    "Specifications without an estimate", "What the data show, compared with",
    "Models that these data cannot answer", "By what statistic",
)  # fmt: skip

#: Tables of the overview; their sums over datasets are a test of their own.
UNCOUNTED_ACROSS = ("Pooled standardised", "The pooled estimates without", "What is not pooled")

#: Files of figures with means, estimates and settings, in which no column may count anybody.
UNCOUNTED_FIGURES = (
    "agreement", "autocorrelation", "components", "courses", "criterion_pictures",
    "episode_shapes", "influence", "normal_quantiles", "over_sessions", "residuals", "sensitivity",
    "specification_curve",
)  # fmt: skip

_NUMBER = r"\d{1,3}(?:,\d{3})+|\d+"
_EFFECTS = "Effects of the states that a criterion finds"
_PARTS = ("repaired", "unrepaired", "censored")


def plain(text):
    """The text of some HTML."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", text)).replace("\u00a0", " ").split())


def tables(page):
    """Caption and rows (heading -> cell) of each table of a page."""
    for table in re.findall(r"<table.*?</table>", page, re.S):
        caption = re.search(r"<caption[^>]*>(.*?)</caption>", table, re.S)
        rows = [
            [plain(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S)]
            for row in re.findall(r"<tr.*?</tr>", table, re.S)
        ]
        said = re.sub(r"^Table \d+\. ", "", plain(caption[1])) if caption else ""
        yield said, [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]


def counts(cell):
    """The whole numbers of a cell, in order; NaN where one is withheld."""
    found = re.findall(rf"\[c\]|(?<![\d.])(?:{_NUMBER})(?![\d.]*\d)(?! ?%)", cell)
    return [np.nan if one == "[c]" else float(one.replace(",", "")) for one in found]


def first(cell):
    """The first count of a cell, NaN where there is none."""
    return (counts(cell) or [np.nan])[0]


def percent(cell):
    """A printed share, and how exact it is."""
    found = re.search(r"(\d+)(\.\d+)? %", cell)
    if found is None:
        return np.nan, 0.0
    digits = len(found[2] or ".") - 1
    return float(found[1] + (found[2] or "")) / 100, 0.5 * 10.0 ** (-2 - digits) + 1e-9


class Reader:
    """Reads the pages of one dataset into what an attacker knows.

    Parameters
    ----------
    reports : path
    name : str
        The dataset.
    place : int
        Of the dataset in the overview.
    """

    def __init__(self, reports, name, place):
        self.place = place
        self.sums = set()  # of counts that are shown: texts of pictures print them
        self.attacker = Attacker()
        self.page = (reports / f"{name}.html").read_text(encoding="utf-8")
        self.explorer = (reports / f"{name}-explorer.html").read_text(encoding="utf-8")
        files = sorted((reports / "figures" / name).glob("*.csv"))
        self.figures = {
            file.stem: pd.read_csv(file) if file.read_text().strip() else pd.DataFrame()
            for file in files
        }
        self.name, self.unread, self.measures, self.labels = name, [], {}, {}
        forest = self.figures["episodes_per_criterion"]
        self.names = dict(zip(forest["criterion"], forest["name"], strict=True))
        self.detected()
        self.tables()
        self.drawn()
        self.explored()
        self.pooled(reports)
        self.said()

    def know(self, name, count):
        self.attacker.know(name, count)

    # ------------------------------------------------------------------ tables of the page

    def tables(self):
        readers = {
            "From the data to the main model": self._flow,
            "Ratings by session": self._ratings,
            "How the": self._endings,
            "Counts in ": self._episodes,
            "Noise in ": self._chance,
            "All criteria applied to": self._glance,
            "What episodes look like": self._shapes,
            "Effects of the states": partial(self._fits, "next outcome", "ar1"),
            "Estimates of the terms": partial(self._fits, None, None),
            "The claims put to the test": self._claims,
            "The components of the alliance": self._components,
            "Ratings at the ends": self._ends,
        }
        found = list(tables(self.page))
        order = list(readers)
        known = []
        for caption, rows in found:
            begin = next((one for one in readers if caption.startswith(one)), None)
            if begin is not None:
                measure = re.match(f"(?:Counts|Noise|{_EFFECTS}) in (.*?): ", caption)
                rows = [{"Measure": measure[1], **row} for row in rows] if measure else rows
                known.append((order.index(begin), begin, caption, rows))
            elif not caption.startswith(UNCOUNTED):
                self.unread.append(caption)
        for _, begin, caption, rows in sorted(known, key=lambda one: one[0]):
            readers[begin](caption, rows)

    def detected(self):
        """The first table says of which measure and criterion the headline is."""
        for caption, _ in tables(self.page):
            found = re.match(r"From the data to the main model, for (.*) and (.*): sub", caption)
            if found:
                self.criterion, self.measure = found[1], found[2]
        said = [re.match("Counts in (.*?): ", caption) for caption, _ in tables(self.page)]
        labels = dict.fromkeys(one[1] for one in said if one)
        ids = list(dict.fromkeys(self.figures["episodes_per_criterion"]["measure"]))
        self.labels = dict(zip(ids, labels, strict=True))

    def _flow(self, _, rows):
        for unit in ("Courses", "Sessions"):
            name = unit.lower()
            steps = [("flow", name, row["Step"]) for row in rows]
            for step, row in zip(steps, rows, strict=True):
                self.know(step, first(row[unit]))
            self.attacker.link(steps[0], steps[1:], rest=False)
            self.same((name,), steps[0])
            self.know((name,), first(rows[0][unit]))

    def same(self, one, other):
        self.attacker.link(one, [other], rest=False)

    def _ratings(self, _, rows):
        for row in rows:
            measure = row["Measure"]
            rated, ratings = ("rated courses", measure), ("ratings", measure)
            missing, best = ("missing", measure), ("best", measure)
            self.know(rated, first(row["Courses"]))
            self.know(ratings, first(row["Ratings"]))
            self.know(missing, first(row["Missing"]))
            self.attacker.share(missing, [missing, ratings], *percent(row["Missing"]))
            self.attacker.share(best, [ratings], *percent(row["At best end"]))
            self.attacker.link(("courses",), [rated])
            self.attacker.link(("sessions",), [ratings])

    def _endings(self, caption, rows):
        self.know(("courses",), first(caption))
        names = [("ending", row["Ending"]) for row in rows]
        for name, row in zip(names, rows, strict=True):
            self.know(name, first(row["Courses"]))
            self.attacker.share(name, [("courses",)], *percent(row["Share"]))
        self.attacker.link(("courses",), names, rest=False)

    def found(self, row, column):
        return ("found", row.get("Measure", self.measure), row["Criterion"], column)

    def _applied(self, rows):
        for row in rows:
            for unit, whole in (("Courses", "rated courses"), ("Sessions", "ratings")):
                own, of = counts(row[f"{unit} assessable"])
                name = self.found(row, f"{unit.lower()} assessable")
                self.know(name, own)
                self.know((whole, row["Measure"]), of)
                self.attacker.link((whole, row["Measure"]), [name])

    def _glance(self, _, rows):
        for row in rows:
            courses = self.found(row, "with"), self.found(row, "courses assessable")
            self.know(self.found(row, "episodes"), first(row["Episodes"]))
            share = percent(row["Courses with a rupture"])
            self.attacker.share(courses[0], [courses[1]], *share)

    def _episodes(self, _, rows):
        self._applied(rows)
        for row in rows:
            if first(row["Courses assessable"]) == 0 or "n. a." in row["Episodes"]:
                continue
            named = {
                "courses assessable": "Courses assessable", "with": "Courses with a rupture",
                "episodes": "Episodes", "sawtooth": "Two or more",
                "repaired": "Repaired", "unrepaired": "Not repaired", "censored": "Censored",
            }  # fmt: skip
            key = {column: self.found(row, column) for column in named}
            for column, heading in named.items():
                self.know(key[column], first(row[heading]))
            if first(row["Episodes"]) > 0:
                self.attacker.at_least(key["with"], 1)
            self.attacker.share(key["with"], [key["courses assessable"]],
                                *percent(row["Courses with a rupture"]))  # fmt: skip
            self.attacker.link(key["courses assessable"], [key["with"]])
            self.attacker.link(key["with"], [key["sawtooth"]])
            self.attacker.link(key["episodes"], [key["with"], key["sawtooth"]])
            self.attacker.link(key["episodes"], [key[one] for one in _PARTS], rest=False)

    def _chance(self, _, rows):
        for row in rows:
            episodes, repaired, lost = (
                self.found(row, one) for one in ("episodes", "repaired", "unrepaired")
            )
            self.know(episodes, first(row["Episodes observed"]))
            self._times(episodes, row["Ratio"], row["Episodes expected"])
            self.attacker.share(repaired, [repaired, lost], *percent(row["Repaired, observed"]))

    def _times(self, name, ratio, expected):
        """A printed ratio to what is expected: to two decimals, and to one."""
        if re.fullmatch(r"[\d.]+", ratio) and re.fullmatch(r"[\d.,]+", expected):
            ratio, expected = float(ratio), float(expected.replace(",", ""))
            low = (ratio - 0.005001) * (expected - 0.05001)
            self.attacker.limit({name: 1.0}, low, (ratio + 0.005001) * (expected + 0.05001))

    def _shapes(self, _, rows):
        for row in rows:
            episodes, repaired = self.found(row, "episodes"), self.found(row, "repaired")
            if re.fullmatch(r"\d+\.\d\d", row["Frequency"]):
                assessable = self.found(row, "sessions assessable")
                rate = float(row["Frequency"]) / 10
                self.attacker.share(episodes, [assessable], rate, 0.000501)
            for heading, whole in (("Sudden falls", episodes), ("Sudden repairs", repaired)):
                part = self.found(row, heading)
                self.attacker.link(whole, [part])
                self.attacker.share(part, [whole], *percent(row[heading]))

    def fit(self, measure, criterion, model, variant, unit):
        return ("fit", measure, criterion, model, variant.replace("_", " "), unit)

    def _fits(self, model, variant, _, rows):
        for row in rows:
            measure, criterion = row.get("Measure", self.measure), row.get("Criterion")
            for unit, heading in (("courses", "Courses"), ("sessions", "Sessions")):
                key = self.fit(measure, criterion or self.criterion,
                               model or row["Model"], variant or row["Variant"], unit)  # fmt: skip
                self.know(key, first(row[heading]))
                self.attacker.link((unit,), [key])
                if unit == "courses":
                    self.attacker.link(("rated courses", measure), [key])

    def _claims(self, _, rows):
        for row in rows:
            for number, unit in re.findall(
                rf"({_NUMBER}) (courses|sessions|episodes)", row["Rests on"]
            ):
                key = ("claim", row["Claim"].split()[0], row["What is estimated"], unit)
                self.know(key, float(number.replace(",", "")))
                whole = (unit,)
                if unit == "episodes":
                    whole = ("found", self.measure, self.criterion, "episodes")
                self.attacker.link(whole, [key])

    def _components(self, _, rows):
        every = ("components", "episodes")
        fell = []
        for row in rows:
            said = row["Fell most [95 % interval]"]
            if said.startswith("of "):
                self.know(every, first(said))
            if said.startswith("of ") or said in ("–", ""):
                continue
            fell.append(("fell", row["Component"]))
            numbers = counts(said.partition("(")[0])
            self.know(fell[-1], numbers[0])
            if len(numbers) > 1:
                self.know(every, numbers[1])
                self.attacker.share(fell[-1], [every], *percent(said))
            for unit in ("courses", "sessions"):
                given = re.search(rf"(\[c\]|{_NUMBER}) {unit}", row["n"])
                if given:
                    self.know(("components", unit), first(given[1]))
                    self.attacker.link((unit,), [("components", unit)])
        self.attacker.link(every, fell)
        self.attacker.link(("found", self.measure, self.criterion, "episodes"), [every])

    def _ends(self, _, rows):
        for row in rows:
            measure = row["Measure"]
            ratings, courses = ("ratings", measure), ("rated courses", measure)
            self.know(ratings, first(row["Ratings"]))
            self.know(courses, first(row["Courses"]))
            for end in ("best", "worst"):
                self.attacker.share((end, measure), [ratings], *percent(row[f"At {end} end"]))
                mostly = (f"mostly {end}", measure)
                self.know(mostly, first(row[f"Mostly at {end}"]))
                self.attacker.share(mostly, [courses], *percent(row[f"Mostly at {end}"]))
            self.attacker.link(ratings, [("best", measure), ("worst", measure)])
            self.attacker.link(courses, [("mostly best", measure), ("mostly worst", measure)])

    # ------------------------------------------------------------------ files of figures

    def drawn(self):
        readers = {
            "episodes_per_criterion": self._drawn_episodes, "effects_forest": self._forest,
            "observed_and_expected": self._drawn_chance, "raster": self._raster,
            "ending_hazard": self._leaving,
        }  # fmt: skip
        for name, table in self.figures.items():
            if name in readers and not table.empty:
                readers[name](table)
            elif name not in (*readers, *UNCOUNTED_FIGURES):
                self.unread.append(name)
            else:
                counted = [one for one in table if re.match(r"n(_|$)", one)]
                numbers = table[counted].apply(pd.to_numeric, errors="coerce")
                if numbers.notna().any(axis=None):
                    self.unread.append(f"{name}: {', '.join(counted)}")

    def _drawn_episodes(self, table):
        columns = {"n_courses_assessable": "courses assessable", "n_courses_with_episode": "with",
                   "n_episodes": "episodes", **{f"n_{one}": one for one in _PARTS}}  # fmt: skip
        for row in table[table["assessable"]].to_dict("records"):
            measure = self.labels[row["measure"]]
            self.know(("rated courses", measure), row["n_courses"])
            for column, name in columns.items():
                self.know(("found", measure, row["name"], name), row[column])

    def _forest(self, table):
        for row in table.to_dict("records"):
            for unit in ("courses", "sessions"):
                self.know(self.fit(self.labels[row["measure"]], row["name"], "next outcome",
                                   row["variant"], unit), row[f"n_{unit}"])  # fmt: skip
            self.know(("therapists",), np.nan)

    def _drawn_chance(self, table):
        for row in table.to_dict("records"):
            key = ("found", self.measure, row["name"], "episodes")
            self.know(key, row["observed"])
            if np.isfinite(row["ratio"]) and np.isfinite(row["expected"]):
                number = row["ratio"] * row["expected"]
                self.attacker.limit({key: 1.0}, number - 0.01, number + 0.01)

    def _raster(self, table):
        if "course" in table:  # everything may be shown
            of = table.groupby(["session", "state"]).size().rename("n").reset_index()
            every = pd.MultiIndex.from_product([of["session"].unique(), self.states])
            of = of.set_index(["session", "state"]).reindex(every, fill_value=0)
            table = of.rename_axis(["session", "state"]).reset_index()
            table["n_courses"] = table.groupby("session")["n"].transform("sum")
        sums = {}
        for row in table.to_dict("records"):
            key, whole = ("state", row["session"], row["state"]), ("reached", row["session"])
            if row["state"] != "withheld":
                self.know(key, row["n"])
            sums.setdefault(whole, []).append(key)
            self.know(whole, row["n_courses"])
        self.sums.add(table.drop_duplicates("session")["n_courses"].sum())
        span = ("span", self.measure)
        self.attacker.link(span, [("ratings", self.measure), ("missing", self.measure)], rest=False)
        self.attacker.link(span, list(sums))
        for whole, parts in sums.items():
            self.attacker.link(("courses",), [whole])
            # Which states are put together is not said: any that this session does not name.
            own = [part for part in parts if part[2] != "withheld"]
            own += [("state", whole[1], state) for state in self.states
                    if ("state", whole[1], state) not in own]  # fmt: skip
            self.attacker.link(whole, own, rest=False)

    #: States of sessions that are counted.
    states = ("steady", "ruptured", "repaired_here", "after_repair", "after_unrepaired",
              "not_assessable")  # fmt: skip

    def _leaving(self, table):
        self.sums |= set(table.groupby("before")["n"].sum())
        lefts = []
        for row in table.to_dict("records"):
            key = (row["before"], row["session_from"])
            self.know(("leaving", *key), row["n"])
            left = round(row["n"] * row["share"])
            assert abs(left / row["n"] - row["share"]) < 1e-4
            self.know(("left", *key), left)
            lefts.append(("left", *key))
        self.attacker.link(("ending", "dropped out"), lefts)

    # ------------------------------------------------------------------ the explorer, and words

    def explored(self):
        packed = re.search(r'id="data"[^>]*>([^<]+)<', self.explorer)
        data = json.loads(gzip.decompress(base64.b64decode(packed[1])))
        for each in data["measures"].values():
            self._explored(each)

    def _explored(self, data):
        measure = data["measure"]
        self.know(("rated courses", measure), _number(data["n_courses"]))
        names = {"episodes": "episodes", "courses": "with", "assessable": "courses assessable",
                 **{part: part for part in _PARTS}}  # fmt: skip
        for row in data["criteria"]:
            if "counts" not in row:
                continue
            offered = [range(len(row[one])) for one in ("k", "floor", "within")]
            every = {}
            for place, shown in zip(itertools.product(*offered), row["counts"], strict=True):
                key = {one: ("explored", measure, row["name"], *place, one) for one in names}
                # How soon a repair must come makes no episode.
                key["courses"] = ("explored", measure, row["name"], *place[:2], "courses")
                if list(place[:2]) == row["start"][:2]:
                    key["courses"] = ("found", measure, row["name"], "with")
                if list(place) == row["start"]:
                    key = {one: ("found", measure, row["name"], names[one]) for one in names}
                for column, count in zip(data["columns"], shown, strict=True):
                    if column in names:
                        self.know(key[column], _number(count))
                self.attacker.link(("rated courses", measure), [key["assessable"]])
                self.attacker.link(key["assessable"], [key["courses"]])
                self.attacker.link(key["episodes"], [key["courses"]])
                self.attacker.link(key["episodes"], [key[one] for one in _PARTS], rest=False)
                every[place[:2]] = key["courses"]
            for place, key in every.items():
                for wider in ((place[0] - 1, place[1]), (place[0], place[1] - 1)):
                    if wider in every and not row["fixed"]:  # a larger k, or floor, finds no more
                        self.attacker.link(every[wider], [key])

    def pooled(self, reports):
        """The overview of all datasets, and the figure of what is pooled."""
        for caption, rows in tables((reports / "index.html").read_text(encoding="utf-8")):
            if caption.startswith("All datasets"):
                row = rows[self.place]
                episodes, courses = counts(row["Episodes"])
                self.know(("courses",), first(row["Courses"]))
                self.know(("sessions",), first(row["Sessions"]))
                self.know(("found", self.measure, row["Criterion"], "episodes"), episodes)
                self.know(("found", self.measure, row["Criterion"], "with"), courses)
            elif not caption.startswith(UNCOUNTED_ACROSS):
                self.unread.append(caption)
        self.forest = pd.read_csv(reports / "figures/_all/synthesis_forest.csv")
        own = self.forest[(self.forest["kind"] == "dataset") & (self.forest["name"] == self.name)]
        for panel, number in zip(own["panel"], own["n_courses"], strict=True):
            self.know(("pooled", panel), number)
            self.attacker.link(("courses",), [("pooled", panel)])

    def said(self):
        """Counts in sentences and in texts of pictures: each must be one that is printed."""
        body = re.sub(r"<(table|script|style|svg|pre)\b.*?</\1>", " ", self.page, flags=re.S)
        alts = [html.unescape(one) for one in re.findall(r'alt="([^"]*)"', body)]
        units = "courses|course|sessions|session|episodes|ratings|clients|therapists|repaired|" \
                "unrepaired|censored"  # fmt: skip
        text = " ".join([plain(body), *alts])
        self.words = {
            (float(number.replace(",", "")), unit)
            for number, unit in re.findall(
                rf"(?<![\d.,−-])({_NUMBER}) (?:assessable )?({units})\b", text
            )
        }


def _number(count):
    return np.nan if count is None else float(count)
