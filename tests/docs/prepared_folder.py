"""The video that blocks of the guides name, and a sender that they subscribe to."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import recorded_runs
import zmq

from mar_edge.streaming.capture.demo import DemoVideo
from mar_edge.streaming.wire.encoding import encode, topic

_FPS = 15.0
# The portrait rests, nods and rests again.
_SECONDS = 4.5


def fill(folder: Path) -> Path:
    """Write ``clip.mp4`` into a folder, and return it."""
    video = DemoVideo()
    writer = cv2.VideoWriter(str(folder / "clip.mp4"), cv2.VideoWriter.fourcc(*"mp4v"), _FPS, video.size)
    for number in range(round(_SECONDS * _FPS)):
        writer.write(video.frame_at(number / _FPS))
    writer.release()
    return folder


@contextmanager
def sender(address: Path) -> Iterator[None]:
    """Send a recorded stream to each new subscriber, until the block ends."""
    recorded = recorded_runs.two_people().end(8.0, frames=240, dropped=0)
    ending = threading.Event()

    def send() -> None:
        with zmq.Context() as context, context.socket(zmq.XPUB) as socket:
            socket.bind(f"ipc://{address}")
            while not ending.is_set():
                if socket.poll(50) and socket.recv().startswith(b"\x01"):
                    for message in recorded.messages:
                        socket.send_multipart([topic(message.stream, message.kind), encode(message)])

    sending = threading.Thread(target=send)
    sending.start()
    try:
        yield
    finally:
        ending.set()
        sending.join()
