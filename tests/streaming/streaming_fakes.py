"""Fakes for the streaming tests: a synthetic person, videos that carry their frame numbers, scripted stages."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import zmq
from numpy.typing import NDArray

from mar_edge.edge.data import Skeleton
from mar_edge.edge.layout import load_layout
from mar_edge.streaming.choices import Encoding
from mar_edge.streaming.wire.encoding import decode
from mar_edge.streaming.wire.messages import AnyMessage, UnknownMessage
from mar_edge.streaming.wire.publish_socket import PublishSocket
from mar_edge.streaming.wire.publisher import Publisher

LAYOUT = load_layout("ma52")
V = LAYOUT.num_joints
_BITS = 12
_BLOCK = 16

Motion = Callable[[float], NDArray[np.float32]]
"""Seconds -> joints (V, 2)."""


def person(height: float = 880.0) -> NDArray[np.float32]:
    """(V, 2) a figure of that height, in pixels; roughly where joints are."""
    return _figure(height).copy()


@cache
def _figure(height: float) -> NDArray[np.float32]:
    rng = np.random.default_rng(3)
    middle = {"head": 0.06, "trunk": 0.3, "arms": 0.42, "legs": 0.8}
    joints = np.zeros((V, 2), np.float32)
    for region, indices in LAYOUT.regions.items():
        for v in indices:
            joints[v] = rng.uniform(-0.12, 0.12), middle[region] + rng.uniform(-0.06, 0.06)
    joints[17, 1], joints[24, 1] = 0.0, 1.0
    return joints * height + np.float32(50.0)


def nod(degrees_px: float = 5.0, hz: float = 1.6, start_s: float = 0.0, end_s: float = 1e9) -> Motion:
    """Return a head that goes down and up by ``degrees_px`` pixels, peak to peak, between two times."""
    base = person()
    head = list(LAYOUT.regions["head"])

    def at(t_s: float) -> NDArray[np.float32]:
        joints = base.copy()
        if start_s <= t_s <= end_s:
            joints[head, 1] += np.float32(degrees_px / 2 * (1 - np.cos(2 * np.pi * hz * (t_s - start_s))))
        return joints

    return at


def skeleton(joints: NDArray[np.float32], who: int = 0) -> Skeleton:
    return Skeleton(joints, np.where(np.isfinite(joints).all(axis=1), 0.9, 0.0).astype(np.float32), who)


def numbered_image(number: int) -> NDArray[np.uint8]:
    """(32, 192, 3) a picture that carries a number in black and white blocks, which survive any codec."""
    image = np.zeros((2 * _BLOCK, _BITS * _BLOCK, 3), np.uint8)
    for bit in range(_BITS):
        if number >> bit & 1:
            image[:, bit * _BLOCK : (bit + 1) * _BLOCK] = 255
    return image


def read_number(image: NDArray[np.uint8]) -> int:
    blocks = image[:, :, 0].reshape(2 * _BLOCK, _BITS, _BLOCK).mean(axis=(0, 2))
    return sum(1 << bit for bit in range(_BITS) if blocks[bit] > 127)


def write_video(path: Path, frames: int, fps: float = 30.0, fourcc: str = "mp4v") -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*fourcc), fps, (_BITS * _BLOCK, 2 * _BLOCK))
    for number in range(frames):
        writer.write(numbered_image(number))
    writer.release()
    return path


class ScriptedPose:
    """A pose stage that reads the frame number off the picture and answers from a script (see ``PoseEstimator``)."""

    name = "scripted"

    def __init__(self, motion: Motion, fps: float = 30.0, delay_s: float = 0.0) -> None:
        self.layout = LAYOUT
        self.numbers: list[int] = []
        self._motion, self._fps, self._delay_s = motion, fps, delay_s

    def estimate(self, image: NDArray[np.uint8], t_s: float) -> list[Skeleton]:
        self.numbers.append(read_number(image))
        time.sleep(self._delay_s)
        return [skeleton(self._motion(self.numbers[-1] / self._fps))]

    def __enter__(self) -> ScriptedPose:
        return self

    def __exit__(self, *exc_info: object) -> None:
        pass


class FakeReader:
    """A source of numbered pictures (see ``Reader``); a live one gives a frame whenever ``release`` is called."""

    fps: float | None = 30.0
    segment = 0

    def __init__(self, recorded: bool, frames: int = 1000, fps: float = 30.0) -> None:
        self.recorded = recorded
        self.fps = fps
        self.closed = threading.Event()
        self.shown: list[int] = []
        self._allowed = threading.Semaphore(0)
        self._last = frames - 1
        self._index = -1

    def release(self, count: int = 1) -> None:
        self._allowed.release(count)

    def grab(self) -> bool:
        if not self.recorded:
            self._allowed.acquire()
        if self._index >= self._last:
            return False
        self._index += 1
        return True

    def media_s(self) -> float:
        assert self.fps is not None
        return self._index / self.fps

    def retrieve(self) -> NDArray[np.uint8]:
        self.shown.append(self._index)
        return numbered_image(self._index)

    def end_reason(self) -> str:
        return "end of file" if self.recorded else "camera lost: unplugged"

    def close(self) -> None:
        self.closed.set()


def wait_until(condition: Callable[[], Any], timeout_s: float = 30.0) -> None:
    """Wait until it holds, or fail; the limit allows for a busy machine."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.002)


@contextmanager
def publishing(
    stream: str = "cam", *addresses: str, encoding: Encoding = "json", **options: Any
) -> Iterator[tuple[Publisher, PublishSocket]]:
    """Open a publisher and the socket that it sends through, on any free port."""
    with PublishSocket(addresses or ("tcp://127.0.0.1:*",), **options) as publish_socket:
        yield Publisher(stream, publish_socket, encoding), publish_socket


def receive(sub: zmq.Socket[bytes], publish_socket: PublishSocket, count: int) -> list[AnyMessage | UnknownMessage]:
    messages: list[AnyMessage | UnknownMessage] = []

    def enough() -> bool:
        publish_socket.poll()
        while sub.poll(0):
            _, payload = sub.recv_multipart()
            messages.append(decode(payload))
        return len(messages) >= count

    wait_until(enough)
    return messages


def open_files() -> int:
    """Return how many files this process has open."""
    return len(os.listdir("/proc/self/fd"))


def polled(publish_socket: PublishSocket, condition: Callable[[], Any]) -> None:
    def holds() -> Any:
        publish_socket.poll()
        return condition()

    wait_until(holds)
