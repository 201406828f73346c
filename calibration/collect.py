"""Runs a model on data and counts the sizes of its layers' inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np
import onnx
import onnxruntime as ort

from mar_edge.calibration.ranges import Histogram
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.runtime.base import InputArray

Batch = Mapping[str, InputArray]


def collect_ranges(
    model: onnx.ModelProto,
    tensors: Iterable[str],
    batches: Iterable[Batch],
    threads: int = 0,
    on_batch: Callable[[int], None] = lambda windows: None,
) -> dict[str, Histogram]:
    """Return a histogram of each tensor of an FP32 model, over batches of its inputs by name.

    Errors of the iterable are passed on.

    Raises:
        MarEdgeError: a value is not finite.
    """
    observed = onnx.ModelProto()
    observed.CopyFrom(model)
    names = list(dict.fromkeys(tensors))
    del observed.graph.output[:]
    observed.graph.output.extend(onnx.helper.make_empty_tensor_value_info(name) for name in names)
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    session = ort.InferenceSession(observed.SerializeToString(), options, providers=["CPUExecutionProvider"])
    histograms = {name: Histogram() for name in names}
    for batch in batches:
        for name, values in zip(names, session.run(names, dict(batch)), strict=True):
            if not np.isfinite(values).all():
                raise MarEdgeError(
                    f"the model's '{name}' is NaN or infinite on this data; train or export the model again"
                )
            histograms[name].add(values)
        on_batch(len(next(iter(batch.values()))))
    return histograms
