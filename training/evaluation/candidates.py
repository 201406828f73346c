"""Candidate intervals: all intervals in which a label may have happened, from the scores of windows. numpy only.

Events are the few intervals of high score. Detection mAP is computed from all plausible ones, ranked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mar_edge.streaming.recognition.probabilities import Inference
from mar_edge.training.evaluation.detection import Intervals

THRESHOLDS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
# Delays if a score stays high for at least a window. It rises after the onset, delay in seconds, and falls after the
# offset, delay in window lengths. A high score of one window shows only that the action is in that window.
_SEEN_AFTER_S = 0.7
_OUTLIVES = 0.55
_LONGEST_GAP_S = 0.5  # between two windows of one person; more than two strides
_SIGMA = 0.5  # of soft-NMS
_LEAST = 1e-3  # lower scores are dropped


@dataclass(frozen=True)
class ScoredWindows:
    """N windows of one recording, in order of time for each person.

    start_s, end_s: (N,) float64 of each window. person: (N,) int64.

    scores: (N, K) float32; all 0 if nothing moved, so that the network did not run.
    """

    start_s: NDArray[np.float64]
    end_s: NDArray[np.float64]
    person: NDArray[np.int64]
    scores: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.end_s)


def scored_windows(inferences: Sequence[Inference], num_labels: int) -> ScoredWindows:
    """Return the windows of one recording, as its pipeline reported them."""
    silent = np.zeros(num_labels, np.float32)
    return ScoredWindows(
        np.array([one.window.times_s[0] for one in inferences]),
        np.array([one.window.times_s[-1] for one in inferences]),
        np.array([one.window.person for one in inferences], np.int64),
        np.array([silent if one.probs is None else one.probs for one in inferences]).reshape(-1, num_labels),
    )


def propose(windows: ScoredWindows, window_s: float, video: int) -> Intervals:
    """Return the candidates of one recording.

    These are the stretches of each label above each of ``THRESHOLDS``, scored by their mean. Soft-NMS lowers the scores
    of duplicates (Bodla et al., ICCV 2017).

    Args:
        window_s: length of a full window. video: number of the recording in the result.
    """
    parts = [stretches(*mine, least, window_s) for mine in tracks(windows) for least in THRESHOLDS]
    label, start_s, end_s, score = (
        np.concatenate([getattr(part, name) for part in parts] or [np.zeros(0)])
        for name in ("label", "start_s", "end_s", "mean")
    )
    for k in np.unique(label):
        own = np.flatnonzero(label == k)
        score[own] = soften(start_s[own], end_s[own], score[own])
    video_of = np.full(len(score), video, np.int64)
    return Intervals(video_of, label.astype(np.int64), start_s, end_s, score).take(score >= _LEAST)


def tracks(
    windows: ScoredWindows,
) -> list[tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]]:
    """Return starts (M,), ends (M,) and scores (M, K) of each person's windows."""
    return [
        (windows.start_s[mine], windows.end_s[mine], windows.scores[mine].astype(np.float64))
        for mine in (windows.person == person for person in np.unique(windows.person))
    ]


def soften(
    start_s: NDArray[np.float64], end_s: NDArray[np.float64], score: NDArray[np.float64], sigma: float = _SIGMA
) -> NDArray[np.float64]:
    """Apply soft-NMS: the best interval keeps its score and lowers those it overlaps; then the next best."""
    left = score.copy()
    final = score.copy()
    open_ = np.ones(len(score), np.bool_)
    for _ in range(len(score)):
        best = int(np.argmax(np.where(open_, left, -1.0)))
        if left[best] < _LEAST:
            break
        open_[best] = False
        final[best] = left[best]
        together = np.clip(np.minimum(end_s, end_s[best]) - np.maximum(start_s, start_s[best]), 0, None)
        tiou = together / ((end_s - start_s) + (end_s[best] - start_s[best]) - together)
        left[open_] *= np.exp(-(tiou[open_] ** 2) / sigma)
    final[open_] = left[open_]
    return final


@dataclass(frozen=True)
class Stretches:
    """M stretches of time in which a label's score is high.

    label: (M,) int64. start_s, end_s: (M,) float64, estimated onset and offset of the movement.

    held_s: (M,) float64, from the first to the last window of high score. mean: (M,) float64, mean score of these.
    """

    label: NDArray[np.int64]
    start_s: NDArray[np.float64]
    end_s: NDArray[np.float64]
    held_s: NDArray[np.float64]
    mean: NDArray[np.float64]


def stretches(
    start_s: NDArray[np.float64], end_s: NDArray[np.float64], scores: NDArray[np.float64], least: float, window_s: float
) -> Stretches:
    """Return the stretches of consecutive windows in which one person's scores (N, K) reach ``least``."""
    gaps = np.flatnonzero(np.diff(end_s) > _LONGEST_GAP_S) + 1
    silent = np.zeros((1, scores.shape[1]))
    pieces = np.split(np.arange(len(end_s)), gaps)
    padded = np.concatenate([part for piece in pieces for part in (silent, scores[piece])] + [silent])
    row_of = np.concatenate([part for piece in pieces for part in ([-1], piece)] + [[-1]])
    sums = np.concatenate([silent, padded.cumsum(axis=0)])
    change = np.diff((padded >= least).astype(np.int8), axis=0).T  # (K, rows - 1): 1 before a stretch, -1 at its last
    label, before = np.nonzero(change == 1)
    _, last = np.nonzero(change == -1)
    first = before + 1
    seen_s, lost_s = end_s[row_of[first]], end_s[row_of[last]]
    held = np.minimum((lost_s - seen_s) / window_s, 1)
    begin = np.where(row_of[before] < 0, start_s[row_of[first]], seen_s - (1 - held) * window_s - held * _SEEN_AFTER_S)
    end = np.where(row_of[last + 1] < 0, lost_s, lost_s - held * _OUTLIVES * window_s)
    mean = (sums[last + 1, label] - sums[first, label]) / (last + 1 - first)
    return Stretches(label.astype(np.int64), begin, end, lost_s - seen_s, mean)
