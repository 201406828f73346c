"""The contract of a runtime: named arrays in, named arrays out. Each backend is a file or a folder next to this one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.errors import MarEdgeError

InputArray = NDArray[np.float32 | np.uint8]
"""float32, or uint8 pictures."""


class Runtime(Protocol):
    """A loaded model on one device. A context manager that owns its resources, for use from one thread."""

    name: str
    """Name for messages: ``onnxruntime 1.31.1 (CPU)``."""

    metadata_json: str | None
    """The JSON document in the model file (``edge.model_file``); None where it has none."""

    input_shapes: Mapping[str, tuple[int | None, ...]]
    """Shape of each input; None where it is dynamic."""

    def infer(self, inputs: Mapping[str, InputArray]) -> dict[str, NDArray[np.float32]]:
        """Return all outputs for ``inputs``, by name. The returned arrays are not reused.

        Arrays are float32, even where the model's own inputs and outputs are float16. Pictures go in as uint8.

        Raises:
            MarEdgeError: an input is missing, unknown or has the wrong shape.
        """
        ...

    def warm_up(self, inputs: Mapping[str, InputArray]) -> None:
        """Run once on ``inputs``, so that the first real inference is as fast as the rest."""
        ...

    def __enter__(self) -> Runtime: ...

    def __exit__(self, *exc_info: object) -> None: ...


def check_shapes(expected: Mapping[str, tuple[int | None, ...]], inputs: Mapping[str, InputArray]) -> None:
    """Raise MarEdgeError unless ``inputs`` have the names and shapes that a model takes (None is any size)."""
    if inputs.keys() != expected.keys():
        raise MarEdgeError(f"the model takes the inputs {sorted(expected)}, given were {sorted(inputs)}")
    for name, shape in expected.items():
        given = inputs[name].shape
        if len(given) != len(shape) or any(s is not None and s != g for s, g in zip(shape, given, strict=True)):
            raise MarEdgeError(f"input '{name}' has the shape {shape} (None is any), given was {given}")
