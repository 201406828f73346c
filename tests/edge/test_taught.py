import msgspec
import numpy as np
import pytest

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.files.onnx_parts import with_metadata
from mar_edge.edge.labels import Label, background_label, ma52_labels
from mar_edge.edge.model_file import METADATA_KEY, ModelMetadata, default_model_path, parse_metadata
from mar_edge.edge.preprocess import WINDOW_FRAMES
from mar_edge.edge.prior import default_prior, interview, shift_of
from mar_edge.edge.recognizer import WindowRecognizer
from mar_edge.edge.runtime.onnxruntime import read_metadata
from mar_edge.edge.runtime.taught import TaughtRuntime
from mar_edge.edge.scores import averaged, scores_of
from mar_edge.edge.taught import Head, Taught, weights_of

KNOWN = (*ma52_labels()[:3], background_label())
NEW = Label(1000, "circling head", "head")


def head(label="circling head", weights=(1.0, -2.0), bias=0.5, **others):
    described = {"examples": 5, "views": 60, "idle_s": 30.0, "found": 1.0, "false_per_minute": 0.0}
    weights = weights if isinstance(weights, bytes) else weights_of(np.array(weights))
    return Head(label=label, weights=weights, bias=bias, taught_on="2026-11-25", **described, **others)


def described(heads=None, new=1, **others):
    fields = {"activation": "sigmoid", "labels": (*KNOWN[:3], NEW), "streams": ("joint",), "encoding": "motion"}
    taught = Taught(base_sha256="ab", new=new, heads=(head(),) if heads is None else heads)
    return ModelMetadata(**{"name": "x", "layout": "ma52", "taught": taught, **fields, **others})


class Scripted:
    name, metadata_json, input_shapes = "scripted", None, {}

    def __init__(self, logits, features):
        self.outputs = {"logits": np.array(logits, np.float32), "features": np.array(features, np.float32)}

    def infer(self, inputs):
        return dict(self.outputs)


@pytest.mark.parametrize(
    ("activation", "labels", "background"),
    [
        ("sigmoid", (*KNOWN[:3], NEW), None),
        ("softmax", (*KNOWN, NEW), 3),
        ("softmax", (*KNOWN[:3], NEW), None),
    ],
)
def test_a_taught_score_is_the_sigmoid_of_its_head_for_every_activation(activation, labels, background):
    heads = (head(), head("sitting straightly", (0.0, 3.0), -1.0))
    metadata = described(heads, activation=activation, labels=labels, background=background, temperature=1.7)
    base = np.random.default_rng(0).normal(size=(5, len(labels) - 1)) * 3
    features = np.random.default_rng(1).normal(size=(5, 2))
    runtime = TaughtRuntime(Scripted(base, features), metadata, metadata.taught, "x")
    outputs = runtime.infer({})
    scores = scores_of(outputs["logits"], metadata)
    t = np.stack([features @ (1, -2) + 0.5, features @ (0, 3) - 1], axis=1)
    if activation == "softmax" and background is None:
        odds = np.exp(t)  # together with everything else, which counts 1
        expected = odds / (1 + odds.sum(axis=1, keepdims=True))
        np.testing.assert_allclose(scores.sum(axis=1), 1, rtol=1e-5)
    else:
        expected = 1 / (1 + np.exp(-t))
        alone = msgspec.structs.replace(metadata, labels=labels[:-1], taught=None)
        untouched = [0, 2]
        np.testing.assert_array_equal(scores[:, untouched], scores_of(base.astype(np.float32), alone)[:, untouched])
    np.testing.assert_allclose(scores[:, [len(labels) - 1, 1]], expected, rtol=1e-4)
    assert outputs["probs"].shape == (5, len(labels))


def test_a_taught_label_has_the_score_of_the_longest_view():
    scores = np.array([[[0.2, 0.8, 0.4], [0.6, 0.4, 0.0]]], np.float32)
    metadata = described((head(KNOWN[1].name),), labels=KNOWN[:3])
    np.testing.assert_allclose(averaged(scores, metadata), [[0.4, 0.8, 0.2]], rtol=1e-6)


def test_a_graph_without_features_or_with_others_is_refused():
    metadata = described()
    for features in (np.zeros((1, 3)), None):
        scripted = Scripted(np.zeros((1, 3)), np.zeros((1, 3)))
        if features is None:
            del scripted.outputs["features"]
        with pytest.raises(MarEdgeError, match="need 2 features"):
            TaughtRuntime(scripted, metadata, metadata.taught, "x.onnx").infer({})


@pytest.mark.parametrize(
    "changed",
    [
        {"heads": ()},
        {"heads": (head(), head())},
        {"heads": (head("no label"),)},
        {"heads": (head("shrugging"),)},  # the added one has none
        {"heads": (head(), head("shrugging", (1.0,)))},
        {"heads": (head(weights=b"abc"),)},
        {"heads": (head(weights=b""),)},
        {"heads": (head(weights=(np.nan, 1.0)),)},
        {"heads": (head(weights=(1e9, 1.0)),)},
        {"heads": (head(bias=1e9),)},
        {"new": 4},
        {"new": -1},
        {"activation": "softmax", "background": 3, "heads": (head(),)},
    ],
)
def test_heads_that_do_not_fit_are_refused(changed):
    parse_metadata(described().to_json(), "x")
    with pytest.raises(MarEdgeError, match="taught label"):
        parse_metadata(described(**changed).to_json(), "x")


def test_the_prior_leaves_taught_labels_alone():
    ma52 = ma52_labels()
    metadata = described((head(), head("nodding")), labels=(*ma52, NEW))
    assert default_prior(metadata).name == "interview"
    shift = shift_of(interview(), metadata)  # without a rate of the added label
    assert shift[9] == shift[52] == 0
    assert np.ptp(np.delete(shift, [9, 52])) > 1


def test_metadata_is_replaced_and_every_other_byte_stays():
    content = default_model_path().read_bytes()
    once = with_metadata(content, METADATA_KEY, "one")
    assert with_metadata(once, METADATA_KEY, "two") == with_metadata(content, METADATA_KEY, "two")
    long = "x" * 100_000
    before = read_metadata(default_model_path())
    assert with_metadata(with_metadata(content, METADATA_KEY, long), METADATA_KEY, before) == with_metadata(
        content, METADATA_KEY, before
    )
    assert len(once) == len(content) - len(before) + len("one") - 2  # two lengths take a byte less
    with pytest.raises(MarEdgeError, match="no ONNX file"):
        with_metadata(b"\xff" * 20, METADATA_KEY, "x")


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_a_taught_model_file_runs_like_any_other(tmp_path, runtime):
    if runtime == "openvino":
        pytest.importorskip("openvino")
    shipped = parse_metadata(read_metadata(default_model_path()), "x")
    inputs = {"skeleton": np.zeros((2, WINDOW_FRAMES, 44, 2), np.float32), "index_t": np.zeros((2, 64), np.float32)}
    inputs["skeleton"][1] = np.random.default_rng(0).uniform(-1, 1, (64, 44, 2))
    with WindowRecognizer.open(runtime=runtime) as base:
        expected = base.runtime.infer(inputs)
    D = expected["features"].shape[1]
    taught = Taught(base_sha256="ab", new=1, heads=(head(weights=np.linspace(-0.1, 0.1, D), bias=0.25),))
    one_each = {"rates": (*shipped.rates, 1.0), "thresholds": (*shipped.thresholds, 0.5)}
    metadata = msgspec.structs.replace(shipped, labels=(*shipped.labels, NEW), taught=taught, **one_each)
    path = tmp_path / "taught.onnx"
    path.write_bytes(with_metadata(default_model_path().read_bytes(), METADATA_KEY, metadata.to_json()))
    with WindowRecognizer.open(path, runtime=runtime) as recognizer:
        outputs = recognizer.runtime.infer(inputs)
        assert recognizer.metadata.labels[-1] == NEW
    np.testing.assert_array_equal(outputs["logits"][:, :52], expected["logits"])
    np.testing.assert_allclose(
        outputs["logits"][:, 52], expected["features"] @ np.linspace(-0.1, 0.1, D) + 0.25, rtol=1e-3, atol=1e-4
    )
