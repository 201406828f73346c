"""Score calibration: temperature and per-label thresholds, as ``evaluate`` fits and ``export`` takes them.

A JSON file, ``confidence.json`` by default. Fits nothing.
"""

from __future__ import annotations

import codecs
import math
from pathlib import Path

import msgspec

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.files.outputs import write_whole
from mar_edge.edge.labels import Label

_MAX_BYTES = 1 << 20


class ScoreCalibration(msgspec.Struct, frozen=True, kw_only=True):
    """The fitted values.

    temperature: probs = activation(logits / temperature). thresholds: label name -> score at which its events begin, in
    (0, 1]. fitted_on: the clips, for people.
    """

    temperature: float
    thresholds: dict[str, float]
    fitted_on: str

    def for_labels(self, labels: tuple[Label, ...], source: str) -> tuple[float, ...]:
        """Return the thresholds in label order.

        Raises:
            MarEdgeError: they are not those of these labels.
        """
        names = [label.name for label in labels]
        if self.thresholds.keys() != set(names):
            odd = sorted(self.thresholds.keys() ^ set(names))
            raise MarEdgeError(f"{source} was fitted for other labels; these differ: {', '.join(odd[:5])}")
        return tuple(self.thresholds[name] for name in names)


def read_score_calibration(path: Path) -> ScoreCalibration:
    """Read what ``write_score_calibration`` wrote.

    Raises:
        MarEdgeError: it cannot be read, or holds values out of range.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise MarEdgeError(f"{path} is too large for the confidence.json of 'mar-edge evaluate'")
        found = msgspec.json.decode(path.read_bytes().removeprefix(codecs.BOM_UTF8), type=ScoreCalibration)
    except OSError as error:
        raise MarEdgeError(f"cannot read {path}: {error.strerror}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MarEdgeError(f"{path} is not a confidence.json of 'mar-edge evaluate': {error}") from None
    if not (0 < found.temperature < math.inf and all(0 < value <= 1 for value in found.thresholds.values())):
        raise MarEdgeError(f"{path}: the temperature is above 0, thresholds are in (0, 1]")
    return found


def write_score_calibration(path: Path, calibration: ScoreCalibration) -> None:
    """Write it as readable JSON.

    Raises:
        MarEdgeError: it cannot be written.
    """
    write_whole(path, msgspec.json.format(msgspec.json.encode(calibration)) + b"\n")
