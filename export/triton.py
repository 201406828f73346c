"""A model file as a repository for NVIDIA's Triton Inference Server, where inference runs on a central server."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.files.outputs import check_outputs, write_whole
from mar_edge.edge.layout import load_layout
from mar_edge.edge.model_file import ModelMetadata
from mar_edge.edge.preprocess import WINDOW_FRAMES

MAX_BATCH = 64
# A window is due every 200 ms: a batch may wait a fortieth of that for more windows.
QUEUE_DELAY_US = 5000
_LABELS = "labels.txt"


def write_repository(model: Path, metadata: ModelMetadata, folder: Path) -> Path:
    """Write ``folder/NAME/config.pbtxt``, its labels and the model as version 1; NAME is the model file's.

    Returns:
        The model's folder in the repository.

    Raises:
        MarEdgeError: the model is already there, has taught labels, or cannot be written.
    """
    if metadata.taught is not None:
        raise MarEdgeError(f"{model} has taught labels, which are no outputs of its graph; Triton would not give them")
    place = place_of(model, folder)
    try:
        write_whole(place / "1" / "model.onnx", model.read_bytes())
        write_whole(place / _LABELS, "".join(f"{label.name}\n" for label in metadata.labels).encode())
        write_whole(place / "config.pbtxt", config(place.name, metadata).encode())
    except MarEdgeError:
        shutil.rmtree(place, ignore_errors=True)  # Triton would load half a model
        raise
    return place


def place_of(model: Path, folder: Path) -> Path:
    """Return the folder of a model file in a repository.

    Raises:
        MarEdgeError: the folder exists, or cannot be written.
    """
    place = folder / re.sub(r"[^A-Za-z0-9_-]", "_", model.stem)
    if place.exists():
        raise MarEdgeError(f"{place} exists; remove it, or give the model file another name (--out)")
    check_outputs([place / "config.pbtxt"])
    return place


def config(name: str, metadata: ModelMetadata) -> str:
    """Return the text of ``config.pbtxt``: the graph's inputs and outputs without the batch, and dynamic batching."""
    V, K = load_layout(metadata.layout).num_joints, len(metadata.labels)
    return f"""name: "{name}"
backend: "onnxruntime"
max_batch_size: {MAX_BATCH}
input [
  {{ name: "skeleton" data_type: TYPE_FP32 dims: [ {WINDOW_FRAMES}, {V}, 2 ] }},
  {{ name: "index_t" data_type: TYPE_FP32 dims: [ {WINDOW_FRAMES} ] }}
]
output [
  {{ name: "logits" data_type: TYPE_FP32 dims: [ {K} ] }},
  {{ name: "probs" data_type: TYPE_FP32 dims: [ {K} ] label_filename: "{_LABELS}" }}
]
dynamic_batching {{ max_queue_delay_microseconds: {QUEUE_DELAY_US} }}
"""
