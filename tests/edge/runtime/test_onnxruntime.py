"""ONNX Runtime on real files: the contract of a runtime, and wrong files and inputs."""

import networks
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.model_file import METADATA_KEY
from mar_edge.edge.runtime.onnxruntime import OnnxRuntime


def inputs(count=2):
    skeleton, index_t = networks.windows(count, 44)
    return {"skeleton": skeleton, "index_t": index_t}


@pytest.fixture(scope="module")
def runtime(ma52_model):
    with OnnxRuntime(ma52_model.path, threads=1) as runtime:
        yield runtime


def double(path, operator="Add", **metadata):
    """Write a file with one node: y = x + x."""
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, ["B", 3]) for name in "xy")
    graph = helper.make_graph([helper.make_node(operator, ["x", "x"], ["y"])], "double", [x], [y])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    for key, value in metadata.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    onnx.save(model, str(path))
    return path


def test_its_name_and_inputs(runtime):
    assert runtime.name.startswith("onnxruntime ")
    assert runtime.name.endswith("(CPU)")
    assert runtime.input_shapes == {"skeleton": (None, 64, 44, 2), "index_t": (None, 64)}
    assert '"layout":"ma52"' in runtime.metadata_json


def test_outputs_are_named_and_not_reused(runtime):
    first = runtime.infer(inputs())
    assert set(first) == {"logits", "probs", "features"}
    assert first["probs"].shape == (2, 12)
    assert first["probs"].dtype == np.float32
    before = first["probs"].copy()
    other = {name: array[::-1].copy() for name, array in inputs().items()}
    assert not np.array_equal(runtime.infer(other)["probs"], before)
    np.testing.assert_array_equal(first["probs"], before)


def test_warming_up_changes_no_result(runtime):
    expected = runtime.infer(inputs())["logits"]
    runtime.warm_up({name: np.zeros_like(array) for name, array in inputs(1).items()})
    np.testing.assert_array_equal(runtime.infer(inputs())["logits"], expected)


@pytest.mark.parametrize("names", [["skeleton"], ["skeleton", "index_t", "more"], ["skeletons", "index_t"], []])
def test_other_names_are_an_error_that_lists_both(runtime, names):
    with pytest.raises(MarEdgeError) as error:
        runtime.infer({name: np.zeros((1, 64), np.float32) for name in names})
    assert "takes the inputs ['index_t', 'skeleton']" in str(error.value)
    assert str(sorted(names)) in str(error.value)


@pytest.mark.parametrize("shape", [(2, 64, 22, 2), (2, 63, 44, 2), (64, 44, 2), (2, 64, 44, 2, 1)])
def test_another_shape_is_an_error_that_names_it(runtime, shape):
    with pytest.raises(MarEdgeError, match="input 'skeleton' has the shape") as error:
        runtime.infer(inputs() | {"skeleton": np.zeros(shape, np.float32)})
    assert str(shape) in str(error.value)


def test_a_file_without_a_document_has_none(tmp_path):
    with OnnxRuntime(double(tmp_path / "double.onnx")) as runtime:
        assert runtime.metadata_json is None
        assert runtime.infer({"x": np.ones((1, 3), np.float32)})["y"].tolist() == [[2, 2, 2]]
    with OnnxRuntime(double(tmp_path / "described.onnx", **{METADATA_KEY: "hello", "other": "x"})) as runtime:
        assert runtime.metadata_json == "hello"


def test_a_missing_file_is_an_error(tmp_path):
    for path in (tmp_path / "nowhere.onnx", tmp_path):
        with pytest.raises(MarEdgeError, match=f"no model file at {path}; expected an .onnx file"):
            OnnxRuntime(path)


@pytest.mark.parametrize("content", [b"", b"hello\n", b"\x80\x04", b"\x00" * 500, b"PK\x03\x04", b"{}"])
def test_a_file_that_is_no_model_is_refused(tmp_path, content):
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(MarEdgeError, match="is not a model that ONNX Runtime can load") as error:
        OnnxRuntime(path)
    assert "\n" not in str(error.value)


def test_a_damaged_model_and_unknown_nodes_are_refused(tmp_path, ma52_model):
    cut = tmp_path / "cut.onnx"
    cut.write_bytes(ma52_model.path.read_bytes()[:-1000])
    unknown = double(tmp_path / "unknown.onnx", operator="NoSuchThing")
    for path in (cut, unknown):
        with pytest.raises(MarEdgeError, match="is not a model that ONNX Runtime can load"):
            OnnxRuntime(path)
