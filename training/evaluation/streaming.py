"""Synthetic recordings through the pipeline of ``serve``, frame by frame: true events and reported events.

Recording time is the only clock, so the events are the same on every machine. Computes no figures.
"""

from __future__ import annotations

import math
import os
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing import get_context

import msgspec

from mar_edge.edge.data import Skeleton
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.labels import Label
from mar_edge.edge.layout import load_layout
from mar_edge.edge.model_file import ModelMetadata
from mar_edge.edge.progress import Progress
from mar_edge.edge.recognizer import WindowRecognizer
from mar_edge.streaming.recognition.pipeline import Pipeline, PipelineRules, Step
from mar_edge.streaming.recognition.probabilities import Inference
from mar_edge.streaming.timing import Timer
from mar_edge.training.evaluation.candidates import ScoredWindows, scored_windows
from mar_edge.training.evaluation.matching import LiveEvent
from mar_edge.training.evaluation.models import ModelSource
from mar_edge.training.evaluation.truth import FRAMINGS, framing
from mar_edge.training.synth.events import TrueEvent
from mar_edge.training.synth.generator import CLASSES
from mar_edge.training.synth.recording import Recording, record

LAYOUT = "ma52"
_RECORDING_S = 60.0
# Evaluations with different seeds share no recording, nor do the kinds of recordings of one seed.
_SEEDS_APART = 100_000
_IDLE_SEEDS = 50_000
_CONCURRENT_SEEDS = 75_000


@dataclass(frozen=True)
class Take:
    """A recording to generate. idle: without actions. labels: its possible actions. concurrent: several at once."""

    seed: int
    duration_s: float
    idle: bool
    labels: tuple[Label, ...]
    concurrent: bool = False


@dataclass(frozen=True)
class EvaluatedRecording:
    """True and reported (``live``) events of one recording.

    framing: one of ``training.evaluation.truth.FRAMINGS``. windows: with the network's scores; None if not kept.
    """

    duration_s: float
    idle: bool
    true: tuple[TrueEvent, ...]
    live: tuple[LiveEvent, ...]
    concurrent: bool = False
    framing: str = FRAMINGS[0]
    windows: ScoredWindows | None = None


def plan_takes(
    metadata: ModelMetadata, minutes: float, idle_minutes: float, seed: int, concurrent_minutes: float = 0.0
) -> tuple[Take, ...]:
    """Plan recordings of up to a minute: with the actions that the model knows, without actions, and with several.

    Raises:
        MarEdgeError: the model takes other skeletons than the recordings, or knows none of their actions.
    """
    if metadata.layout != LAYOUT:
        raise MarEdgeError(f"synthetic recordings hold {LAYOUT} skeletons, the model takes {metadata.layout} ones")
    known = {label.name for index, label in enumerate(metadata.labels) if index != metadata.background}
    labels = tuple(label for label in CLASSES if label.name in known)
    if not labels:
        raise MarEdgeError("the model knows none of the actions of synthetic recordings: those of MA-52, by name")
    first = seed * _SEEDS_APART
    return tuple(
        Take(start + i, duration_s, idle, labels, concurrent)
        for start, length, idle, concurrent in (
            (first, minutes, False, False),
            (first + _IDLE_SEEDS, idle_minutes, True, False),
            (first + _CONCURRENT_SEEDS, concurrent_minutes, False, True),
        )
        for i, duration_s in enumerate(_cut(length))
    )


def _cut(minutes: float) -> list[float]:
    """Split minutes into equal lengths in seconds, as few as possible, of ``_RECORDING_S`` or less."""
    total_s = minutes * 60.0
    count = math.ceil(total_s / _RECORDING_S - 1e-9)
    return [total_s / count] * count if count else []


def evaluate_takes(
    source: ModelSource,
    rules: PipelineRules,
    takes: Sequence[Take],
    progress: Progress,
    temperature: float | None = None,
) -> list[EvaluatedRecording]:
    """Generate and evaluate all recordings, a process per core; return results in the order of ``takes``.

    A second core hardly speeds up single windows, so each core evaluates its own recordings.

    Args:
        temperature: replaces the model's own.
    """
    workers = min(os.cpu_count() or 1, len(takes))
    evaluated = []
    with _pool(workers, source, rules, temperature) as pool:
        for one in pool.map(_evaluate_take, takes):
            evaluated.append(one)
            progress("recordings", len(evaluated), len(takes))
    return evaluated


def evaluate_recording(
    recording: Recording,
    recognizer: WindowRecognizer,
    rules: PipelineRules,
    *,
    idle: bool = False,
    concurrent: bool = False,
) -> EvaluatedRecording:
    """Run one recording through the pipeline.

    True events whose label the model does not know are left out: some actions begin with another one.
    """
    pipeline = Pipeline(recognizer, rules, Timer())
    labels = recognizer.metadata.labels
    reported_s: dict[int, float] = {}
    live: list[LiveEvent] = []
    inferences: list[Inference] = []

    def note(t_s: float, step: Step) -> None:
        inferences.extend(step.inferences)
        for change in step.events:
            reported_s.setdefault(change.event_id, t_s)
            if change.t_end_s is not None:
                live.append(
                    LiveEvent(
                        labels[change.label],
                        change.t_start_s,
                        change.t_end_s,
                        reported_s[change.event_id],
                        change.score,
                    )
                )

    times_s = [float(t) for t in recording.t]
    for t_s, joints, scores in zip(times_s, recording.joints, recording.scores, strict=True):
        note(t_s, pipeline.push(t_s, [Skeleton(joints, scores)]))
    note(times_s[-1], pipeline.finish(infer=True))
    known = {label.name for label in labels}
    true = tuple(event for event in recording.events if event.label.name in known)
    return EvaluatedRecording(
        times_s[-1] - times_s[0],
        idle,
        true,
        tuple(live),
        concurrent,
        framing(recording.joints, recognizer.layout),
        scored_windows(inferences, len(labels)),
    )


@dataclass(frozen=True)
class _Worker:
    recognizer: WindowRecognizer
    rules: PipelineRules


_worker: _Worker | None = None


@contextmanager
def _pool(
    workers: int, source: ModelSource, rules: PipelineRules, temperature: float | None
) -> Iterator[ProcessPoolExecutor]:
    """Start processes that each open the model; drop recordings not yet started if the block ends early.

    They are spawned: a forked process would inherit locks of threads that it does not have.
    """
    opens = (replace(source, threads=1), rules, temperature)
    pool = ProcessPoolExecutor(workers, get_context("spawn"), _open_worker, opens)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _open_worker(source: ModelSource, rules: PipelineRules, temperature: float | None) -> None:
    global _worker  # noqa: PLW0603 - the only place where a process of a pool can keep its model
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent ends the pool
    recognizer = source.open(load_layout(LAYOUT))
    if temperature is not None:
        recognizer.metadata = msgspec.structs.replace(recognizer.metadata, temperature=temperature)
    _worker = _Worker(recognizer, rules)


def _evaluate_take(take: Take) -> EvaluatedRecording:
    assert _worker is not None
    return evaluate_recording(make(take), _worker.recognizer, _worker.rules, idle=take.idle, concurrent=take.concurrent)


def make(take: Take) -> Recording:
    """Generate the recording of a take."""
    return record(take.seed, duration_s=take.duration_s, idle=take.idle, labels=take.labels, concurrent=take.concurrent)
