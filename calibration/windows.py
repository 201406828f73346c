"""Windows that a model is run on, and the contract of what they are read from. Each kind of data has a file here.

Runs no model.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.runtime.base import InputArray
from mar_edge.training.evaluation.clip_predictions import spread

FEWEST_WINDOWS = 64


@dataclass(frozen=True)
class Windows:
    """N windows as the network takes them.

    inputs: name -> (N, ...).
    labels: (N,) int64 index into the model's labels; ``UNLABELED`` where there is none, or the model does not have it.
    name: of the data, for messages.
    batch: windows in one inference.
    """

    inputs: Mapping[str, InputArray]
    labels: NDArray[np.int64]
    name: str
    batch: int = 16

    def __len__(self) -> int:
        return len(self.labels)

    def batches(self) -> Iterator[dict[str, InputArray]]:
        """Yield the model's inputs by name, ``batch`` windows at a time."""
        for start in range(0, len(self), self.batch):
            yield {name: values[start : start + self.batch] for name, values in self.inputs.items()}

    def first(self, count: int) -> Windows:
        """Return ``count`` windows, evenly spread, or all if there are fewer."""
        chosen = spread(len(self), count)
        inputs = {name: values[chosen] for name, values in self.inputs.items()}
        return Windows(inputs, self.labels[chosen], self.name, self.batch)

    def digest(self) -> str:
        """Return the SHA-256 of the windows."""
        sha = hashlib.sha256()
        for values in self.inputs.values():
            sha.update(np.ascontiguousarray(values).data)
        return sha.hexdigest()


class Source(Protocol):
    """Data to read windows from."""

    def read(self, count: int) -> Windows:
        """Return ``count`` windows, evenly spread, or all if there are fewer.

        Raises:
            MarEdgeError: there is none, or the data cannot be read.
        """

    def check_worth(self, windows: Windows, to: str = "calibrate", fewest: int = FEWEST_WINDOWS) -> None:
        """Refuse to calibrate or compare (``to``) on windows that are not representative of people.

        Raises:
            MarEdgeError: there are fewer different ones than ``fewest``, or they are constant or noise.
        """


def check_different(windows: Windows, values: InputArray, to: str, fewest: int) -> None:
    """Refuse fewer than ``fewest`` different windows, compared by these inputs (N, ...) of theirs."""
    distinct = len({hashlib.sha256(np.ascontiguousarray(window).data).digest() for window in values})
    if distinct < fewest:
        raise MarEdgeError(
            f"{windows.name} has {distinct} different windows, too few to {to} on; at least {fewest} are needed, and "
            "some hundreds are better"
        )
