"""What calibrating found, kept on disk: keyed on the model's bytes, the windows and the ways of measuring."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path

import msgspec
import onnx

from mar_edge.calibration.choices import Method
from mar_edge.calibration.windows import Windows
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.files.outputs import write_whole

_FORMAT = 1  # raised when ranges or costs are measured otherwise


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    """limits: layer -> size at which its input saturates. costs: layer -> mean probability error, it alone in int8."""

    limits: dict[str, float]
    costs: dict[str, float]


def calibration_key(model: onnx.ModelProto, windows: Windows, method: Method, costs_on: int) -> str:
    """Another model, other windows, another method: another key."""
    sha = hashlib.sha256(f"{_FORMAT} {method} {costs_on} {windows.digest()} ".encode())
    sha.update(model.SerializeToString(deterministic=True))
    return sha.hexdigest()


def read_calibration(folder: Path, key: str) -> Calibration | None:
    """What was kept under that key; None where there is nothing, or nothing readable."""
    try:
        return msgspec.json.decode((folder / f"{key}.json").read_bytes(), type=Calibration)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def keep_calibration(folder: Path, key: str, calibration: Calibration) -> None:
    """Keep it; appears whole or not at all. A place that cannot be written to is no error: the work is done."""
    with suppress(MarEdgeError):
        write_whole(folder / f"{key}.json", msgspec.json.encode(calibration))
