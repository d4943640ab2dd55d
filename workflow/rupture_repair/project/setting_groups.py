"""The settings in config.yaml, in groups, of which a step takes those that it uses.

Each attribute is a key, described in ``knowledge/schemas/config.schema.yaml``, where its default
is too. :mod:`rupture_repair.settings` reads and checks them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Self, get_type_hints


def _typed(kind: Any, value: Any) -> Any:
    """Return plain data as a group, or as a tuple where it is a list."""
    if isinstance(kind, type) and issubclass(kind, SettingGroup):
        return value if isinstance(value, kind) else kind.from_dict(value)
    return tuple(value) if isinstance(value, list) else value


def _plain(value: Any) -> Any:
    if isinstance(value, SettingGroup):
        return value.as_dict()
    return list(value) if isinstance(value, tuple) else value


@dataclass(frozen=True)
class SettingGroup:
    """What all groups share."""

    #: The key of the group in config.yaml.
    key: ClassVar[str]

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """Return the group from plain data, as config.yaml and the jobs of a workflow have it."""
        kinds = get_type_hints(cls)
        return cls(**{key: _typed(kinds.get(key), value) for key, value in content.items()})

    def as_dict(self) -> dict[str, Any]:
        """Return the group as plain data."""
        return {field.name: _plain(getattr(self, field.name)) for field in fields(self)}


@dataclass(frozen=True)
class EdgeRules(SettingGroup):
    """What is done at gaps between sessions, and inside open episodes.

    Attributes
    ----------
    max_gap : int
        Session numbers back to the previous rated session.
    onset_inside_episode : bool
        Whether a fall inside an open episode opens an episode of its own.
    """

    key: ClassVar[str] = "edge_rules"

    max_gap: int
    onset_inside_episode: bool


@dataclass(frozen=True)
class PlantedFallSettings(SettingGroup):
    """Falls that are planted in rupture-free courses.

    Attributes
    ----------
    depths : tuple of float
        In SD of the course's noise.
    duration : int
        Sessions.
    courses : int
        How many falls to plant per depth, about.
    """

    depths: tuple[float, ...]
    duration: int
    courses: int


@dataclass(frozen=True)
class CertificateSettings(SettingGroup):
    """How long the certificate may take.

    Attributes
    ----------
    courses : int
        Simulated courses with ruptures, and twice as many without; 0 for no certificate.
    particles : int
        Histories of ruptures that the oracle follows, for each course and SD.
    """

    courses: int
    particles: int


@dataclass(frozen=True)
class HiddenMarkovSettings(SettingGroup):
    """How the hidden Markov model is fitted.

    Attributes
    ----------
    soft_ends : float
        Share of the range at each end where a total without items means all beyond.
    """

    key: ClassVar[str] = "hidden_markov"

    soft_ends: float


@dataclass(frozen=True)
class ChanceSettings(SettingGroup):
    """How episodes are compared with chance.

    Attributes
    ----------
    false_alarm : float
        Share of false alarms that a calibrated k allows.
    false_alarm_of : {"courses", "episodes"}
        Of rupture-free courses, or of the episodes found.
    null_models : tuple of str
        Of :data:`rupture_repair.chance.replicates.MODELS`, the main one first.
    replicates, slow_replicates : int
        Of the dataset; fewer for rules that take long.
    planted_falls : PlantedFallSettings
    certificate : CertificateSettings
    """

    key: ClassVar[str] = "chance"

    false_alarm: float
    false_alarm_of: str
    null_models: tuple[str, ...]
    replicates: int
    slow_replicates: int
    planted_falls: PlantedFallSettings
    certificate: CertificateSettings


@dataclass(frozen=True)
class ExposureStates(SettingGroup):
    """The states of a session that count as exposure to an open and to a repaired rupture."""

    open: tuple[str, ...]
    repaired: tuple[str, ...]


@dataclass(frozen=True)
class ModelSettings(SettingGroup):
    """How the models are fitted.

    Attributes
    ----------
    engine : {"blocks", "statsmodels"}
    landmark : int
        Session number that fixes the groups of the variant landmark.
    variants_for : {"default_criterion", "all_criteria"}
    exposure : ExposureStates
    failed_fit : {"error", "listed"}
        What a fit that fails does to the run.
    """

    key: ClassVar[str] = "models"

    engine: str
    landmark: int
    variants_for: str
    exposure: ExposureStates
    failed_fit: str


@dataclass(frozen=True)
class ExposureRules:
    """How states of sessions are linked to the outcome.

    Attributes
    ----------
    open, repaired : tuple of str
        As in :class:`ExposureStates`.
    max_gap : int
        How many session numbers later the next outcome may be.
    """

    open: tuple[str, ...]
    repaired: tuple[str, ...]
    max_gap: int

    @classmethod
    def of(cls, states: ExposureStates, edge_rules: EdgeRules) -> "ExposureRules":
        """Return the rules that two groups of settings make."""
        return cls(states.open, states.repaired, edge_rules.max_gap)


@dataclass(frozen=True)
class ClaimSettings(SettingGroup):
    """Smallest effects worth caring about, by part of a claim, where they are not as shipped."""

    key: ClassVar[str] = "claims"

    smallest: Mapping[str, float]


@dataclass(frozen=True)
class SynthesisSettings(SettingGroup):
    """What is done with datasets whose rating and outcome are the same scores."""

    key: ClassVar[str] = "synthesis"

    same_scores: str


@dataclass(frozen=True)
class MultiverseChoices(SettingGroup):
    """The choices whose combinations are the specifications of a multiverse.

    Attributes
    ----------
    criteria : tuple of str or None
        Ids, or None for all of the project.
    k_factors : tuple of float
        k times these.
    outcomes : {"paired", "all"}
    variants : tuple of str
        Of the model next_session.
    trend : tuple of {"kept", "removed"}
        Of the exposure within its course.
    censored : tuple of {"open", "left_out"}
        Sessions in episodes whose outcome is not known.
    minimum_sessions : tuple of int
        Rated sessions that a course needs.
    most : int
        Specifications; from a larger grid so many are drawn.
    """

    criteria: tuple[str, ...] | None
    k_factors: tuple[float, ...]
    outcomes: str
    variants: tuple[str, ...]
    trend: tuple[str, ...]
    censored: tuple[str, ...]
    minimum_sessions: tuple[int, ...]
    most: int


@dataclass(frozen=True)
class PermutationSettings(SettingGroup):
    """How exposures are permuted within courses.

    Attributes
    ----------
    permutations : int
    scheme : {"shuffle", "rotate"}
    """

    permutations: int
    scheme: str


@dataclass(frozen=True)
class MultiverseSettings(PermutationSettings, MultiverseChoices):
    """The group `multiverse`: the choices, and how exposures are permuted."""

    key: ClassVar[str] = "multiverse"


@dataclass(frozen=True)
class ReportSettings(SettingGroup):
    """What reports show, and in which forms.

    Attributes
    ----------
    individuals : {"demo_only", "allowed", "never"}
        Whose single courses are shown.
    formats : tuple of str
    min_cell : int
        Smaller counts are withheld where single courses are not shown.
    """

    key: ClassVar[str] = "report"

    individuals: str
    formats: tuple[str, ...]
    min_cell: int


@dataclass(frozen=True)
class Settings(SettingGroup):
    """All settings of a project, complete and checked.

    Attributes
    ----------
    datasets : tuple of str
    mirror : str or None
        Folder that holds the files of the public datasets.
    criteria : tuple of dict
        The criteria named in config.yaml, with the settings that it changes, as plain data: what
        :meth:`rupture_repair.detection.criteria.Criterion.as_dict` returns.
    default_criterion : str
    settings_of_criteria : mapping
        Id -> settings that replace those of the row.
    seed : int
        Of everything random.
    monte_carlo_courses : int
        Of a larger dataset, simulations and permutations use so many, evenly spaced by length.
    edge_rules, hidden_markov, chance, models, claims, synthesis, multiverse, report
        The groups.
    """

    datasets: tuple[str, ...]
    mirror: str | None
    criteria: tuple[Mapping[str, Any], ...]
    default_criterion: str
    settings_of_criteria: Mapping[str, Any]
    edge_rules: EdgeRules
    seed: int
    monte_carlo_courses: int
    hidden_markov: HiddenMarkovSettings
    chance: ChanceSettings
    models: ModelSettings
    claims: ClaimSettings
    synthesis: SynthesisSettings
    multiverse: MultiverseSettings
    report: ReportSettings
