"""The loop by itself: its messages while pose hangs. All others: test_service.py."""

from __future__ import annotations

import threading

import pytest
from numpy.typing import NDArray
from streaming_fakes import FakeReader, ScriptedPose, nod, wait_until

from mar_edge.edge.data import Skeleton
from mar_edge.edge.recognizer import WindowRecognizer
from mar_edge.streaming.capture.camera import Camera
from mar_edge.streaming.serve_config import ServeConfig
from mar_edge.streaming.stream import StreamLoop
from mar_edge.streaming.stream_output import StreamOutput
from mar_edge.streaming.wire.messages import AnyMessage, EndMessage, StatusMessage
from mar_edge.streaming.wire.publish_socket import PublishSocket
from mar_edge.streaming.wire.publisher import Publisher


class HangingPose(ScriptedPose):
    def __init__(self) -> None:
        super().__init__(nod())
        self.may_go = threading.Event()

    def estimate(self, image: NDArray, t_s: float) -> list[Skeleton]:
        assert self.may_go.wait(30)
        return super().estimate(image, t_s)


def test_no_status_while_pose_hangs(
    recognizer: WindowRecognizer, publisher: Publisher, publish_socket: PublishSocket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mar_edge.streaming.stream_state.STATUS_PERIOD_S", 0.001)
    monkeypatch.setattr("mar_edge.streaming.stream.READ_TIMEOUT_S", 0.005)
    pose, said, turns = HangingPose(), list[AnyMessage](), list[None]()
    stopped: list[str] = []

    def statuses() -> int:
        return sum(isinstance(message, StatusMessage) for message in said)

    def turned() -> None:
        """Wait for two turns of the loop, so that one of them was whole."""
        before = len(turns)
        wait_until(lambda: len(turns) >= before + 2)

    def stop() -> str | None:
        turns.append(None)
        return stopped[0] if stopped else None

    with Camera("demo:", True, opener=lambda *_: FakeReader(recorded=True)) as camera:
        loop = StreamLoop(
            ServeConfig(camera="demo:"),
            stop=stop,
            source=camera,
            pose=pose,
            pose_name="hanging",
            recognizer=recognizer,
            output=StreamOutput(publisher, publish_socket, on_message=said.append),
        )
        thread = threading.Thread(target=loop.run)
        thread.start()
        wait_until(lambda: statuses() > 3)  # pose is at its first frame, for no longer than it may be
        monkeypatch.setattr("mar_edge.streaming.capture.pose_worker.STUCK_S", 0.0)
        turned()
        silent_at = statuses()
        turned()
        turned()
        assert statuses() == silent_at
        pose.may_go.set()
        wait_until(lambda: statuses() > silent_at)
        stopped.append("tested")
        thread.join(10)
    assert isinstance(said[-1], EndMessage)
    assert said[-1].reason == "tested"
