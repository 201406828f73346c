from __future__ import annotations

import json
import time
from collections.abc import Callable

import cv2
import numpy as np
import pytest

from mar_edge.streaming.capture.frames import Frame
from mar_edge.view.feed import Feed, Outbox
from mar_edge.view.picture_encoder import LONG_SIDE, PictureEncoder, encode_picture


def frame(number: int, width: int = 1920, height: int = 1080) -> Frame:
    image = np.full((height, width, 3), number, np.uint8)
    return Frame(number, 1_000 + number, 0, 0.0, image)


def parts(payload: bytes) -> tuple[dict[str, object], tuple[int, ...], float]:
    """Return the header, the shape of the picture and its mean."""
    head, _, jpeg = payload.partition(b"\n")
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return json.loads(head), image.shape, float(image.mean())


def test_a_picture_is_reduced_and_states_the_frame_size() -> None:
    head, shape, mean = parts(encode_picture("cam", frame(90)))
    assert head == {"stream": "cam", "frame": 90, "t_capture_ns": 1_090, "width": 1920, "height": 1080}
    assert shape == (LONG_SIDE * 9 // 16, LONG_SIDE, 3)
    assert mean == pytest.approx(90, abs=1)
    assert parts(encode_picture("cam", frame(1, 64, 48)))[1] == (48, 64, 3)


def test_only_the_newest_frame_is_encoded_and_only_with_browsers() -> None:
    feed = Feed(video=True)
    with PictureEncoder(feed) as pictures:
        pictures.offer("cam", frame(1, 64, 48))  # no browser is connected
        outbox = feed.subscribe()
        assert outbox is not None
        for number in range(2, 9):
            pictures.offer("cam", frame(number, 64, 48))
        pictures.offer("cam", Frame(9, 0, 0, 0.0, np.zeros((0, 0, 3), np.uint8)))  # a replay has no pictures
        found = taken(outbox, lambda numbers: 8 in numbers)
    assert 1 not in found
    assert found == sorted(set(found))
    assert len(found) < 7


def taken(outbox: Outbox, enough: Callable[[list[int]], bool]) -> list[int]:
    numbers: list[int] = []
    deadline_s = time.monotonic() + 20
    while not enough(numbers):
        assert time.monotonic() < deadline_s, numbers
        numbers += [int(str(parts(each)[0]["frame"])) for each in outbox.take()[1]]
        time.sleep(0.002)
    return numbers
