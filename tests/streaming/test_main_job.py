"""The main job as a user runs it: pixels in, the model in the package, labels from a real subscriber."""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from mar_edge import AnyMessage, EndMessage, EventMessage, HelloMessage, LabelMessage, LabelSubscriber, StatusMessage
from mar_edge.streaming.capture.demo import DemoVideo


def served(camera: str, address: str, *options: str) -> list[AnyMessage]:
    """Return every message of ``mar-edge serve`` over one recorded source, as a subscriber gets them."""
    command = [sys.executable, "-m", "mar_edge", "serve", "--camera", camera, "--bind", address]
    command += ["--wait-subscribers", "1", "--top-k", "99", "--quiet", *options]
    with (
        LabelSubscriber(address, timeout_s=120, until_end=True) as subscriber,
        subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as server,
    ):
        messages = list(subscriber)
        _, errors = server.communicate(timeout=30)
    assert server.returncode == 0, errors
    assert subscriber.lost == subscriber.malformed == 0
    return messages


def mean_scores(messages: list[AnyMessage]) -> dict[str, float]:
    """Label name -> mean probability over all label messages."""
    sums: dict[str, float] = defaultdict(float)
    labels = [m for m in messages if isinstance(m, LabelMessage)]
    for message in labels:
        for label in message.top:
            sums[label.name] += label.score / len(labels)
    return sums


@pytest.mark.parametrize("action", ["nodding", "turning around"])
def test_the_true_label_of_a_real_clip_is_among_the_top_five(action, shared, tmp_path: Path):
    messages = served(str(shared(f"clips/{action.replace(' ', '_')}.mp4")), f"ipc://{tmp_path}/wire")
    assert {type(m) for m in messages} >= {HelloMessage, LabelMessage, StatusMessage, EndMessage}
    assert [m.seq for m in messages] == list(range(messages[0].seq, messages[0].seq + len(messages)))
    ranked = sorted(mean_scores(messages).items(), key=lambda item: -item[1])
    assert action in [name for name, _ in ranked[:5]], ranked


@pytest.mark.slow
def test_the_actions_of_the_demo_are_events(tmp_path: Path):
    # Each scripted action overlaps an event of its name; one miss is allowed, since pose and model are not exact.
    messages = served("demo:", f"ipc://{tmp_path}/wire")
    hello = next(m for m in messages if isinstance(m, HelloMessage))
    ended = [m for m in messages if isinstance(m, EventMessage) and m.phase == "end"]
    script = DemoVideo().script

    def recognised(label: str, start_s: float, end_s: float) -> bool:
        return any(
            event.label.name == label
            and (event.t_start_ns - hello.t_zero_ns) / 1e9 < end_s
            and event.t_end_ns is not None
            and (event.t_end_ns - hello.t_zero_ns) / 1e9 > start_s
            for event in ended
        )

    missed = [s.label for s in script if not recognised(s.label, s.start_s, s.end_s)]
    assert len(missed) <= 1, missed
