"""From windows to label scores: preprocess -> infer -> score. Knows nothing of cameras, time or events."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mar_edge.edge.data import Prediction, Window
from mar_edge.edge.families.choice import open_family
from mar_edge.edge.files.digest import check_sha256, sha256_of
from mar_edge.edge.files.onnx_parts import check_whole
from mar_edge.edge.layout import load_layout
from mar_edge.edge.model_file import ModelVersion, check_inputs, check_outputs, default_model_path, parse_metadata
from mar_edge.edge.progress import Progress, silent
from mar_edge.edge.runtime.base import InputArray, Runtime
from mar_edge.edge.runtime.taught import TaughtRuntime
from mar_edge.edge.scores import averaged, scores_of

if TYPE_CHECKING:
    from mar_edge.edge.choices import RuntimeName


class WindowRecognizer:
    """A model and the runtime it runs on. A context manager; closes its runtime.

    Raises:
        MarEdgeError: the model has no description, or one that does not fit its graph.
    """

    def __init__(self, runtime: Runtime, source: str, reason: str = "", version: ModelVersion | None = None) -> None:
        self.reason = reason
        """Why it runs on that runtime, in a few words."""
        self.version = version or ModelVersion(parse_metadata(runtime.metadata_json, source), sha256="")
        """The model file; its hash is "" where there is no file."""
        self.metadata = self.version.metadata
        self._source, self._network = source, runtime
        taught = self.metadata.taught
        self.runtime: Runtime = runtime if taught is None else TaughtRuntime(runtime, self.metadata, taught, source)
        self.layout = load_layout(self.metadata.layout)
        self.family = open_family(self.metadata)
        check_inputs(self.metadata, self.family.input_shapes, runtime.input_shapes, source)

    @classmethod
    def open(
        cls,
        model: Path | None = None,
        threads: int = 0,
        runtime: RuntimeName = "auto",
        sha256: str | None = None,
        progress: Progress = silent,
    ) -> WindowRecognizer:
        """Open a model file (default: the package's model) and warm it up.

        Args:
            sha256: the hash that the file must have. A model in several files is refused then: an ONNX file with
                external weights, an engine with its document.
            progress: of building an engine, if there is none yet.

        Raises:
            MarEdgeError: as the class, or ``open_runtime``; or the file has another SHA-256.
        """
        from mar_edge.edge.runtime.choice import open_runtime

        path = model or default_model_path()
        if sha256 is not None:
            check_sha256(path, sha256)
            check_whole(path)
        opened = open_runtime(path, runtime, threads, progress)
        version = ModelVersion(parse_metadata(opened.runtime.metadata_json, str(path)), sha256_of(path))
        recognizer = cls(opened.runtime, str(path), opened.reason, version)
        recognizer.try_out()
        return recognizer

    def try_out(self) -> None:
        """Warm the model up, and compare its outputs with its description.

        Raises:
            MarEdgeError: they differ, or its taught labels need other features.
        """
        zeros = self._zeros()
        self.runtime.warm_up(zeros)
        outputs = self.runtime.infer(zeros)
        check_outputs(self.metadata, {name: array.shape for name, array in outputs.items()}, self._source)

    def time_one(self) -> float:
        """Return the seconds that an inference of one window takes here and now."""
        zeros, start_s = self._zeros(), time.perf_counter()
        self.runtime.infer(zeros)
        return time.perf_counter() - start_s

    def retaught(self, version: ModelVersion) -> WindowRecognizer:
        """Return a recognizer of the same network with other taught labels, which closes the same runtime.

        Args:
            version: a model file that was taught from this one, or from the same one as this.
        """
        return WindowRecognizer(self._network, self._source, self.reason, version)

    def predict(self, windows: Sequence[Window]) -> list[Prediction]:
        """Return the scores of each window (``edge.scores``), in order, from one inference of all its views."""
        if not windows:
            return []
        spans_s = sorted(self.metadata.views_s, reverse=True)
        views = [window.newest(span_s) for window in windows for span_s in spans_s] if spans_s else windows
        scores = scores_of(self.runtime.infer(self.family.inputs(views))["logits"], self.metadata)
        if spans_s:
            scores = averaged(scores.reshape(len(windows), len(spans_s), -1), self.metadata)
        return [Prediction(of_one, w.person) for of_one, w in zip(scores, windows, strict=True)]

    def _zeros(self) -> dict[str, InputArray]:
        dtype = self.family.input_dtype
        return {name: np.zeros((1, *shape), dtype) for name, shape in self.family.input_shapes.items()}

    def __enter__(self) -> WindowRecognizer:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.runtime.__exit__(*exc_info)
