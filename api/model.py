"""A model with its labels as names: windows of skeletons -> scores."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path

from mar_edge.api.tracks import window_of
from mar_edge.edge.choices import RuntimeName
from mar_edge.edge.model_file import ModelMetadata
from mar_edge.edge.recognizer import WindowRecognizer
from mar_edge.streaming.recording.skeletons import SkeletonTrack


class Model:
    """A recognition model on its runtime. A context manager; used from one thread.

    name: the model file's own.
    labels: names, in the order of the network's outputs.
    bodies: label -> name of its body group.
    background: the label for "nothing happens", if there is one.
    layout, joints: name of the skeleton layout it takes, and names of its joints in order.
    window_s: seconds that one window spans.
    metadata: everything that the model file says of itself.
    """

    def __init__(self, recognizer: WindowRecognizer) -> None:
        self.recognizer = recognizer
        self.metadata: ModelMetadata = recognizer.metadata
        self.name = self.metadata.name
        self.labels: tuple[str, ...] = tuple(label.name for label in self.metadata.labels)
        self.bodies: dict[str, str] = {label.name: label.body for label in self.metadata.labels}
        background = self.metadata.background
        self.background: str | None = None if background is None else self.labels[background]
        self.layout: str = recognizer.layout.name
        self.joints: tuple[str, ...] = recognizer.layout.joints
        self.window_s: float = self.metadata.window_s

    def predict(self, windows: Sequence[SkeletonTrack]) -> list[dict[str, float]]:
        """Return label -> score of each window, from one inference.

        A score is the network's own, in [0, 1]: without the prior and the rules that make events of scores.

        Args:
            windows: each about ``window_s`` seconds of one person (see ``mar_edge.skeleton_track``).

        Raises:
            MarEdgeError: skeletons of another layout, or a window without a frame.
        """
        predictions = self.recognizer.predict([window_of(window, self.recognizer.layout) for window in windows])
        return [dict(zip(self.labels, map(float, each.probs), strict=True)) for each in predictions]

    def close(self) -> None:
        """Release the runtime."""
        self.recognizer.__exit__(None, None, None)

    def __enter__(self) -> Model:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


def load_model(
    path: str | PathLike[str] | None = None,
    *,
    runtime: RuntimeName = "auto",
    threads: int = 0,
    sha256: str | None = None,
) -> Model:
    """Load a model file and warm it up.

    Args:
        path: an ONNX file of ``mar-edge export``, or a TensorRT engine; None for the package's model.
        runtime: what runs it; "auto" takes the fastest that is installed.
        threads: of one inference on a CPU; 0 takes every core.
        sha256: refuse a file with another SHA-256.

    Raises:
        MarEdgeError: no such file, not a model of mar-edge, or a runtime that cannot run it.
    """
    return Model(WindowRecognizer.open(None if path is None else Path(path), threads, runtime, sha256))
