"""Latency of model files on runtimes, measured side by side in one run. Knows no kind of input; prints nothing.

Other load on the machine affects all candidates equally: they take turns within each round. Read the ratios first.
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

import mar_edge
from mar_edge.edge.choices import RuntimeName
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.model_file import ModelMetadata, Precision, parse_metadata
from mar_edge.edge.progress import Progress, silent
from mar_edge.edge.runtime.base import InputArray, Runtime
from mar_edge.edge.runtime.choice import open_runtime
from mar_edge.edge.runtime.cores import usable_cores

Inputs = Mapping[str, InputArray]

_WARM_UP_ROUNDS = 5


class Environment(msgspec.Struct, frozen=True, kw_only=True):
    """Where it was measured. load: average of the minute before, in processes; None if not known."""

    mar_edge: str
    python: str
    machine: str
    processor: str
    cores: int
    threads: int
    load: float | None


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One model on one runtime with one batch size.

    p50_ms, p95_ms, p99_ms: of one inference. windows_per_s: over all rounds. memory_mb: added to the process by
    loading and warming up, at its first batch size; None if not known.
    """

    model: str
    precision: Precision
    runtime: str
    batch: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    windows_per_s: float
    memory_mb: float | None


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    """One model on one runtime compared with the first candidate: share of equal labels, largest logit difference."""

    model: str
    runtime: str
    windows: int
    agreement: float
    largest_logit_error: float


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Results of ``bench``. The first of ``agreements`` is the reference; without --verify there are none."""

    environment: Environment
    rounds: int
    rows: tuple[Row, ...]
    agreements: tuple[Agreement, ...] = ()


@dataclass(frozen=True)
class Candidate:
    """A model that is loaded and warmed up."""

    model: Path
    metadata: ModelMetadata
    runtime: Runtime
    memory_mb: float | None


def open_candidate(
    model: Path, name: RuntimeName, threads: int, inputs: Callable[[ModelMetadata], Inputs], progress: Progress = silent
) -> Candidate:
    """Load a model file on a runtime and run it once, on the inputs for it.

    Raises:
        MarEdgeError: as ``open_runtime``.
    """
    before = _memory_mb()
    runtime = open_runtime(model, name, threads, progress).runtime
    metadata = parse_metadata(runtime.metadata_json, str(model))
    runtime.warm_up(inputs(metadata))
    after = _memory_mb()
    return Candidate(model, metadata, runtime, after - before if before is not None and after is not None else None)


def time_candidates(
    candidates: Sequence[Candidate],
    inputs: Callable[[ModelMetadata], Inputs],
    batches: Sequence[int],
    rounds: int,
    progress: Progress,
) -> tuple[Row, ...]:
    """Return rows by batch size, candidates in their order within.

    Args:
        inputs: gives as many windows as the largest batch, for a model.
    """
    rows = []
    for batch in batches:
        times_ms: list[list[float]] = [[] for _ in candidates]
        given = [{name: array[:batch] for name, array in inputs(c.metadata).items()} for c in candidates]
        for turn in range(_WARM_UP_ROUNDS + rounds):
            for candidate, windows, taken in zip(candidates, given, times_ms, strict=True):
                start = time.perf_counter_ns()
                candidate.runtime.infer(windows)
                if turn >= _WARM_UP_ROUNDS:
                    taken.append((time.perf_counter_ns() - start) / 1e6)
            progress(f"batch {batch}", turn + 1, _WARM_UP_ROUNDS + rounds)
        rows += [_row(c, batch, taken) for c, taken in zip(candidates, times_ms, strict=True)]
    return tuple(rows)


def verify(candidates: Sequence[Candidate], batches: Callable[[], Sequence[Inputs]]) -> tuple[Agreement, ...]:
    """Compare the answers of each candidate with those of the first, which has to be FP32.

    Raises:
        MarEdgeError: the first is not FP32, their skeletons or labels differ, or they take pictures.
    """
    first = candidates[0]
    if first.metadata.precision != "fp32":
        raise MarEdgeError(
            f"{first.model} is {first.metadata.precision}; --verify compares with the first, an FP32 file"
        )
    if first.metadata.family == "manet":
        raise MarEdgeError(
            "--verify compares on synthetic people, who are skeletons and no pictures; the reports of "
            "'export --precision fp16' and 'calibrate' compare on videos"
        )
    for other in candidates:
        if _task(other.metadata) != _task(first.metadata):
            raise MarEdgeError(
                f"{other.model} has other skeletons or labels than {first.model}; they cannot be compared"
            )
    answers = [
        np.concatenate([candidate.runtime.infer(batch)["logits"] for batch in batches()]) for candidate in candidates
    ]
    reference = answers[0]
    return tuple(
        Agreement(
            model=candidate.model.name,
            runtime=candidate.runtime.name,
            windows=len(reference),
            agreement=float((logits.argmax(axis=1) == reference.argmax(axis=1)).mean()),
            largest_logit_error=float(np.abs(logits - reference).max()),
        )
        for candidate, logits in zip(candidates, answers, strict=True)
    )


def _task(metadata: ModelMetadata) -> tuple[object, ...]:
    return metadata.family, metadata.layout, metadata.labels


def environment(threads: int) -> Environment:
    """Return where this process runs now."""
    cores = usable_cores()
    return Environment(
        mar_edge=mar_edge.__version__,
        python=platform.python_version(),
        machine=f"{platform.system()} {platform.machine()}",
        processor=_processor(),
        cores=cores,
        threads=threads or cores,
        load=os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
    )


def _row(candidate: Candidate, batch: int, times_ms: Sequence[float]) -> Row:
    p50, p95, p99 = (float(value) for value in np.percentile(times_ms, [50, 95, 99]))
    return Row(
        model=candidate.model.name,
        precision=candidate.metadata.precision,
        runtime=candidate.runtime.name,
        batch=batch,
        p50_ms=p50,
        p95_ms=p95,
        p99_ms=p99,
        windows_per_s=batch * len(times_ms) / (sum(times_ms) / 1e3),
        memory_mb=candidate.memory_mb,
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _memory_mb() -> float | None:
    """Return the resident memory of this process, MB."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return None
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
