"""``load_model``: windows of skeletons to scores by name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tiny_manet
from streaming_fakes import V, nod

import mar_edge
from mar_edge.edge.data import Window
from mar_edge.edge.recognizer import WindowRecognizer


def window(hz: float, person: int = 0) -> mar_edge.SkeletonTrack:
    motion = nod(40.0, hz=hz)
    return mar_edge.skeleton_track(np.stack([motion(n / 30) for n in range(60)]), fps=30, person=person)


def test_scores_of_windows_by_name(tiny_model: Path) -> None:
    windows = [window(0.7), window(1.5, person=1)]
    with mar_edge.load_model(tiny_model) as model, WindowRecognizer.open(tiny_model) as recognizer:
        scores = model.predict(windows)
        expected = recognizer.predict([Window(each.joints, each.times_s, each.person) for each in windows])
    assert [list(each) for each in scores] == [list(model.labels)] * 2
    np.testing.assert_array_equal([list(each.values()) for each in scores], [each.probs for each in expected])
    assert model.predict([]) == []


def test_a_model_describes_itself(tiny_model: Path) -> None:
    with mar_edge.load_model(str(tiny_model)) as model:
        assert (model.name, model.layout, model.background, model.window_s) == ("tiny", "ma52", "no action", 2.0)
        assert (len(model.joints), model.joints[0]) == (V, "nose")
        assert model.bodies["nodding"] == "head"
        assert model.labels[9] == "nodding"


def test_the_package_s_model_is_the_default() -> None:
    with mar_edge.load_model() as model:
        assert "nodding" in model.labels


def test_mistakes_are_one_line(tiny_model: Path, tmp_path: Path) -> None:
    with pytest.raises(mar_edge.MarEdgeError, match=r"nowhere\.onnx"):
        mar_edge.load_model(tmp_path / "nowhere.onnx")
    with pytest.raises(mar_edge.MarEdgeError, match="SHA-256"):
        mar_edge.load_model(tiny_model, sha256="0" * 64)
    with mar_edge.load_model(tiny_model) as model:
        with pytest.raises(mar_edge.MarEdgeError, match="skeletons of 22 joints; the model takes the layout ma52"):
            model.predict([mar_edge.skeleton_track(np.zeros((5, 22, 2)), fps=30)])
        with pytest.raises(mar_edge.MarEdgeError, match="one frame or more"):
            model.predict([mar_edge.skeleton_track(np.zeros((0, V, 2)), fps=30)])


def test_a_model_of_pictures_is_refused_in_one_line(tmp_path: Path) -> None:
    with mar_edge.load_model(tiny_manet.write(tmp_path / "pictures.onnx"), threads=1) as model:
        with pytest.raises(mar_edge.MarEdgeError, match="'tiny pictures' is a model of pictures"):
            mar_edge.Recognizer(model)
        with pytest.raises(mar_edge.MarEdgeError, match="was given skeletons alone"):
            model.predict([window(0.7)])
