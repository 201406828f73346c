"""The two kinds of files of ``synth``, read with numpy and OpenCV."""

import cv2
import numpy as np
import pytest

from mar_edge.edge.errors import MarEdgeError
from mar_edge.training.synth.command import write_clips, write_drawing
from mar_edge.training.synth.generator import CLASSES, synthesize


def test_arrays(tmp_path):
    path = tmp_path / "clips.npz"
    write_clips(path, 300, seed=4)
    with np.load(path) as arrays:
        assert set(arrays.files) == {"joints", "labels", "duration_s", "classes"}
        assert arrays["joints"].shape == (300, 64, 44, 2)
        assert arrays["labels"].shape == arrays["duration_s"].shape == (300,)
        assert list(arrays["classes"]) == [label.name for label in CLASSES]
        first, second = synthesize(4, 0, 256), synthesize(4, 1, 256)
        np.testing.assert_array_equal(arrays["joints"][255], first.joints[255])
        np.testing.assert_array_equal(arrays["joints"][256:], second.joints[:44])
        np.testing.assert_array_equal(arrays["labels"][256:], second.labels[:44])


@pytest.mark.parametrize("action", ["nodding", "9", None])
def test_a_drawing(tmp_path, action):
    path = tmp_path / "clip.mp4"
    title = write_drawing(path, action, seed=1)
    name, seconds = title.removesuffix(" s").rsplit(", ", 1)
    assert name == "nodding" if action else name in {label.name for label in CLASSES}
    video = cv2.VideoCapture(str(path))
    fps = video.get(cv2.CAP_PROP_FPS)
    frames = []
    while (frame := video.read()[1]) is not None:
        frames.append(frame)
    assert len(frames) == 64
    assert 63 / fps == pytest.approx(float(seconds), abs=0.06)
    assert np.abs(frames[0].astype(int) - frames[32]).max() > 50  # something moves


def test_an_unknown_action_is_an_error_that_lists_the_known_ones(tmp_path):
    with pytest.raises(MarEdgeError, match=r"no action 'flying' .* nodding \(9\), .* no action \(52\)"):
        write_drawing(tmp_path / "clip.mp4", "flying", seed=1)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("write", [lambda path: write_clips(path, 1, 1), lambda path: write_drawing(path, None, 1)])
@pytest.mark.parametrize("suffix", [".npz", ".mp4"])
def test_a_folder_that_cannot_be_created_is_an_error(tmp_path, write, suffix):
    (tmp_path / "file").touch()
    with pytest.raises(MarEdgeError, match="cannot write"):
        write(tmp_path / "file" / f"clip{suffix}")
