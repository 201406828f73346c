from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from streaming_fakes import LAYOUT, Motion, V, nod, person

from mar_edge.edge.data import Window
from mar_edge.streaming.recognition.trigger import MotionGate, Stride, body_size, coherent_motion


def window(motion: Motion, jitter_px: float, fps: float = 30.0, seconds: float = 2.0, seed: int = 0) -> Window:
    times = np.arange(round(seconds * fps) + 1) / fps
    clip = np.stack([motion(float(t)) for t in times])
    clip += np.random.default_rng(seed).normal(0, jitter_px, clip.shape).astype(np.float32)
    return Window(clip, times)


def still(_: float) -> NDArray[np.float32]:
    return person()


@pytest.mark.parametrize("fps", [15, 24, 25, 29.97, 30, 60])
def test_the_stride_does_not_drift_at_any_frame_rate(fps: float) -> None:
    stride = Stride(0.2)
    due = [i / fps for i in range(round(60 * fps)) if stride.due(i / fps)]
    assert len(due) == 300
    assert all(k * 0.2 - 0.002 <= t <= k * 0.2 + 1 / fps for k, t in enumerate(due))


def test_missed_strides_make_one_inference_and_stay_on_the_grid() -> None:
    stride = Stride(0.2)
    assert stride.due(5.0)
    assert stride.due(6.13)
    assert not stride.due(6.19)
    assert stride.due(6.2)


def test_time_that_runs_backwards_starts_a_new_grid() -> None:
    stride = Stride(0.2)
    assert stride.due(100.0)
    assert stride.due(3.0)
    assert stride.due(3.2)


@pytest.mark.parametrize("fps", [15, 30, 60])
@pytest.mark.parametrize("jitter_px", [0.0, 0.5, 1.0])
def test_a_subtle_nod_passes(fps: float, jitter_px: float) -> None:
    gate = MotionGate(LAYOUT)
    once = 1 / 1.6
    for seed in range(6):
        assert gate.moves(window(nod(4.0), jitter_px, fps, seed=seed))
        assert gate.moves(window(nod(4.0, hz=1.6, start_s=0.7, end_s=0.7 + once), jitter_px, fps, seed=seed))
        assert gate.moves(window(nod(4.0, hz=3.0), jitter_px, fps, seconds=0.7, seed=seed))


@pytest.mark.parametrize("fps", [15, 30, 60])
@pytest.mark.parametrize("jitter_px", [0.0, 0.5, 1.0])
def test_jitter_alone_does_not(fps: float, jitter_px: float) -> None:
    gate = MotionGate(LAYOUT)
    for seed in range(6):
        assert not gate.moves(window(still, jitter_px, fps, seed=seed))
        assert not gate.moves(window(still, 0.8 * jitter_px, fps, seconds=0.8, seed=seed))


def test_it_does_not_matter_how_large_the_person_is() -> None:
    gate = MotionGate(LAYOUT)
    for scale in (0.25, 1.0, 4.0):
        assert gate.moves(Window(window(nod(4.0), 0.7).clip * scale, window(nod(4.0), 0.7).times_s))
        assert not gate.moves(Window(window(still, 0.7).clip * scale, window(still, 0.7).times_s))


def test_one_hand_is_enough_and_one_spike_is_not() -> None:
    gate = MotionGate(LAYOUT)
    fingers = [33, 34, 35, 36, 37]

    def clenching(t_s: float) -> NDArray[np.float32]:
        joints = person()
        joints[fingers] += np.float32(4 * np.sin(6 * t_s))
        return joints

    assert gate.moves(window(clenching, 0.7))
    spiked = window(still, 0.5)
    spiked.clip[20, 9] += 300
    assert not gate.moves(spiked)


def test_joints_that_were_not_seen_neither_open_nor_break_it() -> None:
    gate = MotionGate(LAYOUT)
    clip = window(still, 0.5).clip.copy()
    clip[:, 32:] = np.nan
    clip[::2, 13] = np.nan
    clip[5, 3] = np.nan
    times = window(still, 0.5).times_s
    assert not gate.moves(Window(clip, times))
    nodding = window(nod(5.0), 0.5).clip.copy()
    nodding[np.isnan(clip)] = np.nan
    assert gate.moves(Window(nodding, times))
    assert not gate.moves(Window(np.full_like(clip, np.nan), times))
    assert not gate.moves(Window(clip[:2], times[:2]))


def test_the_measure_is_the_rms_movement_per_joint() -> None:
    together = window(lambda t: person() + np.float32(10 * np.sin(2 * np.pi * t)), 0.0, fps=60)
    assert coherent_motion(together.clip) == pytest.approx(10.0, rel=0.02)  # 10 / sqrt(2) on each axis
    assert body_size(together.clip) == pytest.approx(880, rel=0.02)
    assert body_size(np.full((3, V, 2), np.nan, np.float32)) == 0.0
