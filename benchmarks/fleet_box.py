"""Publish recorded messages as ``serve`` does, for several cameras. ``fleet.py`` starts one process for each box.

    python benchmarks/fleet_box.py ADDRESS FIRST CAMERAS PACE SUBSCRIPTIONS RECORDING...

Cameras are called c0, c1, ..., from FIRST on. They play the recordings in turn, again and again, PACE times as fast as
they were sent, each from another place. It waits for subscriptions, then prints a line. When its input is closed, each
camera sends its ``end``, and what was sent is printed as JSON.
"""

from __future__ import annotations

import heapq
import json
import random
import select
import sys
import time
from collections import Counter
from pathlib import Path

from mar_edge.streaming.recording.reader import read_messages, recording_files
from mar_edge.streaming.wire.encoding import topic
from mar_edge.streaming.wire.messages import AnyMessage, EndMessage
from mar_edge.streaming.wire.publish_socket import PublishSocket
from mar_edge.streaming.wire.publisher import Publisher

POLL_S = 0.02


class Camera:
    """Plays messages again and again; ``due_s`` says when the next one is, on the monotonic clock."""

    def __init__(self, publisher: Publisher, messages: list[AnyMessage], pace: float, start_s: float) -> None:
        self.publisher = publisher
        hello, *self._messages = messages
        # By the frame: a sender that was slow for a moment is no part of the pace.
        first_ns = self._messages[0].t_capture_ns
        self._times_s = [(message.t_capture_ns - first_ns) / (1e9 * pace) for message in self._messages]
        skip_s = random.uniform(0.0, self._times_s[-1])
        self._zero_s = start_s - skip_s
        self._next = sum(t_s < skip_s for t_s in self._times_s)
        publisher.publish(hello)

    @property
    def due_s(self) -> float:
        return self._zero_s + self._times_s[self._next]

    def play(self) -> tuple[str, int]:
        """Send the message that is due; return its kind and the number of bytes."""
        sent = self.publisher.publish(self._messages[self._next])
        self._next += 1
        if self._next == len(self._messages):
            self._next, self._zero_s = 0, self._zero_s + self._times_s[-1]
        kind = sent.message.kind
        return kind, len(sent.json) + len(topic(self.publisher.stream, kind))

    def end(self) -> None:
        sent = dict(self.publisher.sent)
        counts = dict.fromkeys(("frames", "dropped", "inferences", "gated", "events"), 0)
        self.publisher.publish(EndMessage(last_seq=self.publisher.next_seq, reason="measured", sent=sent, **counts))


def main() -> None:
    address, first, cameras, pace, subscriptions, *names = sys.argv[1:]
    files = [[each.message for each in read_messages(recording_files([Path(name)]))] for name in names]
    kinds: Counter[str] = Counter()
    total_bytes = 0
    with PublishSocket((address,)) as socket:
        while socket.subscriptions < int(subscriptions):
            socket.poll()
            time.sleep(POLL_S)
        start_s = time.monotonic()
        every = [
            Camera(Publisher(f"c{number}", socket), files[number % len(files)], float(pace), start_s)
            for number in range(int(first), int(first) + int(cameras))
        ]
        due = [(camera.due_s, number) for number, camera in enumerate(every)]
        heapq.heapify(due)
        print("playing", flush=True)
        while True:
            socket.poll()
            while (wait_s := due[0][0] - time.monotonic()) <= 0:
                camera = every[due[0][1]]
                kind, size = camera.play()
                kinds[kind] += 1
                total_bytes += size
                heapq.heapreplace(due, (camera.due_s, due[0][1]))
            if select.select([sys.stdin], [], [], min(wait_s, POLL_S))[0]:
                break
        seconds = time.monotonic() - start_s
        for camera in every:
            camera.end()
    print(json.dumps({"seconds": seconds, "bytes": total_bytes, "kinds": kinds}))


if __name__ == "__main__":
    main()
