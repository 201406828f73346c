"""Compares a model in fewer bits with its FP32 original on the same windows. Decides nothing."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from mar_edge.calibration.windows import Windows
from mar_edge.edge.files.outputs import write_whole
from mar_edge.edge.model_file import Fidelity, ModelMetadata
from mar_edge.edge.progress import Progress
from mar_edge.edge.runtime.onnxruntime import OnnxRuntime
from mar_edge.export.half import with_rounding

DEFAULT_THRESHOLD = 0.5
# A label this near its threshold in the original does not count: its score changes by about as much from one window to
# the next.
NEAR = 0.02
# A class of fewer windows than this is listed, but is too small to be the worst one.
FEWEST_OF_A_CLASS = 20


@dataclass(frozen=True)
class ClassChange:
    """One label: its windows, and the share of them with that label in the original and in fewer bits."""

    name: str
    windows: int
    before: float
    after: float

    @property
    def drop(self) -> float:
        """Accuracy lost, in [-1, 1]."""
        return self.before - self.after


@dataclass(frozen=True)
class Comparison:
    """``fidelity``: the summary. ``classes``: each label."""

    fidelity: Fidelity
    classes: tuple[ClassChange, ...]


def predict(
    model: onnx.ModelProto, windows: Windows, progress: Progress | None = None, what: str = "", threads: int = 0
) -> NDArray[np.float32]:
    """Return a model's probabilities (N, K), on ONNX Runtime as in ``serve``; FP16 results are rounded as on a GPU."""
    parts = []
    with tempfile.TemporaryDirectory(prefix="mar-edge-") as folder:
        path = Path(folder) / "model.onnx"
        write_whole(path, with_rounding(model).SerializeToString())
        with OnnxRuntime(path, threads) as runtime:
            done = 0
            for batch in windows.batches():
                parts.append(runtime.infer(batch)["probs"])
                done += len(parts[-1])
                if progress is not None:
                    progress(what, done, len(windows))
    return np.concatenate(parts)


def error(reference: NDArray[np.float32], probs: NDArray[np.float32]) -> float:
    """Return the largest difference of a window's probabilities, averaged over windows (N, K); NaN if any is NaN."""
    return float(np.abs(probs - reference).max(axis=1).mean())


def thresholds_of(metadata: ModelMetadata) -> NDArray[np.float64]:
    """Return (K,) the probability from which each label of a sigmoid network counts as predicted."""
    return np.array(metadata.thresholds or [DEFAULT_THRESHOLD] * len(metadata.labels), np.float64)


def predicted(probs: NDArray[np.float32], metadata: ModelMetadata) -> NDArray[np.bool_]:
    """Return (N, K) which labels a model with the probabilities (N, K) predicts."""
    chosen: NDArray[np.bool_] = np.arange(probs.shape[1]) == probs.argmax(axis=1)[:, None]
    if metadata.activation == "sigmoid":
        chosen = probs >= thresholds_of(metadata)
    chosen &= np.isfinite(probs).all(axis=1, keepdims=True)
    return chosen


def compare(
    reference: NDArray[np.float32], probs: NDArray[np.float32], windows: Windows, metadata: ModelMetadata
) -> Comparison:
    """Compare two models' probabilities (N, K) for the same windows.

    A model predicts the most probable label, or, if it is a sigmoid network, each label that reaches its threshold. Two
    models agree on a window where they predict the same. Labels within ``NEAR`` of their thresholds in the original are
    left out of that. NaN and infinity predict nothing and agree with nothing.
    """
    before, after = predicted(reference, metadata), predicted(probs, metadata)
    differs = before != after
    if metadata.activation == "sigmoid":
        differs &= np.abs(reference - thresholds_of(metadata)) > NEAR
    agrees = ~differs.any(axis=1) & np.isfinite(probs).all(axis=1)
    errors = np.abs(probs - reference).max(axis=1)
    classes = []
    # A sigmoid network has no output for background windows.
    K = len(metadata.labels)
    for index in np.unique(windows.labels[(windows.labels >= 0) & (windows.labels < K)]):
        own = windows.labels == index
        classes.append(
            ClassChange(
                name=metadata.labels[index].name,
                windows=int(own.sum()),
                before=float(before[own, index].mean()),
                after=float(after[own, index].mean()),
            )
        )
    worst = max((c for c in classes if c.windows >= FEWEST_OF_A_CLASS), key=lambda c: c.drop, default=None)
    fidelity = Fidelity(
        windows=len(windows),
        data=windows.name,
        agreement=float(agrees.mean()),
        # JSON has no NaN; the largest possible error is 1.
        probability_error=float(np.nan_to_num(errors, nan=1.0).mean()),
        largest_probability_error=float(np.nan_to_num(errors, nan=1.0).max()),
        worst_class=worst.name if worst else None,
        worst_drop=worst.drop if worst else None,
    )
    return Comparison(fidelity, tuple(classes))
