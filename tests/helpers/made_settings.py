"""Settings for tests: what is not said is as shipped."""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any

from rupture_repair.project import yaml_files
from rupture_repair.project.setting_groups import (
    ChanceSettings,
    EdgeRules,
    ExposureRules,
    ModelSettings,
    PlantedFallSettings,
    Settings,
)
from rupture_repair.settings import default

EDGE_RULES = EdgeRules(max_gap=2, onset_inside_episode=False)

#: Open and repaired as shipped; the next outcome at most two session numbers later.
EXPOSURE_RULES = ExposureRules.of(default(ModelSettings).exposure, EDGE_RULES)

#: All variants of the models, for every criterion.
ALL_VARIANTS = replace(default(ModelSettings), variants_for="all_criteria")


def made_settings(
    content: Mapping[str, Any] | None = None, criteria: Iterable[Mapping[str, Any]] = ()
) -> Settings:
    """Return settings from keys of config.yaml; `criteria` are rows with their ids."""
    plain = yaml_files.complete(deepcopy(dict(content or {})), "config")
    return Settings.from_dict(plain | {"criteria": list(criteria)})


def changed(settings: Settings, **groups: dict[str, Any]) -> Settings:
    """Return settings with some keys of their groups changed."""
    made = {name: replace(getattr(settings, name), **keys) for name, keys in groups.items()}
    return replace(settings, **made)


def for_figures(settings: Settings) -> dict[str, Any]:
    """Return what figures are told of the settings."""
    return {
        "default_criterion": settings.default_criterion,
        "rules": ExposureRules.of(settings.models.exposure, settings.edge_rules),
    }


def chance_settings(**given: Any) -> ChanceSettings:
    """Return how to compare with chance; depths, duration and courses are of planted falls."""
    shipped = default(ChanceSettings)
    planted = {key: given.pop(key) for key in ("depths", "duration", "courses") if key in given}
    falls: PlantedFallSettings = replace(shipped.planted_falls, **planted)
    return replace(shipped, planted_falls=falls, **given)
