"""The ROS 2 node with a stand-in for rclpy and a real sender. ROS 2 itself is not run here."""

from __future__ import annotations

import importlib.util
import os
import signal
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import msgspec
import prepared_folder
import pytest
import recorded_runs

NODE = Path(__file__).parents[2] / "deploy" / "ros2" / "mar_edge_node.py"
SENT = [message for message in recorded_runs.two_people().messages if message.kind in ("event", "skeleton")]


class Ros:
    """What a node did. A topic ends the process's node with SIGTERM after ``most`` messages of all topics together."""

    def __init__(self) -> None:
        self.parameters: dict[str, Any] = {}
        self.topics: defaultdict[str, list[str]] = defaultdict(list)
        self.logged: list[tuple[str, str]] = []
        self.ended: list[str] = []
        self.most = len(SENT)

    def node(self, name: str) -> SimpleNamespace:
        def log(level: str) -> Any:
            return lambda text: self.logged.append((level, text))

        return SimpleNamespace(
            name=name,
            declare_parameter=lambda key, default: SimpleNamespace(value=self.parameters.get(key, default)),
            get_logger=lambda: SimpleNamespace(info=log("info"), warning=log("warning"), fatal=log("fatal")),
            create_publisher=lambda _type, topic, _queue: SimpleNamespace(publish=lambda m: self.take(topic, m.data)),
            destroy_node=lambda: self.ended.append("node"),
        )

    def take(self, topic: str, data: str) -> None:
        self.topics[topic].append(data)
        if sum(map(len, self.topics.values())) == self.most:
            os.kill(os.getpid(), signal.SIGTERM)


@pytest.fixture
def ros(monkeypatch: pytest.MonkeyPatch) -> Ros:
    ros = Ros()
    stand_ins = {
        "rclpy": {
            "init": lambda **_: None,
            "shutdown": lambda: ros.ended.append("context"),
            "spin_once": lambda *_, **__: None,
        },
        "rclpy.node": {"Node": ros.node},
        "rclpy.signals": {"SignalHandlerOptions": SimpleNamespace(NO=0)},
        "std_msgs": {},
        "std_msgs.msg": {"String": SimpleNamespace},
    }
    for name, members in stand_ins.items():
        module = ModuleType(name)
        vars(module).update(members)
        monkeypatch.setitem(sys.modules, name, module)
    return ros


@pytest.fixture
def sender(tmp_path: Path) -> Iterator[str]:
    with prepared_folder.sender(tmp_path / "sender.ipc"):
        yield f"ipc://{tmp_path / 'sender.ipc'}"


def run() -> int:
    spec = importlib.util.spec_from_file_location("mar_edge_node", NODE)
    assert spec is not None
    assert spec.loader is not None
    node = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(node)
    status: int = node.main()
    return status


@pytest.mark.skipif(os.name != "posix", reason="ipc:// addresses need a POSIX system")
def test_each_kind_has_its_topic_of_json_and_sigterm_ends_the_node(ros: Ros, sender: str) -> None:
    ros.parameters = {"connect": sender, "prefix": "/lab/actions"}
    assert run() == 0
    assert set(ros.topics) == {"/lab/actions/event", "/lab/actions/skeleton"}
    for kind in ("event", "skeleton"):
        wanted = [msgspec.json.encode(message) for message in SENT if message.kind == kind]
        assert [data.encode() for data in ros.topics[f"/lab/actions/{kind}"]] == wanted
    assert ros.ended == ["node", "context"]
    assert not [text for level, text in ros.logged if level == "warning"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [({"kinds": ["evnt"]}, "did you mean"), ({"connect": "nowhere"}, "nowhere"), ({"key": "a"}, "go together")],
)
def test_a_wrong_parameter_ends_the_node_with_one_line(ros: Ros, wrong: dict[str, Any], said: str) -> None:
    ros.parameters = wrong
    assert run() == 1
    ((level, text),) = ros.logged
    assert level == "fatal"
    assert said in text
    assert ros.ended == ["node", "context"]
