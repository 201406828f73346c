"""Concurrent actions: frequencies, durations, and correct limb motion meanwhile."""

import itertools

import numpy as np
import pytest

from mar_edge.training.synth.actions import ACTIONS
from mar_edge.training.synth.density import REAL_AT_ONCE, REAL_OVERLAP, measure_density
from mar_edge.training.synth.draws import Draws
from mar_edge.training.synth.figure import draw_figures
from mar_edge.training.synth.generator import CLASSES
from mar_edge.training.synth.idle import posture
from mar_edge.training.synth.perform import Performances, drive_trunk, joined
from mar_edge.training.synth.rates import draw_durations, per_minute, typical_s
from mar_edge.training.synth.recording import plan, record
from mar_edge.training.synth.tracks import HELD, act, weights
from mar_edge.training.synth.world import TRAINING

ALL = np.arange(len(ACTIONS))
ROW = {action.name: row for row, action in enumerate(ACTIONS)}
ONE = np.ones(1, np.float32)
LEFT_TIPS = slice(34, 39)


@pytest.fixture(scope="module")
def density():
    return measure_density(150)


def test_label_density_matches_interviews(density):
    assert density.at_once[:4] == pytest.approx(REAL_AT_ONCE, abs=5)
    assert density.at_once[4:].sum() < 1


def test_group_overlaps_match_interviews(density):
    real = np.array(REAL_OVERLAP)
    assert np.abs(density.overlap - real).max() < 0.35
    apart = ~np.eye(len(real), dtype=bool)
    assert np.corrcoef(density.overlap[apart], real[apart])[0, 1] > 0.85


def test_rare_actions_happen_and_frequent_ones_more_often(density):
    assert min(len(lasts) for lasts in density.lasts_s.values()) >= 1
    share = weights(ALL)
    assert share.sum() == pytest.approx(1, abs=1e-5)
    assert share[ROW["turning head"]] > 5 * share[ROW["turning around"]] > 0
    assert per_minute()[ROW["turning head"]] == pytest.approx(2.566)


def test_durations_match_interviews():
    for name in ("nodding", "hands touching fingers", "patting legs"):
        lasts = draw_durations(Draws(np.random.default_rng(1)), np.full(4000, ROW[name]))
        assert np.median(lasts) == pytest.approx(typical_s()[ROW[name]], rel=0.08)
    curled = draw_durations(Draws(np.random.default_rng(1)), np.full(4000, ROW["curling legs"]))
    assert np.quantile(curled, 0.95) == pytest.approx(14.2, abs=0.4)


def test_postures_are_held_and_other_steps_end(density):
    for action in ACTIONS:
        if action.id in {21, 25, 45}:
            assert max(density.lasts_s[action.id]) > 6
        elif action.id in range(5, 9):  # a way out or back
            assert max(density.lasts_s[action.id]) < 2.6
    assert {24, 28, 37} < HELD
    assert not {8, 26, 27, 29, 30} & HELD


def test_events_overlap_between_tracks_only():
    heads = ("bowing head", "head up", "turning head", "nodding")
    _, events = act(Draws(np.random.default_rng(3)), 200.0, np.array([ROW[name] for name in heads]), ONE)
    assert {event.label.name for event in events} == set(heads)
    assert all(before.t_end <= after.t_start + 1e-3 for before, after in itertools.pairwise(events))
    _, events = act(Draws(np.random.default_rng(3)), 200.0, ALL, ONE)
    assert any(before.t_end > after.t_start for before, after in itertools.pairwise(events))
    assert all(0 <= event.t_start < event.t_end <= 200 for event in events)


def test_a_recording_contains_actions_that_began_before_it():
    plans = [plan(seed, duration_s=10.0) for seed in range(12)]
    assert sum(event.t_start == 0 for one in plans for event in one.events) > 6
    assert sum(event.t_end == 10 for one in plans for event in one.events) > 6


def test_a_plan_equals_that_of_the_recording():
    made = record(4, duration_s=6.0, fps=10.0, concurrent=True)
    assert made.events == plan(4, duration_s=6.0).events
    assert made.joints.shape == (60, 44, 2)
    again = record(4, duration_s=6.0, fps=10.0, concurrent=True)
    np.testing.assert_array_equal(made.joints, again.joints)
    assert record(4, duration_s=6.0, fps=10.0).events != made.events


def test_standing_people_perform_no_leg_actions():
    for seed in range(30):
        planned = plan(seed, duration_s=10.0)
        if planned.standing[0] or planned.desk[0]:
            bodies = {event.label.body for event in planned.events}
            assert not bodies & {"lower limb", "leg-hand"}


def together(*names: str, seconds: float = 6.0) -> tuple[np.ndarray, np.ndarray]:
    """Return points (T, 51, 3) m of a person who performs all ``names`` from 1 s on, left limbs first, and t."""
    draws = Draws(np.random.default_rng(5))
    t = np.linspace(0, seconds, 121, dtype=np.float32)[None]
    parts = []
    for name in names:
        doing = Performances.draw(draws, np.zeros(1, np.intp), np.array([ROW[name]]), np.full(1, seconds), ONE)
        curves = doing.curves.returning(ONE > 0).lasting(np.full(1, 4.0, np.float32)).starting(ONE)
        parts.append(Performances(**{**vars(doing), "curves": curves, "side": np.zeros(1, np.intp)}))
    doing = joined(*parts)
    motion = posture(draws, 1, t.shape[1], 0.0)
    drive_trunk(draws, doing, t, motion)
    no = np.zeros(1, bool)
    points, _ = draw_figures(
        draws, doing, motion, t, desk=no, standing=no, acting=np.ones((1, 2), bool), world=TRAINING
    )
    return points[0], t[0]


@pytest.mark.parametrize("other", ["nodding", "shaking head", "shaking legs", "shaking body"])
def test_a_hand_stays_at_the_face_during_other_actions(other):
    points, t = together("touching nose", other)
    there = (t > 2.6) & (t < 3.4)
    away = np.linalg.norm(points[there, LEFT_TIPS] - points[there, :1], axis=-1).min(axis=1)
    assert away.max() < 0.06
    if other in ("nodding", "shaking head"):
        assert np.ptp(points[there, 0], axis=0).max() > 0.004  # the head does move


def test_a_hand_on_a_leg_follows_the_leg():
    points, t = together("touching legs", "shaking legs")
    there = (t > 2.6) & (t < 3.4)
    knee, wrist = points[there, 25], points[there, 15]
    assert np.ptp(np.linalg.norm(wrist - knee, axis=-1)) < 0.15


def test_a_subset_of_labels_is_respected():
    some = tuple(label for label in CLASSES if label.name in ("nodding", "waving"))
    events = plan(1, duration_s=60.0, labels=some).events
    assert {event.label.name for event in events} == {"nodding", "waving"}
