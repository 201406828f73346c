"""OpenVINO: outputs have the names of the file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper


def test_an_output_that_is_divided_by_one_keeps_its_name(tmp_path: Path) -> None:
    # A temperature of 1 is left out when the graph is compiled, and the output before it gets both names.
    pytest.importorskip("openvino", reason="the extra openvino is not installed")
    from mar_edge.edge.runtime.openvino import OpenVino

    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["x", "weights"], ["logits"]),
            helper.make_node("Div", ["logits", "one"], ["another name"]),
            helper.make_node("Softmax", ["another name"], ["probs"], axis=1),
        ],
        "divided",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["B", 3])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["B", 2]) for name in ("logits", "probs")],
        [
            numpy_helper.from_array(np.ones((3, 2), np.float32), "weights"),
            numpy_helper.from_array(np.float32(1.0), "one"),
        ],
    )
    path = tmp_path / "divided.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), str(path))
    with OpenVino(path, threads=1) as runtime:
        outputs = runtime.infer({"x": np.ones((1, 3), np.float32)})
    assert outputs.keys() == {"logits", "probs"}
    assert outputs["logits"].tolist() == [[3.0, 3.0]]
    assert outputs["probs"].tolist() == [[0.5, 0.5]]
