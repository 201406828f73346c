"""Names that options of the edge choose among. Imports nothing, so that ``--help`` lists them at no cost."""

from __future__ import annotations

from typing import Literal

RuntimeName = Literal[
    "auto",
    "onnxruntime",
    "onnxruntime-cuda",
    "onnxruntime-tensorrt",
    "onnxruntime-tensorrt-rtx",
    "openvino",
    "tensorrt",
]
Device = Literal["cpu", "cuda"]
Hardware = Literal["same", "same-capability", "ampere-plus"]
"""GPUs that a TensorRT engine runs on."""

Family = Literal["mmn", "manet"]
"""Files of ``edge/families``."""
LayoutName = Literal["ma52", "imigue"]
"""Files of ``edge/layouts``."""
Stream = Literal["joint", "bone"]
Encoding = Literal["raw", "motion", "contact"]
"""Each feeds the network what the one before it does, and more."""
Smoothing = Literal["off", "one-euro", "as-mediapipe"]
"""``one-euro``: every joint. ``as-mediapipe``: the body's points of the holistic stage, as MediaPipe does."""
