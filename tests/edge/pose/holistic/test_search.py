"""Where people are searched for: parts cover the picture, and the whole picture returns every third time."""

from itertools import islice

import numpy as np
import pytest

from mar_edge.edge.pose.holistic.search import search_regions

DETECTOR_PX = 224


def searched(width, height, count):
    return list(islice(search_regions(width, height, DETECTOR_PX), count))


def test_the_whole_picture_comes_first_and_every_third_time():
    regions = searched(1920, 1080, 12)
    assert all((one.cx, one.cy, one.side) == (960, 540, 1920) for one in regions[::3])
    assert [one.side for one in regions[1::3]] == [960] * 4
    assert [one.side for one in regions[2::3]] == [480] * 4


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (1080, 1296), (640, 480), (3840, 600)])
def test_each_size_of_part_covers_the_picture_and_a_person_at_an_edge_is_whole_in_another_part(width, height):
    regions = searched(width, height, 300)
    for side in {one.side for one in regions}:
        parts = {(one.cx, one.cy) for one in regions if one.side == side}
        person = min(side / 3, width, height)
        for x, y in np.random.default_rng(0).uniform((0, 0), (width - person, height - person), (200, 2)):
            assert any(
                left <= x and x + person <= left + side and top <= y and y + person <= top + side
                for left, top in ((cx - side / 2, cy - side / 2) for cx, cy in parts)
            ), (side, x, y)


def test_parts_smaller_than_the_detectors_input_are_left_out():
    assert {one.side for one in searched(640, 480, 100)} == {640, 320}
    assert {one.side for one in searched(176, 144, 100)} == {176}
