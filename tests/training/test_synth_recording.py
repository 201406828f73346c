"""Recordings: known events in continuous motion."""

import itertools

import numpy as np
import pytest

from mar_edge.training.synth.actions import ACTIONS
from mar_edge.training.synth.framing import shows_legs
from mar_edge.training.synth.generator import CLASSES
from mar_edge.training.synth.recording import Recording, record
from mar_edge.training.synth.world import TRAINING

BY_NAME = {label.name: label for label in CLASSES}


def recordings(*names: str, seeds: int = 4, **options) -> list[Recording]:
    labels = tuple(BY_NAME[name] for name in names)
    return [record(seed, duration_s=40.0, labels=labels, **options) for seed in range(seeds)]


@pytest.fixture(scope="module")
def minute() -> Recording:
    return record(1)


def test_a_recording_has_the_documented_shapes(minute):
    assert minute.t.shape == (1800,)
    assert minute.t.dtype == np.float64
    np.testing.assert_allclose(np.diff(minute.t), 1 / 30)
    assert minute.joints.shape == (1800, 44, 2)
    assert minute.joints.dtype == minute.scores.dtype == np.float32
    assert minute.scores.shape == (1800, 44)
    missing = np.isnan(minute.joints).any(axis=-1)
    np.testing.assert_array_equal(missing, minute.scores == 0)
    assert all(isinstance(side, int) and side >= 144 for side in minute.size)


def test_a_recording_is_deterministic(minute):
    again = record(1)
    np.testing.assert_array_equal(minute.joints, again.joints)
    assert minute.events == again.events
    assert record(2).events != minute.events
    assert record(1, world=TRAINING).events != minute.events


@pytest.mark.parametrize("seed", range(5))
def test_events_follow_each_other_with_pauses_between(seed):
    events = record(seed).events
    assert len(events) >= 5
    assert all(0 < event.t_start < event.t_end < 60 for event in events)
    gaps = [after.t_start - before.t_end for before, after in itertools.pairwise(events)]
    assert min(gaps) > 0.5
    assert np.median(gaps) < 7


def test_length_and_rate_can_be_chosen():
    short = record(0, duration_s=10.0, fps=15.0)
    assert short.t.shape == (150,)
    np.testing.assert_allclose(np.diff(short.t), 1 / 15)
    assert record(0, duration_s=1.0).events == ()


def test_idle_recordings_have_no_events():
    idle = record(3, idle=True)
    assert idle.events == ()
    nose = idle.joints[:, 0]
    assert np.ptp(nose[~np.isnan(nose[:, 0])], axis=0).max() > 3  # px: the person moves


def test_only_requested_actions_happen():
    for recording in recordings("nodding", "waving"):
        assert {event.label.name for event in recording.events} == {"nodding", "waving"}
    assert recordings("no action")[0].events == ()


def test_all_actions_happen_eventually():
    legs = {row for row in range(len(ACTIONS)) if shows_legs(np.array([row]))[0]}
    done = {event.label.id for seed in range(40) for event in record(seed, fps=10.0).events}
    assert done >= set(range(len(ACTIONS))) - legs
    # In a mixture, leg actions need a picture that shows the legs, which is rare.
    labels = [label for label in CLASSES if label.id in legs]
    assert legs == {event.label.id for seed in range(10) for event in record(seed, fps=10.0, labels=labels).events}


@pytest.mark.parametrize(("name", "before"), [("closing legs", "spread legs"), ("retracting feet", "stretching feet")])
def test_the_way_to_an_action_is_a_separate_event(name, before):
    for recording in recordings(name):
        names = [event.label.name for event in recording.events]
        assert names == [before, name] * (len(names) // 2)
        assert names


@pytest.mark.parametrize(
    ("name", "back"),
    [("bowing head", "head up"), ("turning head", "turning head"), ("stretching arms", "retracting arms")],
)
def test_a_way_back_after_a_stay_is_a_separate_event(name, back):
    found = recordings(name, seeds=6)
    stays = [
        after.t_start - before.t_end
        for recording in found
        for before, after in itertools.pairwise(recording.events)
        if before.label.name == name and after.label.name == back
    ]
    assert {event.label.name for recording in found for event in recording.events} == {name, back}
    assert min(stays) > 0.5


def joint_speed(recording: Recording, joints: tuple[int, ...]) -> np.ndarray:
    """Return the speed (T,) px/s of the fastest of those joints relative to the neck, smoothed over 0.33 s."""
    track = (recording.joints[:, joints] - recording.joints[:, [18]]).reshape(len(recording.t), -1)
    smooth = np.stack([np.convolve(values, np.ones(10) / 10, mode="same") for values in track.T])
    return np.abs(np.gradient(smooth, recording.t, axis=-1)).max(axis=0)


@pytest.mark.parametrize(
    ("name", "joints"),
    [
        ("waving", (9, 10)),
        ("stretching arms", (9, 10)),
        ("touching nose", (9, 10)),
        ("turning head", (0,)),
        ("closing legs", (13, 14)),
    ],
)
def test_motion_is_inside_events(name, joints):
    times = []
    for recording in recordings(name, seeds=8):
        if np.isnan(recording.joints[:, (*joints, 18)]).any():
            continue  # out of the image
        during = np.zeros(len(recording.t), bool)
        for event in recording.events:
            during |= (recording.t > event.t_start) & (recording.t < event.t_end)
        # Margins of the smoothing at events and at the ends of the recording count neither as inside nor as outside.
        outside = np.convolve(during, np.ones(31), mode="same") == 0
        outside[:15] = outside[-15:] = False
        speed = joint_speed(recording, joints)
        times.append(np.quantile(speed[during], 0.8) / np.quantile(speed[outside], 0.8))
    # Limbs of some recordings drift off: an error of pose models.
    assert np.median(times) > 3
