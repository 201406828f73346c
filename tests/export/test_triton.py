"""A Triton repository: its config matches the model's inputs and outputs."""

import re

import numpy as np
import onnxruntime as ort
import pytest

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.model_file import default_model_path, parse_metadata
from mar_edge.edge.runtime.onnxruntime import OnnxRuntime
from mar_edge.export.triton import MAX_BATCH, write_repository


@pytest.fixture(scope="module")
def metadata():
    path = default_model_path()
    with OnnxRuntime(path) as runtime:
        return parse_metadata(runtime.metadata_json, str(path))


def test_the_config_has_the_models_names_types_and_shapes(tmp_path, metadata):
    place = write_repository(default_model_path(), metadata, tmp_path / "repository")
    text = (place / "config.pbtxt").read_text()
    assert f'name: "{place.name}"' in text
    tensors = re.findall(r'name: "(\w+)" data_type: TYPE_FP32 dims: \[ ([\d, ]+) \]', text)
    told = {name: [int(dim) for dim in dims.split(",")] for name, dims in tensors}
    session = ort.InferenceSession(str(place / "1" / "model.onnx"), providers=["CPUExecutionProvider"])
    for tensor in session.get_inputs():
        assert tensor.type == "tensor(float)"
        assert told[tensor.name] == tensor.shape[1:]
    batch = {tensor.name: np.zeros((2, *told[tensor.name]), np.float32) for tensor in session.get_inputs()}
    # The features are for teaching on the device.
    outputs = [tensor.name for tensor in session.get_outputs() if tensor.name != "features"]
    assert set(told) == {*batch, *outputs}
    for name, array in zip(outputs, session.run(outputs, batch), strict=True):
        assert array.shape == (2, *told[name])
    assert f"max_batch_size: {MAX_BATCH}" in text
    assert (place / "labels.txt").read_text().splitlines() == [label.name for label in metadata.labels]


def test_a_repository_is_not_overwritten(tmp_path, metadata):
    write_repository(default_model_path(), metadata, tmp_path)
    with pytest.raises(MarEdgeError, match="exists"):
        write_repository(default_model_path(), metadata, tmp_path)
