"""From windows to label scores: preprocess -> infer -> score. Knows nothing of cameras, time or events."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mar_edge.edge.data import Prediction, Window
from mar_edge.edge.families.choice import open_family
from mar_edge.edge.files.digest import check_sha256
from mar_edge.edge.files.onnx_parts import check_whole
from mar_edge.edge.layout import load_layout
from mar_edge.edge.model_file import ModelMetadata, check_inputs, check_outputs, default_model_path, parse_metadata
from mar_edge.edge.progress import Progress, silent
from mar_edge.edge.runtime.base import Runtime
from mar_edge.edge.runtime.taught import TaughtRuntime
from mar_edge.edge.scores import scores_of

if TYPE_CHECKING:
    from mar_edge.edge.choices import RuntimeName


class WindowRecognizer:
    """A model and the runtime it runs on. A context manager; closes its runtime.

    Raises:
        MarEdgeError: the model has no description, or one that does not fit its graph.
    """

    def __init__(self, runtime: Runtime, source: str, reason: str = "") -> None:
        self.reason = reason
        """Why it runs on that runtime, in a few words."""
        self.metadata: ModelMetadata = parse_metadata(runtime.metadata_json, source)
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
        recognizer = cls(opened.runtime, str(path), opened.reason)
        family = recognizer.family
        zeros = {name: np.zeros((1, *shape), family.input_dtype) for name, shape in family.input_shapes.items()}
        recognizer.runtime.warm_up(zeros)
        outputs = recognizer.runtime.infer(zeros)
        check_outputs(recognizer.metadata, {name: array.shape for name, array in outputs.items()}, str(path))
        return recognizer

    def predict(self, windows: Sequence[Window]) -> list[Prediction]:
        """Return the scores of each window (``edge.scores``), in order, from one inference."""
        if not windows:
            return []
        outputs = self.runtime.infer(self.family.inputs(windows))
        scores = scores_of(outputs["logits"], self.metadata)
        return [Prediction(of_one, w.person) for of_one, w in zip(scores, windows, strict=True)]

    def __enter__(self) -> WindowRecognizer:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.runtime.__exit__(*exc_info)
