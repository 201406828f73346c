"""The recognizer on real files gives the scores that the PyTorch networks give."""

import msgspec
import networks
import numpy as np
import onnx
import pytest
import torch

from mar_edge.edge.data import Window
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.files.digest import sha256_of
from mar_edge.edge.model_file import METADATA_KEY
from mar_edge.edge.preprocess import window_to_input
from mar_edge.edge.recognizer import WindowRecognizer
from mar_edge.edge.scores import scores_of
from mar_edge.export.mmn import reference_logits


def window(frames, V=44, person=0, seed=0):
    rng = np.random.default_rng(seed)
    clip = rng.uniform(100, 900, (1, V, 2)) + np.cumsum(rng.normal(0, 3, (frames, V, 2)), axis=0)
    return Window(clip.astype(np.float32), np.arange(frames) / 30 + 7.0, person)


def unseen(whole):
    clip = whole.clip.copy()
    clip[:, 32:44] = np.nan
    clip[3:9, 10] = np.nan
    return Window(clip, whole.times_s, whole.person)


WINDOWS = [window(60, seed=1), window(24, person=3, seed=2), window(1, seed=3), unseen(window(45, person=2, seed=4))]


@pytest.fixture(scope="module")
def recognizer(ma52_model):
    with WindowRecognizer.open(ma52_model.path, threads=1) as recognizer:
        yield recognizer


def test_a_file_with_another_hash_than_stated_is_not_loaded(ma52_model, imigue_model):
    stated = sha256_of(ma52_model.path)
    WindowRecognizer.open(ma52_model.path, threads=1, sha256=stated.upper()).runtime.__exit__(None, None, None)
    with pytest.raises(MarEdgeError, match=f"stated is {stated}"):
        WindowRecognizer.open(imigue_model.path, threads=1, sha256=stated)


def test_it_knows_its_model(recognizer):
    assert recognizer.layout.name == "ma52"
    assert recognizer.metadata.labels == networks.LABELS


def test_scores_are_of_pytorchs_logits(recognizer, ma52_model):
    predictions = recognizer.predict(WINDOWS)
    inputs = [window_to_input(one, recognizer.layout) for one in WINDOWS]
    skeleton, index_t = (torch.from_numpy(np.stack(arrays)) for arrays in zip(*inputs, strict=True))
    logits = reference_logits(ma52_model.networks, ma52_model.layout, skeleton, index_t).numpy()
    expected = scores_of(logits, recognizer.metadata)
    assert np.abs(expected - expected[0]).max() > 1e-3
    for prediction, probs, one in zip(predictions, expected, WINDOWS, strict=True):
        np.testing.assert_allclose(prediction.probs, probs, rtol=0, atol=1e-5)
        assert prediction.probs.dtype == np.float32
        assert prediction.person == one.person


def test_together_or_one_by_one_is_the_same(recognizer):
    together = recognizer.predict(WINDOWS)
    for prediction, one in zip(together, WINDOWS, strict=True):
        (alone,) = recognizer.predict([one])
        np.testing.assert_allclose(alone.probs, prediction.probs, rtol=0, atol=1e-5)


def test_scores_are_the_mean_of_those_of_each_view(recognizer, monkeypatch):
    newest = [Window(one.clip[one.times_s >= one.times_s[-1] - 1.0], np.arange(31) / 30) for one in WINDOWS[::3]]
    whole, short = recognizer.predict(WINDOWS), recognizer.predict(newest)
    monkeypatch.setattr(recognizer, "metadata", msgspec.structs.replace(recognizer.metadata, views_s=(1.0, 2.0)))
    both = recognizer.predict(WINDOWS)
    for one, first, second in zip(both[::3], whole[::3], short, strict=True):
        mean = (first.probs + second.probs) / 2
        mean[networks.BACKGROUND] = 1 - np.delete(mean, networks.BACKGROUND).max()
        np.testing.assert_allclose(one.probs, mean, rtol=0, atol=1e-5)
    np.testing.assert_allclose(both[1].probs, whole[1].probs, rtol=0, atol=1e-5)  # shorter than each view
    assert [one.person for one in both] == [one.person for one in WINDOWS]


def test_no_windows_give_no_predictions(recognizer):
    assert recognizer.predict([]) == []


def test_a_window_of_another_layout_is_an_error(recognizer):
    with pytest.raises(MarEdgeError, match="ma52"):
        recognizer.predict([window(10, V=22)])


def test_another_layout(imigue_model):
    with WindowRecognizer.open(imigue_model.path, threads=1) as recognizer:
        (prediction,) = recognizer.predict([window(30, V=22)])
        skeleton, index_t = window_to_input(window(30, V=22), recognizer.layout)
    inputs = (torch.from_numpy(skeleton)[None], torch.from_numpy(index_t)[None])
    expected = reference_logits(imigue_model.networks, imigue_model.layout, *inputs).softmax(dim=-1)[0]
    np.testing.assert_allclose(prediction.probs, expected.numpy(), rtol=0, atol=1e-5)


def redescribed(model, path, change):
    """Write the same file with another description."""
    proto = onnx.load(model)
    for entry in proto.metadata_props:
        if entry.key == METADATA_KEY:
            entry.value = change(entry.value)
    onnx.save(proto, str(path))
    return path


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda text: text.replace('"ma52"', '"imigue"'), "a imigue model takes skeleton (B, 64, 22, 2)"),
        (lambda text: text.replace('"schema_version":1', '"schema_version":9'), "metadata schema 9"),
        (lambda text: text[:-1], "metadata is not readable"),
    ],
)
def test_a_description_that_does_not_fit_the_graph_is_an_error(ma52_model, tmp_path, change, expected):
    path = redescribed(ma52_model.path, tmp_path / "m.onnx", change)
    with pytest.raises(MarEdgeError) as error:
        WindowRecognizer.open(path)
    assert str(path) in str(error.value)
    assert expected in str(error.value)


def test_labels_that_the_outputs_do_not_match_are_an_error(ma52_model, tmp_path):
    first = '{"id":0,"name":"shaking body","body":"body"},'
    path = redescribed(ma52_model.path, tmp_path / "m.onnx", lambda text: text.replace(first, ""))
    path = redescribed(path, path, lambda text: text.replace('"background":11', '"background":10'))
    with pytest.raises(MarEdgeError, match="11 labels"):
        WindowRecognizer.open(path)


def test_the_model_in_the_package():
    with WindowRecognizer.open() as recognizer:
        (prediction,) = recognizer.predict([window(60)])
    assert prediction.probs.shape == (len(recognizer.metadata.labels),)
    assert ((prediction.probs >= 0) & (prediction.probs <= 1)).all()
    assert (recognizer.metadata.activation, recognizer.metadata.background) == ("sigmoid", None)
    assert len(recognizer.metadata.rates) == len(recognizer.metadata.thresholds) == 52
    assert "synthetic" in recognizer.metadata.training_data
