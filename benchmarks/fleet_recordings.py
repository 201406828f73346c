"""Record what ``serve`` sends about one person and about two, for ``fleet.py``: no camera, but the loop of a stream."""

from __future__ import annotations

import threading
from pathlib import Path

from streams import Figure

from mar_edge.edge.recognizer import WindowRecognizer
from mar_edge.streaming.serve_config import ServeConfig
from mar_edge.streaming.stream import StreamLoop
from mar_edge.streaming.stream_output import StreamOutput
from mar_edge.streaming.wire.encoding import encode
from mar_edge.streaming.wire.messages import AnyMessage
from mar_edge.streaming.wire.publish_socket import PublishSocket
from mar_edge.streaming.wire.publisher import Publisher

RECORDED_S = 24.0


def record(folder: Path) -> dict[bool, list[Path]]:
    """Return recordings of what ``serve`` sends about one person and about two, without skeletons and with them."""
    said: list[list[AnyMessage]] = [[], []]
    with WindowRecognizer.open(None, 1) as recognizer, PublishSocket(("tcp://127.0.0.1:*",)) as publish_socket:
        loops = [
            StreamLoop(
                ServeConfig(camera="demo:", publish_skeletons=True, max_seconds=RECORDED_S),
                stop=lambda: None,
                source=Figure(people, people),
                pose=None,
                pose_name="figure",
                recognizer=recognizer,
                output=StreamOutput(
                    Publisher("camera", publish_socket), publish_socket, on_message=said[people - 1].append
                ),
            )
            for people in (1, 2)
        ]
        threads = [threading.Thread(target=loop.run) for loop in loops]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    files: dict[bool, list[Path]] = {}
    for skeletons in (False, True):
        files[skeletons] = [folder / f"{people}-{skeletons}.jsonl" for people in (1, 2)]
        for file, messages in zip(files[skeletons], said, strict=True):
            kept = [each for each in messages if each.kind != "end" and (skeletons or each.kind != "skeleton")]
            file.write_bytes(b"".join(encode(message) + b"\n" for message in kept))
    return files
