"""The cache of calibrations. The key is made of the model's bytes, the windows and the method."""

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

_FORMAT = 1  # raised when ranges or costs are measured in another way


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    """limits: layer -> magnitude at which its input saturates. costs: layer -> mean probability error of it in INT8."""

    limits: dict[str, float]
    costs: dict[str, float]


def calibration_key(model: onnx.ModelProto, windows: Windows, method: Method, costs_on: int) -> str:
    """Return the key of a model, windows and method."""
    sha = hashlib.sha256(f"{_FORMAT} {method} {costs_on} {windows.digest()} ".encode())
    sha.update(model.SerializeToString(deterministic=True))
    return sha.hexdigest()


def read_calibration(folder: Path, key: str) -> Calibration | None:
    """Return the calibration with that key; None where there is none, or it is not readable."""
    try:
        return msgspec.json.decode((folder / f"{key}.json").read_bytes(), type=Calibration)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def keep_calibration(folder: Path, key: str, calibration: Calibration) -> None:
    """Store a calibration, whole or not at all. A folder that cannot be written is no error."""
    with suppress(MarEdgeError):
        write_whole(folder / f"{key}.json", msgspec.json.encode(calibration))
