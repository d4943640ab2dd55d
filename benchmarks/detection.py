"""How many planted ruptures each criterion finds, at the false alarms that it promises.

    python benchmarks/detection.py [--courses 2000] [--seeds 13 14] [--settings demo] [--rules dip]
        [--particles 60]

Six settings of the simulator, each with ruptures and, for the same courses, without. Every k is
solved as in a study, from the rupture-free courses that the data themselves suggest. Per criterion:

- found: planted episodes with a session called low between the first low session and the end, of
  those with a rating before and during them; by depth, in SD of the course;
- precision: runs of low sessions that touch a planted episode or an open rupture;
- alarms: rupture-free courses with a low session, k from the data with ruptures; by quartile of
  the courses' true SD; and with k from the rupture-free data;
- at 5 %: found at the k at which 5 % of the rupture-free courses show one, which no study knows;
- area: the mean of what is found over 0 to 20 % of alarms;
- share: found, as a share of what the oracle (b) finds at 5 % of alarms in the same courses, and
  its standard error over courses.

Two oracles come first (benchmarks/limit.py, rupture_repair.chance.oracle): they know how the
simulator makes ruptures, and (a) also level, trend and SD of each course, which (b) integrates out.
They are filters, so they find a little more with more particles (docs/chance.md).
Standard errors: found .015 to .02, alarms .005. The rules were tuned on seeds 11 and 12;
docs/chance.md shows 13 and 14.
"""

import argparse
from dataclasses import dataclass, replace

import limit as limits
import numpy as np

from rupture_repair.chance.calibrate import calibrated_k
from rupture_repair.chance.replicates import prepare
from rupture_repair.detection import courses as flat
from rupture_repair.detection import criteria, run_rules
from rupture_repair.detection.ratings import Ratings, fitted_model, scale_of
from rupture_repair.project.measures import Measure, ReliableChange
from rupture_repair.project.setting_groups import EdgeRules
from rupture_repair.simulation.random_numbers import Draws
from rupture_repair.simulation.ratings import SimulatedCourses, make_courses, make_ratings
from rupture_repair.simulation.ruptures import OPEN
from rupture_repair.simulation.settings import SimulationSettings

SETTINGS = {
    "demo": {},
    "autocorrelation 0": {"autocorrelation": 0.0},
    "autocorrelation .6": {"autocorrelation": 0.6},
    "equal volatility": {"volatility_sigma": 0.0},
    "no ceiling": {"ends_of_scale": False},
    "6 to 8 sessions": {
        "median_sessions": 7.0, "sessions_sigma": 0.12, "min_sessions": 6, "max_sessions": 8,
    },
}  # fmt: skip
RULES = ("dip", "tooth", "rupture_probability", "own_mean_2sd", "reliable_drop")
DEPTHS = ((0.0, 1.5), (1.5, 2.5), (2.5, 4.0), (4.0, np.inf))
#: Values of k that are tried, and the alarms beyond which no further one is.
GRID, MOST_ALARMS = np.concatenate([np.arange(12, 5, -0.5), np.arange(5, 0, -0.2)]), 0.2

EDGE_RULES = EdgeRules(max_gap=2, onset_inside_episode=False)

ITEMS = ("relationship", "goals", "approach", "overall")
#: Ends of a scale without any: so far out that no rating comes near, for the model asks for them.
NO_ENDS = (-160.0, 240.0)


@dataclass
class World:
    """Simulated ratings with the truth.

    `ratings` and `measure` as the library has them; per rating whether the session lies inside a
    planted episode or an open rupture (`true`); per course the SD of its noise (`sd`); per
    planted episode its course, first and last session, and depth in SD; per course level at
    session 1, trend and SD of its latent ratings (`line`).
    """

    ratings: Ratings
    measure: Measure
    true: np.ndarray
    sd: np.ndarray
    course: np.ndarray
    first: np.ndarray
    end: np.ndarray
    depth: np.ndarray
    line: np.ndarray


def measure_of(settings: SimulationSettings) -> Measure:
    """Return the measure; without ends of the scale no range is known."""
    reliable = ReliableChange(4.8, "made up", "made up")
    span = (0.0, 40.0) if settings.ends_of_scale else None
    return Measure("alliance", "alliance", "higher", range=span, instrument="SRS",
                   reliable_change=reliable, components=ITEMS, scored="sum")  # fmt: skip


def seen_episodes(made: SimulatedCourses, rated: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Say which planted episodes have a rating before and during them."""
    p, planned = made.planted, made.length
    end = np.minimum(p.end, planned[p.course])
    so_far = np.concatenate([np.zeros((len(planned), 1), int), np.cumsum(rated, axis=1)], axis=1)
    last = np.where(p.repaired & (p.end <= planned[p.course]), p.end - 1, end)
    before = so_far[p.course, p.first_low - 1]
    during = so_far[p.course, np.maximum(last, 0)] > before
    return (p.first_low <= planned[p.course]) & (before > 0) & during & kept[p.course]


def world(changes: dict, seed: int, number: int, **more: float) -> World:
    """Simulate courses."""
    s = SimulationSettings(n_courses=number, n_therapists=max(1, number // 10), **changes, **more)
    draws = Draws(seed)
    made = make_courses(draws, s)
    simulated = make_ratings(draws, s, made, therapists_view=False)
    total = simulated.alliance.sum(axis=2) / 10
    rated = made.held & ~np.isnan(total)
    kept = rated.any(axis=1)
    row, column = np.nonzero(rated)
    start = np.concatenate([[0], np.cumsum(rated.sum(axis=1)[kept])])
    courses = flat.Courses(np.round(total[row, column], 1), column + 1, start)
    p, new, measure = made.planted, np.cumsum(kept) - 1, measure_of(s)
    seen = seen_episodes(made, rated, kept)
    ids = np.array([f"C{i}" for i in range(len(courses.length))], dtype=object)
    items = dict(zip(ITEMS, simulated.alliance[row, column].T / 10, strict=True))
    within = np.ravel(simulated.within_sd)
    return World(
        Ratings(courses, scale_of(courses, measure), ids, items, number),
        measure,
        (OPEN[made.state] | (made.episode > 0))[row, column],
        within[kept],
        new[p.course[seen]],
        p.first_low[seen],
        np.minimum(p.end, made.length[p.course])[seen],
        (p.depth / within[p.course])[seen],
        lines(draws, s, made)[kept],
    )


def lines(draws: Draws, s: SimulationSettings, made: SimulatedCourses) -> np.ndarray:
    """Return level at session 1, trend and SD of each course, as the simulator drew them."""
    number = len(made.length)
    habit = draws.normal("alliance therapist", s.n_therapists)[made.therapist]
    items = draws.normal("item course", number, 1, 4).sum(axis=(1, 2))
    level = s.alliance_level + s.alliance_sd_course * draws.normal("alliance course", number)
    level += s.alliance_sd_therapist * habit + s.item_sd_course * items
    trend = s.alliance_trend + s.alliance_trend_sd * draws.normal("trend", number)
    sd = s.alliance_sd_within * np.exp(s.volatility_sigma * draws.normal("volatility", number))
    return np.stack([level, trend, sd], axis=1)


def low(world: World, rule: criteria.Criterion, scale=None) -> np.ndarray:
    """Say which ratings a criterion calls low."""
    scale = world.ratings.scale if scale is None else scale
    return run_rules.falls(world.ratings.courses, rule, scale, EDGE_RULES.max_gap).low


def found(world: World, flags: np.ndarray) -> np.ndarray:
    """Say which planted episodes have a low rating."""
    courses = world.ratings.courses
    wide = np.zeros((len(courses.length), int(courses.session.max()) + 8), dtype=bool)
    wide[courses.course, courses.session] = flags
    hit = np.zeros(len(world.course), dtype=bool)
    for step in range(int((world.end - world.first).max(initial=0)) + 1):
        now = world.first + step
        column = np.minimum(now, wide.shape[1] - 1)
        hit |= wide[world.course, column] & (now <= world.end)
    return hit


def precision(world: World, flags: np.ndarray) -> float:
    """Return the share of runs of low ratings that touch an episode or an open rupture."""
    course, begins = world.ratings.courses.course, flags.copy()
    begins[1:] &= ~(flags[:-1] & (course[1:] == course[:-1]))
    run = np.cumsum(begins) - 1
    true = np.zeros(int(begins.sum()), dtype=bool)
    np.logical_or.at(true, run[flags], world.true[flags])
    return float(true.mean()) if len(true) else float("nan")


def alarms(world: World, flags: np.ndarray) -> np.ndarray:
    """Say which courses have a low rating."""
    return np.logical_or.reduceat(flags, world.ratings.courses.start[:-1])


def with_k(world: World, names: tuple[str, ...], seed: int) -> list[criteria.Criterion]:
    """Return criteria with k as a study would solve it from these ratings."""
    null = prepare(world.ratings, "alliance", world.measure, seed=seed)
    rules = criteria.load(names)
    table = calibrated_k(null, rules, EDGE_RULES, 0.05, dataset="benchmark")
    return criteria.with_calibrated_k(rules, table)


def with_model(world: World) -> World:
    """Return the world with its hidden Markov model."""
    measure = replace(world.measure, range=world.measure.range or NO_ENDS)
    model = fitted_model(world.ratings, measure)
    scale = replace(world.ratings.scale, model=model)
    return replace(world, ratings=replace(world.ratings, scale=scale))


def curve(data: World, quiet: World, rule: criteria.Criterion) -> tuple[np.ndarray, np.ndarray]:
    """Return the share of rupture-free courses with an alarm, and the share found, as k falls."""
    scale = data.ratings.scale
    if rule.run == "rupture_probability":
        falls = (
            run_rules.falls(one.ratings.courses, rule, scale, EDGE_RULES.max_gap)
            for one in (data, quiet)
        )
        return curve_of_scores(data, quiet, *(np.nan_to_num(one.probability) for one in falls))
    pairs = [(0.0, 0.0)]
    for k in GRID:
        tried = replace(rule, k=float(k), strict=False)
        alarmed = alarms(quiet, low(quiet, tried, scale)).mean()
        pairs.append((float(alarmed), float(found(data, low(data, tried)).mean())))
        if alarmed > MOST_ALARMS:
            break
    shares = np.maximum.accumulate(np.array(pairs), axis=0)
    return shares[:, 0], shares[:, 1]


def curve_of_scores(
    data: World, quiet: World, score: np.ndarray, quiet_score: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the same where each rating has a score."""
    largest = np.maximum.reduceat(quiet_score, quiet.ratings.courses.start[:-1])
    share = np.linspace(0, 0.25, 51)
    cuts = np.quantile(largest, 1 - share, method="higher")
    alarmed = [float((largest > cut).mean()) for cut in cuts]
    return np.array(alarmed), np.array([float(found(data, score > cut).mean()) for cut in cuts])


def at_equal_alarms(share: np.ndarray, hits: np.ndarray) -> tuple[float, float]:
    """Return the share found at 5 % alarms, and its mean over 0 to 20 % alarms."""
    even = np.linspace(0, MOST_ALARMS, 201)
    return float(np.interp(0.05, share, hits)), float(np.interp(even, share, hits).mean())


def by_depth(data: World, hit: np.ndarray) -> str:
    """Return the share found in each class of depth."""
    parts = (hit[(data.depth >= low) & (data.depth < high)] for low, high in DEPTHS)
    return " ".join(f"{part.mean():.2f}" for part in parts)


def by_volatility(quiet: World, alarmed: np.ndarray) -> str:
    """Return the share of courses with an alarm in each quartile of their SD."""
    quartile = np.searchsorted(np.quantile(quiet.sd, [0.25, 0.5, 0.75]), quiet.sd)
    return " ".join(f"{alarmed[quartile == q].mean():.2f}" for q in np.unique(quartile))


def share_of(data: World, hit: np.ndarray, best: np.ndarray) -> tuple[float, float]:
    """Return what is found as a share of what the best finds, and its standard error.

    The error is that of a ratio over courses, since both looked at the same ones; the cut of the
    best counts as known.
    """
    share = hit.sum() / best.sum()
    rests = np.bincount(data.course, weights=hit - share * best)
    return float(share), float(np.sqrt((rests**2).sum()) / best.sum())


def limit(name: str, data: World, quiet: World, seed: int, particles: int) -> np.ndarray:
    """Print the rows of the oracles; return which episodes (b) finds at 5 % alarms."""
    settings = SimulationSettings(**SETTINGS[name])
    for kind in ("a", "b"):
        score, quiet_score = (
            limits.scores(
                settings, one.ratings.courses, one.line if kind == "a" else None, seed, particles
            )
            for one in (data, quiet)
        )
        shares = curve_of_scores(data, quiet, score, quiet_score)
        equal, area = at_equal_alarms(*shares)
        largest = np.maximum.reduceat(quiet_score, quiet.ratings.courses.start[:-1])
        cut = np.quantile(largest, 0.95, method="higher")
        hit, alarmed = found(data, score > cut), largest > cut
        depths = by_depth(data, hit)
        print(f"| oracle ({kind}) | | {hit.mean():.3f} | | | {depths} "
              f"| {precision(data, score > cut):.2f} | {alarmed.mean():.3f} "
              f"| {by_volatility(quiet, alarmed)} | | {equal:.3f} | {area:.3f} |",
              flush=True)  # fmt: skip
    return hit


def report(
    name: str, seed: int, number: int, rules: tuple[str, ...], particles: int
) -> list[tuple[str, float]]:
    """Print the rows of one setting; return the share of (b) that each criterion finds."""
    data = world(SETTINGS[name], seed, number)
    quiet = world(SETTINGS[name], seed, number, rupture_rate=0.0)
    own_quiet = quiet
    if "rupture_probability" in rules:
        data, own_quiet = with_model(data), with_model(quiet)
    print(f"\n{name}, seed {seed}: {len(data.course)} planted episodes\n")
    print("| criterion | k | found | share | error | by depth | precision | alarms | by volatility "
          "| alarms, k of the rupture-free | at 5 % | area |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|---|---|---|---|")
    best = limit(name, data, quiet, seed, particles)
    own, without = with_k(data, rules, seed), with_k(quiet, rules, seed)
    result = []
    for rule, rule_without in zip(own, without, strict=True):
        modelled, model = rule.run == "rupture_probability", data.ratings.scale.model
        if np.isnan(float(rule.k)) or (modelled and not (model and model.identified)):
            print(f"| {rule.id} | not assessable |")
            continue
        flags = low(data, rule)
        hit = found(data, flags)
        alarmed = alarms(quiet, low(quiet, rule, data.ratings.scale))
        # A model of its own, where rupture-free ratings have one that is identified, flags courses.
        alone = alarms(quiet, low(own_quiet, rule_without)).mean()
        share, error = share_of(data, hit, best)
        equal, area = at_equal_alarms(*curve(data, quiet, rule))
        print(f"| {rule.id} | {float(rule.k):.2f} | {hit.mean():.3f} | {share:.2f} | {error:.3f} "
              f"| {by_depth(data, hit)} "
              f"| {precision(data, flags):.2f} | {alarmed.mean():.3f} "
              f"| {by_volatility(quiet, alarmed)} "
              f"| {alone:.3f} | {equal:.3f} | {area:.3f} |", flush=True)  # fmt: skip
        result.append((rule.id, share))
    return result


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--courses", type=int, default=2000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[13, 14])
    parser.add_argument("--settings", nargs="+", choices=list(SETTINGS), default=list(SETTINGS))
    parser.add_argument("--rules", nargs="+", default=list(RULES))
    parser.add_argument("--particles", type=int, default=limits.PARTICLES)
    given = parser.parse_args()
    every: dict[str, list[float]] = {}
    for seed in given.seeds:
        for name in given.settings:
            shown = report(name, seed, given.courses, tuple(given.rules), given.particles)
            for rule, share in shown:
                every.setdefault(rule, []).append(share)
    print(
        "\nMean share of (b): " + ", ".join(f"{rule} {np.mean(v):.3f}" for rule, v in every.items())
    )


if __name__ == "__main__":
    main()
