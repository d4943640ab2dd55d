import pytest

from rupture_repair.detection import criteria
from rupture_repair.project.problems import ProblemsFound

ROW = """
mine:
  name: Mine
  rule: A fall of at least k points.
  reference: previous
  unit: raw
  k: 3
  repair: {regain: 0.5, within: 3}
  source: Me
  standing: generic
"""


def texts(**how):
    with pytest.raises(ProblemsFound) as found:
        criteria.load(**how)
    return [entry.text for entry in found.value.problems]


def test_rows_come_in_the_order_asked_for():
    assert [rule.id for rule in criteria.load(["v_1sd", "dip"])] == ["v_1sd", "dip"]


def test_settings_replace_those_of_the_row_and_are_named():
    rule = criteria.load(["dip"], {"dip": {"k": 3, "repair": {"within": 5}}})[0]
    assert (rule.k, rule.repair.within, rule.repair.tolerance) == (3, 5, 0.5)
    assert rule.changed == ("k", "repair")


def test_criteria_survive_being_passed_as_plain_data():
    rules = criteria.load()
    assert criteria.from_dicts([rule.as_dict() for rule in rules]) == rules


def test_an_unknown_criterion_is_named_with_the_nearest_one():
    assert texts(ids=["dipp"]) == [
        "E401 config.yaml, key criteria: there is no criterion 'dipp' in "
        "workflow/rupture_repair/knowledge/criteria.yaml. "
        "Did you mean 'dip'? Allowed: " + ", ".join(rule.id for rule in criteria.load()) + "."
    ]


def test_a_changed_setting_is_checked():
    assert texts(ids=["dip"], settings={"dip": {"unt": "raw"}}) == [
        "E402 config.yaml, key settings_of_criteria.dip: the changed settings do not make a valid "
        "criterion: E103 criterion dip, key dip.unt: 'unt' is not a known key. Did you mean "
        "'unit'? Allowed here: name, rule, reference, value, span, unit, sd_around, k, strict, "
        "floor, run, pooled_sd, window, deleted, ceiling, purge, autocorrelation, max_gap, "
        "onset_inside_episode, repair, min_ratings, instruments, source, doi, standing. Correct "
        "the setting; "
        "workflow/rupture_repair/knowledge/schemas/criteria.schema.yaml describes each."
    ]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "reference: previous",
            "reference: prevous",
            "E105 {file}, line 5, key mine.reference: 'prevous' is not allowed. Did you mean "
            "'previous'? Allowed: previous, recent_peak, recent_mean, decline_start, past_mean, "
            "course_mean, course_median, first_quartile, trend, fixed, model.",
        ),
        (
            "unit: raw",
            "unit: points",
            "E105 {file}, line 6, key mine.unit: 'points' is not allowed. Allowed: raw, own_sd, "
            "sample_sd, larger_sd, shrunk_sd, moving_range, reliable_change, mad, iqr, noise_sd.",
        ),
        (
            "unit: raw",
            "unit: raw\n  sourc: x",
            "E103 {file}, line 7, key mine.sourc: 'sourc' is not a known key. Did you mean "
            "'source'? Allowed here: name, rule, reference, value, span, unit, sd_around, k, "
            "strict, floor, run, pooled_sd, window, deleted, ceiling, purge, autocorrelation, "
            "max_gap, onset_inside_episode, repair, min_ratings, "
            "instruments, source, doi, standing.",
        ),
        (
            "mine:",
            "My rule:",
            "E105 {file}, line 2, key My rule: 'My rule' is not allowed. Allowed: an id of small "
            "letters, digits and '_', beginning with a letter.",
        ),
        (
            "reference: previous",
            "reference: fixed",
            "E403 {file}, key mine.value: the reference 'fixed' needs the level to compare with. "
            "Add value: in points of the instrument.",
        ),
    ],
)
def test_faulty_rows(old, new, expected, tmp_path):
    file = tmp_path / "criteria.yaml"
    file.write_text(ROW.replace(old, new), encoding="utf-8")
    assert texts(file=file) == [expected.format(file=file)]


@pytest.mark.parametrize(
    ("changes", "key", "found", "allowed"),
    [
        ({"reference": "previous"}, "reference", "previous", "trend, recent_mean"),
        ({"unit": "raw"}, "unit", "raw", "shrunk_sd, own_sd, sample_sd"),
        ({"run": "anhoej"}, "run", "anhoej", "null"),
    ],
)
def test_what_does_not_go_with_a_window_is_refused(changes, key, found, allowed):
    (text,) = texts(ids=["dip"], settings={"dip": changes})
    assert text == (
        f"E404 workflow/rupture_repair/knowledge/criteria.yaml, key dip.{key}: '{found}' does not "
        f"go with a window. Allowed with a window: {allowed}; or set window: null."
    )


def test_single_settings_of_a_window_can_be_changed():
    rule = criteria.load(["dip"], {"dip": {"window": {"longest": 2}, "purge": {"z": 2.5}}})[0]
    assert (rule.window.longest, rule.window.to_end, rule.window.before) == (2, True, 2)
    assert (rule.purge.z, rule.purge.rounds) == (2.5, 4)


def test_every_row_states_source_and_standing():
    for rule in criteria.load():
        assert rule.source
        assert rule.rule.endswith(".")
    published = {rule.id for rule in criteria.load() if rule.standing == "published"}
    assert published == {
        *("own_mean_2sd", "shewhart_3", "shewhart_2", "western_electric", "anhoej"),
        *("sudden_loss", "reported"),
    }
