"""The document a model file carries: there and back, and every way it can be wrong."""

import json

import networks
import pytest

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.labels import Label
from mar_edge.edge.model_file import ModelMetadata, check_inputs, default_model_path, parse_metadata

METADATA = ModelMetadata(
    name="a name",
    layout="ma52",
    streams=("joint", "bone"),
    encoding="motion",
    labels=networks.LABELS,
    background=11,
    window_s=1.5,
    temperature=1.4,
    thresholds=(0.5,) * len(networks.LABELS),
    precision="fp16",
    sources_sha256=("ab", "cd"),
    training_data="some",
    accuracy={"top1": 0.5},
    licence="some terms",
    mar_edge_version="9.9",
)


def changed(**fields) -> str:
    return json.dumps(json.loads(METADATA.to_json()) | fields)


def refusal(document) -> str:
    with pytest.raises(MarEdgeError) as error:
        parse_metadata(document, "m.onnx")
    assert str(error.value).startswith("m.onnx")
    return str(error.value)


def test_a_document_is_read_as_it_was_written():
    assert parse_metadata(METADATA.to_json(), "m.onnx") == METADATA


def test_a_network_of_several_labels_a_window():
    several = changed(activation="sigmoid", background=None, rates=[1.0] * len(networks.LABELS))
    metadata = parse_metadata(several, "m.onnx")
    assert (metadata.activation, metadata.rates[:2]) == ("sigmoid", (1.0, 1.0))
    assert "all of its labels being low" in refusal(changed(activation="sigmoid"))
    for rates in ([1.0], [0.0] * len(networks.LABELS), [-1.0] * len(networks.LABELS)):
        assert "expected one each, of 0 or more, not all 0" in refusal(changed(rates=rates))


def test_fields_of_a_later_version_are_ignored():
    assert parse_metadata(changed(colour="blue"), "m.onnx") == METADATA


def test_what_may_be_left_out():
    least = {"name": "x", "layout": "imigue", "streams": ["bone"], "encoding": "raw"}
    metadata = parse_metadata(json.dumps(least | {"labels": [{"id": 0, "name": "a", "body": ""}]}), "m.onnx")
    assert metadata.labels == (Label(0, "a", ""),)
    assert (metadata.background, metadata.window_s, metadata.precision, metadata.family) == (None, 2.0, "fp32", "mmn")


def test_a_file_without_a_description_is_refused():
    assert "without mar-edge's metadata" in refusal(None)
    assert "mar-edge export" in refusal(None)


@pytest.mark.parametrize("document", ["", "{", "[]", "null", "hello", "{}", '{"name": "x"}'])
def test_an_unreadable_description_is_refused(document):
    assert "metadata is not readable" in refusal(document)


@pytest.mark.parametrize(
    "fields",
    [
        {"encoding": "polar"},
        {"family": "pixels"},
        {"streams": ["joint", "motion"]},
        {"precision": "fp4"},
        {"labels": ["nodding"]},
        {"window_s": "two"},
        {"window_s": None},
        {"schema_version": "1"},
        {"accuracy": {"top1": "good"}},
        {"thresholds": ["high"]},
        {"movements": [{"way": "up"}]},
    ],
)
def test_a_field_of_another_type_is_refused(fields):
    assert "metadata is not readable" in refusal(changed(**fields))


def test_another_schema_is_refused():
    assert "metadata schema 2, this version reads 1" in refusal(changed(schema_version=2))


def test_another_layout():
    assert "unknown skeleton layout 'coco'; known: ma52, imigue" in refusal(changed(layout="coco"))


@pytest.mark.parametrize(
    "fields",
    [
        {"labels": []},
        {"background": 12},
        {"background": -1},
        {"window_s": 0},
        {"views_s": [2.0, 2.5]},
        {"views_s": [0.0]},
        {"views_s": [1.0] * 5},
        {"window_s": -2.0},
        {"movements": [{"way": "one"}]},
    ],
)
def test_contradictions_are_refused(fields):
    assert "inconsistent metadata" in refusal(changed(**fields))


EXPECTED = {"skeleton": (64, 44, 2), "index_t": (64,)}
GOOD = {"skeleton": (None, 64, 44, 2), "index_t": (None, 64)}


@pytest.mark.parametrize("batch", [None, 1])
def test_inputs_of_the_contract(batch):
    shapes = {"skeleton": (batch, 64, 44, 2), "index_t": (batch, 64)}
    check_inputs(METADATA, EXPECTED, shapes, "m.onnx")


@pytest.mark.parametrize(
    "shapes",
    [
        {},
        {"skeleton": (None, 64, 44, 2)},
        {"skeletons": (None, 64, 44, 2), "index_t": (None, 64)},
        GOOD | {"more": (None, 1)},
        GOOD | {"skeleton": (None, 64, 22, 2)},
        GOOD | {"skeleton": (None, 2, 64, 44)},
        GOOD | {"skeleton": (None, None, 44, 2)},
        GOOD | {"index_t": (None, 32)},
    ],
)
def test_other_inputs_are_named(shapes):
    with pytest.raises(MarEdgeError, match=r"m.onnx: a ma52 model takes skeleton \(B, 64, 44, 2\)") as error:
        check_inputs(METADATA, EXPECTED, shapes, "m.onnx")
    assert str(shapes) in str(error.value)


def test_the_default_model_has_its_place_in_the_package():
    assert default_model_path().parent.name == "models"
    assert default_model_path().suffix == ".onnx"


@pytest.mark.parametrize(
    "fields", [{"temperature": 0}, {"temperature": -1.0}, {"thresholds": [0.5]}, {"thresholds": [0.0] * 12}]
)
def test_temperatures_and_thresholds_out_of_range_are_refused(fields):
    assert "inconsistent metadata: temperature" in refusal(changed(**fields))
