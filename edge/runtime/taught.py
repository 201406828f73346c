"""A model with taught labels as a runtime: another runtime, and heads on its features in numpy.

So taught labels work on every runtime and in every command that runs a model.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.model_file import ModelMetadata
from mar_edge.edge.runtime.base import InputArray, Runtime
from mar_edge.edge.scores import probs_of
from mar_edge.edge.taught import FEATURES, Taught


class TaughtRuntime:
    """A runtime whose logits and probs include the taught labels (see ``edge.runtime.base.Runtime``).

    Args:
        runtime: of the model without its heads. It is closed with this one.
        metadata: of the model file, with heads.
    """

    def __init__(self, runtime: Runtime, metadata: ModelMetadata, taught: Taught, source: str) -> None:
        self._runtime, self._source, self._taught = runtime, source, taught
        self._metadata = metadata
        place = {label.name: k for k, label in enumerate(metadata.labels)}
        self._places = np.array([place[head.label] for head in taught.heads])
        self._others = np.setdiff1d(np.arange(len(place) - taught.new), self._places)
        self._weights = np.stack([head.array() for head in taught.heads], axis=1)  # (D, N)
        self._bias = np.array([head.bias for head in taught.heads], np.float32)
        self.name: str = runtime.name
        self.metadata_json: str | None = runtime.metadata_json
        self.input_shapes: Mapping[str, tuple[int | None, ...]] = runtime.input_shapes

    def infer(self, inputs: Mapping[str, InputArray]) -> dict[str, NDArray[np.float32]]:
        """Return all outputs for ``inputs`` (see the contract).

        Raises:
            MarEdgeError: the model has no features, or others than its heads were taught on.
        """
        outputs = self._runtime.infer(inputs)
        features = outputs.get(FEATURES)
        D = len(self._weights)
        if features is None or features.shape[1:] != (D,):
            found = "none" if features is None else f"an array {features.shape}"
            raise MarEdgeError(
                f"{self._source}: its taught labels need {D} features, the graph gives {found}; teach them again"
            )
        logits = self._with_heads(outputs["logits"], features @ self._weights + self._bias)
        return {**outputs, "logits": logits, "probs": probs_of(logits, self._metadata)}

    def warm_up(self, inputs: Mapping[str, InputArray]) -> None:
        """Run once (see the contract)."""
        self._runtime.warm_up(inputs)

    def __enter__(self) -> TaughtRuntime:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._runtime.__exit__(*exc_info)

    def _with_heads(self, base: NDArray[np.float32], t: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return logits (B, K) of base logits (B, K - new) and those of the heads (B, N).

        ``edge.scores`` then gives sigmoid(t). Sigmoid networks compare with 0, others with the background. Without one,
        they compare with all labels that have no head, together.
        """
        metadata = self._metadata
        logits = np.pad(base, ((0, 0), (0, self._taught.new)))
        z = base / np.float32(metadata.temperature)
        zero = np.zeros((len(base), 1), np.float32)
        if metadata.background is not None:
            zero = z[:, [metadata.background]]
        elif metadata.activation == "softmax" and len(self._others):
            zero = np.logaddexp.reduce(z[:, self._others], axis=1, keepdims=True)
        logits[:, self._places] = (t + zero) * np.float32(metadata.temperature)
        return logits
