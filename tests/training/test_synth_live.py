"""Windows cut from recordings: when they are cut, and what they are called."""

import numpy as np
import pytest

from edge.labels import background_label
from training.synth import live
from training.synth.chunks import CHUNK, make_chunk
from training.synth.generator import CLASSES
from training.synth.live import LIVE_LABELLED, PER_RECORDING, WINDOW_S, live_windows
from training.synth.recording import Recording, TrueEvent
from training.synth.world import HELD_OUT, TRAINING

BACKGROUND = len(CLASSES) - 1
NOD, SHRUG, WAVE = 3, 20, 30
# Shorter than a window, longer, and one that another hides.
EVENTS = (
    TrueEvent(CLASSES[NOD], 5.0, 6.0),
    TrueEvent(CLASSES[WAVE], 10.0, 15.0),
    TrueEvent(CLASSES[SHRUG], 10.0, 15.0),
)


@pytest.fixture
def asked(monkeypatch):
    """Recordings in which a joint's place is the time, 100 px a second; what was asked for is noted."""
    calls = []

    def timed(seed, *, duration_s, fps, world, idle, labels):
        calls.append((seed, fps, world, idle))
        t = np.arange(round(duration_s * fps)) / fps
        joints = np.repeat(100 * t[:, None, None], 44, axis=1).repeat(2, axis=2).astype(np.float32)
        return Recording(t, joints, np.ones(joints.shape[:2], np.float32), (640, 480), () if idle else EVENTS)

    monkeypatch.setattr(live, "record", timed)
    return calls


def test_a_window_is_called_after_what_it_shows(asked):
    joints, labels = live_windows(1, 0, 800)
    begin, end = joints[:, 0, 0, 0] / 100, joints[:, -1, 0, 0] / 100
    assert end - begin == pytest.approx(np.full(800, WINDOW_S), abs=0.15)  # two frames, at 14 a second
    assert begin.min() > -0.08
    assert end.max() < 20.01
    nod = np.clip(np.minimum(end, 6) - np.maximum(begin, 5), 0, None)
    wave = np.clip(np.minimum(end, 15) - np.maximum(begin, 10), 0, None) / 2
    slack = 0.15
    assert (nod[labels == NOD] > 0.15 - slack).all()
    assert (wave[labels == WAVE] > 0.15 - slack).all()
    assert set(labels.tolist()) == {NOD, WAVE, BACKGROUND}
    acting = np.repeat([not idle for _, _, _, idle in asked], PER_RECORDING)
    assert (nod[labels == BACKGROUND] < 1).mean() > 0.95  # idle recordings hold neither
    # As often one as the other, though one of them lasts five times as long; and a part of either now and then.
    count = np.bincount(labels, minlength=len(CLASSES))
    assert 0.6 < count[NOD] / count[WAVE] < 1.6
    # A third of the picks falls on what no window shows.
    assert (labels != BACKGROUND).mean() == pytest.approx(0.7 * 2 / 3 * acting.mean(), abs=0.05)
    halves = (nod > 0.3) & (nod < 0.5)
    assert {NOD, BACKGROUND} <= set(labels[halves].tolist())


def test_the_same_for_the_same_numbers():
    joints, labels = live_windows(4, 2, 20)
    again, names = live_windows(4, 2, 20)
    np.testing.assert_array_equal(joints, again)
    assert labels.tolist() == names.tolist()
    assert (joints.shape, joints.dtype) == ((20, 64, 44, 2), np.float32)
    assert np.isfinite(joints).all()
    for other in (live_windows(4, 3, 20), live_windows(5, 2, 20), live_windows(4, 2, 20, world=HELD_OUT)):
        assert not np.array_equal(other[0], joints)


def test_people_cameras_and_idle_minutes_differ(asked):
    live_windows(1, 0, 800, world=HELD_OUT)
    seeds, fps, worlds, idle = zip(*asked, strict=True)
    assert len(asked) == len(set(seeds)) == 800 // PER_RECORDING
    assert set(worlds) == {HELD_OUT}
    assert 8.99 < min(fps) < max(fps) - 10 < 21.01
    assert 0.05 < np.mean(idle) < 0.3


def test_background_is_where_the_classes_have_it():
    classes = (background_label(), CLASSES[NOD])
    labels = live_windows(1, 0, 160, classes=classes)[1]
    assert set(labels.tolist()) == {0, 1}
    assert (labels == 1).mean() == pytest.approx(LIVE_LABELLED, abs=0.12)


def test_a_chunk_mixes_clips_and_windows():
    mixed = make_chunk(3, 1, live=0.5, world=TRAINING)
    assert mixed.joints.shape == (CHUNK, 64, 44, 2)
    assert mixed.labels.shape == mixed.duration_s.shape == (CHUNK,)
    joints, labels = live_windows(3, 1, CHUNK // 2, world=TRAINING)
    place = [int(np.flatnonzero((mixed.joints == one).all(axis=(1, 2, 3)))[0]) for one in joints[:10]]
    assert mixed.labels[place].tolist() == labels[:10].tolist()
    assert min(place) < CHUNK // 2 < max(place)
