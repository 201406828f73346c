"""A data set and models with known predictions, for tests of evaluation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.data import Prediction, Window
from mar_edge.edge.labels import Label, background_label, ma52_labels
from mar_edge.edge.layout import Layout, load_layout
from mar_edge.edge.model_file import ModelMetadata
from mar_edge.edge.recognizer import WindowRecognizer
from mar_edge.training.datasets.base import ClipBatch

LABELS = (*ma52_labels(), background_label())
BACKGROUND = 52


@dataclass(frozen=True)
class FakeClips:
    """A ``Dataset`` whose clip i has all coordinates i, so that a model can recognize it."""

    clip_labels: NDArray[np.int64]
    labels: tuple[Label, ...] = LABELS
    background: int | None = BACKGROUND
    name: str = "fake clips, made for a test"
    targets: NDArray[np.float32] | None = None
    layout: Layout = field(default_factory=lambda: load_layout("ma52"))

    def __len__(self) -> int:
        return len(self.clip_labels)

    def class_counts(self) -> NDArray[np.int64]:
        return np.bincount(self.clip_labels[self.clip_labels >= 0], minlength=len(self.labels))

    def clip_name(self, index: int) -> str:
        return f"clip{index:03}"

    def batch(self, indices: NDArray[np.int64], rng: np.random.Generator | None = None) -> ClipBatch:
        assert rng is None  # evaluation does not augment
        skeleton = np.broadcast_to(indices[:, None, None, None], (len(indices), 64, self.layout.num_joints, 2))
        return ClipBatch(
            skeleton.astype(np.float32),
            np.zeros((len(indices), 64), np.float32),
            self.clip_labels[indices],
            None if self.targets is None else self.targets[indices],
        )


class FakeRuntime:
    """A ``Runtime`` that predicts row i of ``logits`` for clip i of ``FakeClips``."""

    name = "fake (no processor)"

    def __init__(self, logits: NDArray[np.float32], metadata: ModelMetadata) -> None:
        V = load_layout(metadata.layout).num_joints
        self.metadata_json = metadata.to_json()
        self.input_shapes = {"skeleton": (None, 64, V, 2), "index_t": (None, 64)}
        self.batches: list[int] = []
        self._logits = logits
        self._activation = metadata.activation

    def infer(self, inputs: Mapping[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
        rows = inputs["skeleton"][:, 0, 0, 0].astype(int)
        self.batches.append(len(rows))
        logits = self._logits[rows]
        if self._activation == "sigmoid":
            return {"logits": logits, "probs": (1 / (1 + np.exp(-logits))).astype(np.float32)}
        weights = np.exp(logits - logits.max(axis=1, keepdims=True))
        return {"logits": logits, "probs": weights / weights.sum(axis=1, keepdims=True)}

    def warm_up(self, inputs: Mapping[str, NDArray[np.float32]]) -> None:
        pass

    def __enter__(self) -> FakeRuntime:
        return self

    def __exit__(self, *exc_info: object) -> None:
        pass


METADATA = ModelMetadata(
    name="fake",
    layout="ma52",
    streams=("joint",),
    encoding="raw",
    labels=LABELS,
    background=BACKGROUND,
    training_data="nothing at all",
)


def fake_model(logits: NDArray[np.float32], **changes: object) -> WindowRecognizer:
    """Return a recognizer with these logits; ``changes`` are made to ``METADATA``."""
    return WindowRecognizer(FakeRuntime(logits, msgspec.structs.replace(METADATA, **changes)), "fake")


class ScriptedRecognizer(WindowRecognizer):
    """Predicts a window by a script of (from, to, index) for the time of its end; otherwise "no action"."""

    def __init__(self, script: Sequence[tuple[float, float, int]]) -> None:
        super().__init__(FakeRuntime(np.zeros((0, 53), np.float32), METADATA), "scripted")
        self.windows_predicted = 0
        self._script = script

    def predict(self, windows: Sequence[Window]) -> list[Prediction]:
        self.windows_predicted += len(windows)
        return [Prediction(self._probs(window.times_s[-1]), window.person) for window in windows]

    def _probs(self, t_s: float) -> NDArray[np.float32]:
        predicted = next((index for start, end, index in self._script if start <= t_s <= end), BACKGROUND)
        return np.where(np.arange(53) == predicted, 0.95, 0.05 / 52).astype(np.float32)


def logits_for(predicted: list[int], K: int = len(LABELS)) -> NDArray[np.float32]:
    """Return logits (N, K) that predict ``predicted``; its neighbors in the label order come next."""
    distance = np.abs(np.arange(K) - np.array(predicted)[:, None])
    return (-distance).astype(np.float32)


def quiet(what: str, done: int, total: int) -> None:
    """Show no progress."""
