"""What the two TensorRT providers share: shapes to build engines for, folders to keep them in, and no TF32."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Mapping
from pathlib import Path

import onnxruntime as ort

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.files.cache import cache_folder
from mar_edge.edge.runtime.tensorrt.build import DEFAULT_BATCHES
from mar_edge.edge.runtime.tensorrt.cache import model_hash
from mar_edge.edge.runtime.tensorrt.store import this_system

_log = logging.getLogger("mar_edge.providers")

_OF_NAME = 16
_SIZES = {"min": DEFAULT_BATCHES.smallest, "opt": DEFAULT_BATCHES.usual, "max": DEFAULT_BATCHES.largest}

Shapes = Mapping[str, tuple[int | None, ...]]


def profile(shapes: Shapes, prefix: str) -> tuple[dict[str, str], int | None]:
    """Return the options that state the range of batch sizes, and the largest of them.

    With a range, one engine is built at the start. Without, another one is built at the first batch of each new size,
    which takes as long each time.

    Args:
        shapes: of the inputs; None is any size. Where the batch has one size, or another dimension varies, there is no
            range: no options, and None.
        prefix: of the provider's options, as ``trt``.
    """
    if any(shape[:1] != (None,) or None in shape[1:] for shape in shapes.values()):
        return {}, None
    options = {
        f"{prefix}_profile_{which}_shapes": ",".join(
            f"{name}:{'x'.join(str(size) for size in (batch, *shape[1:]))}" for name, shape in shapes.items()
        )
        for which, batch in _SIZES.items()
    }
    return options, DEFAULT_BATCHES.largest


def engine_folder(model: Path, *builder: str) -> str:
    """Return the folder for what a provider builds of one model file, and make it. Log it while it is empty.

    The providers do not notice another model, ONNX Runtime or TensorRT behind the same names, so each has a folder of
    its own.

    Args:
        builder: provider and version of TensorRT.

    Raises:
        MarEdgeError: the model cannot be read, or the folder cannot be made.
    """
    key = hashlib.sha256("\n".join((ort.__version__, this_system(), *builder)).encode()).hexdigest()
    folder = cache_folder("engines") / f"{model_hash(model)[:_OF_NAME]}-{key[:_OF_NAME]}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MarEdgeError(
            f"engines cannot be kept in {folder}: {error.strerror}; set MAR_EDGE_CACHE to a folder that can be written"
        ) from None
    if not any(folder.iterdir()):
        _log.info("%s is compiled for this GPU now, which can take minutes; the result is kept in %s", model, folder)
    return str(folder)


def refuse_tf32(runtime: str) -> None:
    """Raise MarEdgeError unless the environment switches TF32 off: these providers have no option for it.

    TF32 rounds away the differences of neighboring frames that this network lives on.
    """
    if os.environ.get("NVIDIA_TF32_OVERRIDE") != "0":
        raise MarEdgeError(
            f"{runtime} would compute FP32 layers in TF32, and only the environment can forbid that: start with "
            "NVIDIA_TF32_OVERRIDE=0, or take --runtime tensorrt"
        )
