"""Augmentation of pictures: which frames, which part of them, and the same for all frames of a clip."""

import cv2
import numpy as np
import pytest

from mar_edge.training.pictures.augment import Crop, draw_crop, draw_indices


@pytest.mark.parametrize(
    ("frames", "expected"), [(1, [0] * 8), (3, [0, 0, 1, 1, 2, 2, 2, 0]), (7, [0, 1, 2, 3, 4, 4, 5, 6])]
)
def test_few_frames_repeat_themselves(frames, expected):
    assert draw_indices(frames, np.random.default_rng(1)).tolist() == expected


def test_one_frame_of_each_eighth():
    rng = np.random.default_rng(1)
    drawn = np.array([draw_indices(30, rng) for _ in range(200)])  # eighths of 3; 24 to 29 are never drawn
    for place, column in enumerate(drawn.T):
        assert set(column.tolist()) == {3 * place, 3 * place + 1, 3 * place + 2}
    assert len({tuple(row) for row in drawn.tolist()}) > 150  # each on its own
    assert draw_indices(8, rng).tolist() == list(range(8))


def test_shapes_and_places_of_crops():
    rng = np.random.default_rng(1)
    crops = [draw_crop(300, 256, 0.5, rng) for _ in range(6000)]
    shapes = {(crop.width, crop.height) for crop in crops}
    sides = [256, 224, 192, 168]
    assert shapes == {(a, b) for i, a in enumerate(sides) for j, b in enumerate(sides) if abs(i - j) <= 1}
    assert len(shapes) == 10
    of_one = [crop for crop in crops if (crop.width, crop.height) == (224, 192)]
    x, y = (300 - 224) // 4, (256 - 192) // 4
    corners, middles = {(0, 0), (4, 0), (0, 4), (4, 4)}, {(2, 2), (0, 2), (4, 2), (2, 4), (2, 0)}
    assert {(crop.left // x, crop.top // y) for crop in of_one} == corners | middles | {(1, 1), (3, 1), (1, 3), (3, 3)}
    assert all(crop.left + crop.width <= 300 and crop.top + crop.height <= 256 for crop in crops)
    assert 0.45 < np.mean([crop.mirrored for crop in crops]) < 0.55
    assert not any(draw_crop(256, 256, 0.0, rng).mirrored for _ in range(50))


def test_a_crop_is_scaled_and_mirrored():
    picture = np.random.default_rng(1).integers(0, 256, (256, 300, 3), np.uint8)
    crop = Crop(left=19, top=32, width=168, height=192, mirrored=False)
    expected = cv2.resize(picture[32 : 32 + 192, 19 : 19 + 168], (224, 224), interpolation=cv2.INTER_LINEAR)
    np.testing.assert_array_equal(crop.of(picture), expected)
    mirrored = Crop(19, 32, 168, 192, mirrored=True)
    np.testing.assert_array_equal(mirrored.of(picture), expected[:, ::-1])
