"""How a model in fewer bits compares with its FP32 original on the same windows. Decides nothing."""

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

_BATCH = 16
DEFAULT_THRESHOLD = 0.5
# A label so near its threshold in the original may be on either side of it in fewer bits: a score moves by about as
# much from one window to the next.
NEAR = 0.02
# A class of fewer windows than this is listed, and is no evidence for "worst".
FEWEST_OF_A_CLASS = 20


@dataclass(frozen=True)
class ClassChange:
    """One label: its windows, and the share of them of which the original and the model in fewer bits say it."""

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
    """``fidelity`` in short, ``classes`` one by one."""

    fidelity: Fidelity
    classes: tuple[ClassChange, ...]


def ask_model(
    model: onnx.ModelProto, windows: Windows, progress: Progress | None = None, what: str = "", threads: int = 0
) -> NDArray[np.float32]:
    """The probabilities (N, K) that a model gives, on ONNX Runtime as ``serve`` runs it."""
    parts = []
    with tempfile.TemporaryDirectory(prefix="mar-edge-") as folder:
        path = Path(folder) / "model.onnx"
        write_whole(path, model.SerializeToString())
        with OnnxRuntime(path, threads) as runtime:
            done = 0
            for batch in windows.batches(_BATCH):
                parts.append(runtime.infer(batch)["probs"])
                done += len(parts[-1])
                if progress is not None:
                    progress(what, done, len(windows))
    return np.concatenate(parts)


def error(reference: NDArray[np.float32], probs: NDArray[np.float32]) -> float:
    """The largest difference among a window's probabilities, on average over windows (N, K); NaN if one is."""
    return float(np.abs(probs - reference).max(axis=1).mean())


def thresholds_of(metadata: ModelMetadata) -> NDArray[np.float64]:
    """Return (K,) the probability from which each label of a sigmoid network counts as said."""
    return np.array(metadata.thresholds or [DEFAULT_THRESHOLD] * len(metadata.labels), np.float64)


def said(probs: NDArray[np.float32], metadata: ModelMetadata) -> NDArray[np.bool_]:
    """Return (N, K) which labels a model with the probabilities (N, K) says."""
    chosen: NDArray[np.bool_] = np.arange(probs.shape[1]) == probs.argmax(axis=1)[:, None]
    if metadata.activation == "sigmoid":
        chosen = probs >= thresholds_of(metadata)
    chosen &= np.isfinite(probs).all(axis=1, keepdims=True)
    return chosen


def compare(
    reference: NDArray[np.float32], probs: NDArray[np.float32], windows: Windows, metadata: ModelMetadata
) -> Comparison:
    """Compare two models' probabilities (N, K) for the same windows.

    What a model says of a window is its most probable label, or, of a sigmoid network, each label that reaches its
    threshold. The two agree on a window where they say the same; labels within ``NEAR`` of their thresholds in the
    original do not count then. An answer that is not a number says nothing and agrees with nothing.
    """
    before, after = said(reference, metadata), said(probs, metadata)
    differs = before != after
    if metadata.activation == "sigmoid":
        differs &= np.abs(reference - thresholds_of(metadata)) > NEAR
    agrees = ~differs.any(axis=1) & np.isfinite(probs).all(axis=1)
    errors = np.abs(probs - reference).max(axis=1)
    classes = []
    # Windows of nothing have no output in a sigmoid network.
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
        # JSON has no NaN; no probability is further off than 1.
        probability_error=float(np.nan_to_num(errors, nan=1.0).mean()),
        largest_probability_error=float(np.nan_to_num(errors, nan=1.0).max()),
        worst_class=worst.name if worst else None,
        worst_drop=worst.drop if worst else None,
    )
    return Comparison(fidelity, tuple(classes))
