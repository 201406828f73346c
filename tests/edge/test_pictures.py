"""From frames to MANet's input: the authors' numbers, and pictures of any size."""

import numpy as np
import pytest
import torch

from mar_edge.edge import pictures
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.network.inputs import picture_input


@pytest.fixture(scope="module")
def measured(data):
    return np.load(data / "golden_manet.npz")


def pattern(k, height, width):
    """Return the picture (height, width, 3) of the specification."""
    y, x, c, s = *np.ogrid[:height, :width, :3], 0.5
    wave = np.sin(0.11 * x + 0.07 * y + 2.1 * c + s + k) * np.cos(0.031 * x - 0.043 * y + s + k)
    return np.clip(np.floor(127.5 * (1 + wave) + 0.25), 0, 255).astype(np.uint8)


def test_the_frames_that_represent_a_video(measured):
    assert len(measured["sample_frames"]) == 20
    for frames, expected in zip(measured["sample_frames"], measured["sample_indices"], strict=True):
        np.testing.assert_array_equal(pictures.test_indices(int(frames)), expected)


@pytest.mark.parametrize("k", range(4))
def test_resized_cropped_and_normalized_as_the_authors_do(measured, k):
    height, width, *expected = measured[f"prep{k}_size"].tolist()
    resized = pictures.resized(pattern(k, height, width))
    assert list(resized.shape[:2]) == expected
    crop = pictures.center_crop(resized)
    assert crop.shape == (224, 224, 3)
    np.testing.assert_allclose(crop[::16, ::16].astype(int), measured[f"prep{k}_crop"], rtol=0, atol=1)
    normalized = picture_input(torch.from_numpy(crop[:2, :2].copy())).permute(1, 2, 0)
    np.testing.assert_allclose(normalized, measured[f"prep{k}_norm"], rtol=0, atol=0.02)  # one of 255 is 0.018


def test_normalized_frames_equal_the_authors(measured):
    frames = measured["frames_corner"]  # (2, 8, 4, 4, 3)
    normalized = picture_input(torch.from_numpy(frames))
    np.testing.assert_allclose(normalized.numpy(), measured["x_corner"], rtol=0, atol=1e-6)


@pytest.mark.parametrize("size", [(1, 1), (1, 700), (223, 5000), (1296, 1080), (256, 256), (37, 41)])
def test_pictures_of_any_size_give_a_full_crop(size):
    assert pictures.small(np.zeros((*size, 3), np.uint8)).shape == (224, 224, 3)


def test_the_crop_is_the_middle():
    picture = np.arange(256 * 301 * 3, dtype=np.uint32).reshape(256, 301, 3)
    np.testing.assert_array_equal(pictures.center_crop(picture), picture[16:240, 38:262])


def test_a_clip_is_the_middle_of_each_eighth():
    frames = [np.full((256, 256, 3), i, np.uint8) for i in range(24)]
    clip = pictures.chosen([pictures.small(frame) for frame in frames])
    assert clip.shape == (8, 224, 224, 3)
    assert clip.dtype == np.uint8
    np.testing.assert_array_equal(clip[:, 0, 0, 0], [1, 4, 7, 10, 13, 16, 19, 22])
    np.testing.assert_array_equal(pictures.chosen([pictures.small(frames[5])])[:, 7, 7, 1], 5)


def test_no_frames_are_an_error():
    with pytest.raises(MarEdgeError, match="holds no frame"):
        pictures.chosen([])


@pytest.mark.parametrize(
    "picture",
    [np.zeros((9, 9), np.uint8), np.zeros((9, 9, 4), np.uint8), np.zeros((9, 9, 3)), np.zeros((0, 9, 3), np.uint8)],
)
def test_what_is_no_picture_is_named(picture):
    with pytest.raises(MarEdgeError, match=r"a picture is \(H, W, 3\) uint8, this one is"):
        pictures.small(picture)
