"""A stated hash covers the whole model, or the model is refused."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.files.digest import sha256_of
from mar_edge.edge.files.onnx_parts import check_whole
from mar_edge.edge.recognizer import WindowRecognizer

WEIGHTS = numpy_helper.from_array(np.arange(600, dtype=np.float32).reshape(2, 300), "weights")


def model(nodes=(), initializers=(), functions=()):
    output = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    graph = helper.make_graph(list(nodes), "g", [], [output], list(initializers))
    return helper.make_model(graph, functions=list(functions), opset_imports=[helper.make_opsetid("", 17)])


def external(tensor):
    elsewhere = TensorProto()
    elsewhere.CopyFrom(tensor)
    elsewhere.ClearField("raw_data")
    elsewhere.data_location = TensorProto.EXTERNAL
    elsewhere.external_data.add(key="location", value="weights.bin")
    return elsewhere


def constant(tensor, name="y"):
    return helper.make_node("Constant", [], [name], value=tensor)


def branch(tensor):
    output = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    return helper.make_graph([constant(tensor)], "branch", [], [output])


def places(tensor):
    """Return models with the same tensor in every place where a model may keep one."""
    sparse = helper.make_sparse_tensor(tensor, numpy_helper.from_array(np.arange(600), "indices"), [1000])
    attribute = helper.make_attribute("value", tensor)
    function = helper.make_function("own", "F", [], ["y"], [constant(tensor)], [helper.make_opsetid("", 17)])
    several = onnx.AttributeProto(name="several", type=onnx.AttributeProto.TENSORS, tensors=[tensor])
    listed = helper.make_node("Own", [], ["y"])
    listed.attribute.append(several)
    with_sparse = model([constant(WEIGHTS)])
    with_sparse.graph.sparse_initializer.append(sparse)
    trained = model([constant(WEIGHTS)])
    trained.training_info.add().algorithm.initializer.append(tensor)
    default = helper.make_function("own", "F", [], ["y"], [], [helper.make_opsetid("", 17)])
    default.attribute_proto.append(attribute)
    return {
        "initializer": model([helper.make_node("Identity", ["weights"], ["y"])], [tensor]),
        "constant": model([constant(tensor)]),
        "branch": model(
            [helper.make_node("If", ["c"], ["y"], then_branch=branch(WEIGHTS), else_branch=branch(tensor))]
        ),
        "function": model(functions=[function]),
        "default of a function": model(functions=[default]),
        "several": model([listed]),
        "sparse": with_sparse,
        "training": trained,
    }


@pytest.mark.parametrize("place", places(WEIGHTS))
def test_weights_in_another_file_are_found_wherever_they_belong(tmp_path, place):
    path = tmp_path / "m.onnx"
    path.write_bytes(places(WEIGHTS)[place].SerializeToString())
    check_whole(path)
    path.write_bytes(places(external(WEIGHTS))[place].SerializeToString())
    with pytest.raises(MarEdgeError, match=r"m\.onnx keeps weights in other files"):
        check_whole(path)


def test_a_model_of_other_weights_does_not_pass_by_its_hash(tmp_path):
    path = tmp_path / "m.onnx"
    onnx.save(
        model([helper.make_node("Identity", ["weights"], ["y"])], [WEIGHTS]),
        path,
        save_as_external_data=True,
        location="weights.bin",
        size_threshold=0,
    )
    assert (tmp_path / "weights.bin").exists()
    with pytest.raises(MarEdgeError, match="keeps weights in other files"):
        WindowRecognizer.open(path, sha256=sha256_of(path))


@pytest.mark.parametrize("content", [b"\xff" * 40, b"ftrt" + bytes(range(256)), b"\x3a\x05abc", b"\x0b\x0c"])
def test_what_is_no_onnx_file_passes_no_hash(tmp_path, content):
    path = tmp_path / "m.engine"
    path.write_bytes(content)
    with pytest.raises(MarEdgeError, match="is no ONNX file"):
        check_whole(path)
    with pytest.raises(MarEdgeError, match="cannot read"):
        check_whole(tmp_path / "none")
