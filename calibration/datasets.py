"""Windows of a data set of training, as a ``Source``. Knows no kind of input."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from mar_edge.calibration.windows import FEWEST_WINDOWS, Windows
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.model_file import ModelMetadata
from mar_edge.training.datasets.base import LabeledClips
from mar_edge.training.evaluation.clip_predictions import UNLABELED, match_labels, short_name, spread

_READ_AT_ONCE = 256


Check = Callable[[Windows, str, int], None]
"""Refuses windows that are not representative (``Source.check_worth``)."""


@dataclass(frozen=True)
class DatasetWindows:
    """Clips of a data set, with the labels of the model that ``metadata`` describes.

    check: of their inputs. batch: windows in one inference. most: that are read at all; None for any number.
    """

    dataset: LabeledClips[Any]
    metadata: ModelMetadata
    check: Check
    batch: int = 16
    most: int | None = None

    def read(self, count: int) -> Windows:
        """See ``Source``."""
        dataset = self.dataset
        indices = spread(len(dataset), count if self.most is None else min(count, self.most))
        if not len(indices):
            raise MarEdgeError(f"{short_name(dataset)} has no clip")
        places = match_labels(self.metadata, dataset.labels, dataset.background)
        parts = [dataset.batch(indices[i : i + _READ_AT_ONCE]) for i in range(0, len(indices), _READ_AT_ONCE)]
        said = np.concatenate([part.labels for part in parts])
        return Windows(
            inputs={name: np.concatenate([part.inputs[name] for part in parts]) for name in parts[0].inputs},
            labels=np.where(said < 0, UNLABELED, places[said]),
            name=dataset.name,
            batch=self.batch,
        )

    def check_worth(self, windows: Windows, to: str = "calibrate", fewest: int = FEWEST_WINDOWS) -> None:
        """See ``Source``."""
        self.check(windows, to, fewest)
