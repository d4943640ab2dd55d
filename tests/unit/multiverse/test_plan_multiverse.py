"""The plan of the multiverse."""

from dataclasses import replace

import pandas as pd

from made_multiverse import MEASURES
from made_specifications import planned
from rupture_repair.multiverse.choices import CHOICES
from rupture_repair.project.reasons import because


def test_every_combination_is_one_row_and_what_cannot_be_applied_too(made):
    plan = planned(made)
    # criteria x k x measures x variants x trend x censored x minimum, and two that are absent
    assert len(plan) == 2 * 2 * 2 * 3 * 2 * 2 * 2 + 2
    assert not plan.duplicated(list(CHOICES)).any()
    assert list(plan["specification"]) == list(range(1, len(plan) + 1))
    absent = plan[plan["reason"].notna()]
    assert set(absent["criterion"]) == {"srs_cutoff"}
    assert set(absent["reason"]) == {because("criterion", reason="the rule is for SRS")}
    assert plan.loc[plan["k_factor"] == 0.8, "k"].isin([0.8, 1.6]).all()


def test_the_main_specification_is_the_analysis_shown_elsewhere(made):
    main = planned(made).query("main").iloc[0]
    found = main[["criterion", "k_factor", "measure", "variant", "trend", "censored"]].tolist()
    assert found == ["v_1sd", 1.0, "bond", "ar1", "kept", "open"]
    assert main["minimum_sessions"] == 3
    assert not planned(made, variants=["main"])["main"].any()


def test_a_draw_is_balanced_seeded_and_holds_the_main_specification(made):
    for seed in range(5):
        drawn = planned(made, seed=seed, most=30)
        fitted = drawn[drawn["reason"].isna()]
        assert len(fitted) == 30
        counts = fitted.groupby(["criterion", "measure"]).size()
        assert counts.max() - counts.min() <= 1
        assert drawn["main"].sum() == 1
        pd.testing.assert_frame_equal(drawn, planned(made, seed=seed, most=30))
    assert not drawn.equals(planned(made, seed=99, most=30))


def test_k_is_changed_only_where_it_counts_units_of_a_fall():
    from rupture_repair.detection import criteria
    from rupture_repair.multiverse.plan_multiverse import _has_k

    fixed = {rule.id for rule in criteria.load() if not _has_k(rule)}
    assert fixed == {
        *("western_electric", "anhoej", "srs_cutoff", "sudden_loss", "reported"),
        "rupture_probability",
    }


def test_outcomes_are_the_paired_one_or_all_that_are_rated_at_sessions(made):
    assert set(planned(made)["outcome"].dropna()) == {"mood"}
    every = planned(made, outcomes="all", most=1000)
    assert set(every["outcome"].dropna()) == {"mood", "sleep"}
    assert every.query("main")["outcome"].tolist() == ["mood"]
    without = {**MEASURES, "mood": replace(MEASURES["mood"], level="course")}
    plan = planned({**made, "measures": without})
    assert plan["reason"].notna().all()
    assert because("no_session_outcome", measure="bond") in set(plan["reason"])
