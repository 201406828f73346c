"""The bridge, a real mosquitto, and what Home Assistant would see."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from brokers import END, EVENT, STATUS, Broker, event, mosquitto, numbered, wait_until

from mar_edge.bridge.bridge import Bridge
from mar_edge.bridge.home_assistant import HomeAssistant
from mar_edge.bridge.journal import Journal
from mar_edge.bridge.selection import Selection
from mar_edge.bridge.sinks.mqtt import MqttSink
from mar_edge.bridge.target import parse_target
from mar_edge.streaming.capture.backoff import Backoff
from mar_edge.streaming.wire.messages import StatusMessage

paho = pytest.importorskip("paho.mqtt.client", reason="paho-mqtt is not installed")

# Fields of https://www.home-assistant.io/integrations/sensor.mqtt and binary_sensor.mqtt that both have, with types.
COMMON = {
    "availability": list, "availability_mode": str, "availability_template": str, "availability_topic": str,
    "default_entity_id": str, "device": dict, "device_class": str, "enabled_by_default": bool, "encoding": str,
    "entity_category": str, "entity_picture": str, "expire_after": int, "force_update": bool, "icon": str,
    "json_attributes_template": str, "json_attributes_topic": str, "name": str, "origin": dict,
    "payload_available": str, "payload_not_available": str, "platform": str, "qos": int, "state_topic": str,
    "unique_id": str, "value_template": str,
}  # fmt: skip
FIELDS = {
    "sensor": COMMON
    | {
        "last_reset_value_template": str,
        "options": list,
        "state_class": str,
        "suggested_display_precision": int,
        "unit_of_measurement": str,
    },
    "binary_sensor": COMMON | {"off_delay": int, "payload_off": str, "payload_on": str},
}
DEVICE = {
    "configuration_url", "connections", "hw_version", "identifiers", "manufacturer", "model", "model_id", "name",
    "serial_number", "suggested_area", "sw_version", "via_device",
}  # fmt: skip
ORIGIN = {"name", "sw_version", "support_url"}


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    broker = mosquitto(tmp_path)
    broker.start()
    yield broker
    broker.kill()


class Listener:
    """A client that keeps what it receives: ``states`` by topic, ``messages`` of the raw topics in order."""

    def __init__(self, broker: Broker) -> None:
        self.states: dict[str, bytes] = {}
        self.messages: list[int] = []
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2)
        self._ready = threading.Event()
        self._client.on_message = self._take
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.connect("127.0.0.1", broker.port)
        self._client.subscribe([("mar-edge/#", 1), ("homeassistant/#", 1)])
        self._client.loop_start()
        assert self._ready.wait(20)

    def _take(self, _client: Any, _data: Any, message: Any) -> None:
        self.states[message.topic] = message.payload
        if message.topic.endswith("/event"):
            self.messages.append(json.loads(message.payload)["seq"])

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def bridge(journal: Journal, broker: Broker) -> Bridge:
    sink = MqttSink(parse_target(f"mqtt://127.0.0.1:{broker.port}", "lab"))
    return Bridge(Selection(), journal, sink, Backoff(first_s=0.05, most_s=0.2))


def test_a_subscriber_sees_entities_states_and_availability(broker: Broker, tmp_path: Path) -> None:
    early = Listener(broker)
    with Journal(tmp_path / "journal", 1 << 20) as journal:
        with bridge(journal, broker) as running:
            for seq, message in enumerate((EVENT, STATUS)):
                journal.add(numbered(message, seq))
            running.drain(lambda: False)
            late = Listener(broker)
            wait_until(lambda: len(late.states) == 7)  # three entities, two states, two kinds of availability
            assert late.states["mar-edge/lab/availability"] == b"online"
            assert late.states["mar-edge/lab/cam/availability"] == b"online"
            assert json.loads(late.states["mar-edge/lab/cam/presence"]) == {"presence": "ON", "people": 1}
            action = json.loads(late.states["mar-edge/lab/cam/action"])
            assert (action["action"], action["body"], action["phase"]) == ("nodding", "head", "begin")
            assert sum(topic.startswith("homeassistant/") for topic in late.states) == 3
            assert "mar-edge/lab/cam/event" not in late.states  # messages are not retained, states are
        wait_until(lambda: early.states.get("mar-edge/lab/availability") == b"offline")
        assert early.messages == [0]
    early.close()
    late.close()


def test_the_last_will_says_that_the_box_is_gone(broker: Broker) -> None:
    listener = Listener(broker)
    sink = MqttSink(parse_target(f"mqtt://127.0.0.1:{broker.port}", "lab"))
    sink.open()
    wait_until(lambda: listener.states.get("mar-edge/lab/availability") == b"online")
    assert sink._client is not None
    sink._client.socket().close()  # as when the process dies
    wait_until(lambda: listener.states.get("mar-edge/lab/availability") == b"offline")
    sink.close()
    listener.close()


def test_a_killed_broker_gets_everything_in_order_and_the_states_again(broker: Broker, tmp_path: Path) -> None:
    with Journal(tmp_path / "journal", 1 << 20) as journal, bridge(journal, broker) as running:
        for seq in range(300):
            journal.add(numbered(event(seq), seq))
        wait_until(lambda: running.sent > 0)
        broker.kill()
        sent = running.sent
        for seq in range(300, 600):
            journal.add(numbered(event(seq), seq))
        broker.start()
        listener = Listener(broker)
        running.drain(lambda: False)
        wait_until(lambda: listener.messages and listener.messages[-1] == 599)
        wait_until(lambda: "mar-edge/lab/cam/action" in listener.states)
        wait_until(lambda: sum(topic.startswith("homeassistant/") for topic in listener.states) == 3)
        # It listens a moment later than the bridge may: what it heard has no gap and is in order.
        assert listener.messages == sorted(set(listener.messages))
        assert listener.messages == list(range(listener.messages[0], 600))
        assert running.sent == 600
        assert sent < 600
        listener.close()


def test_discovery_follows_the_documented_schema() -> None:
    home = HomeAssistant("lab")
    found = home.publications(numbered(STATUS, 0, stream="cam.1"))
    configs = [each for each in found if each.topic.startswith("homeassistant/")]
    assert len(configs) == 3
    unique = set()
    for config in configs:
        _, component, object_id, last = config.topic.split("/")
        payload = json.loads(config.payload)
        assert (last, set(object_id) <= set("abcdefghijklmnopqrstuvwxyz0123456789_-")) == ("config", True)
        assert {name: type(value) for name, value in payload.items()}.items() <= FIELDS[component].items()
        assert set(payload["device"]) <= DEVICE
        assert payload["device"]["identifiers"]
        assert set(payload["origin"]) <= ORIGIN
        assert payload["origin"]["name"]
        assert payload["availability_mode"] in ("all", "any", "latest")
        assert all(set(each) == {"topic"} for each in payload["availability"])
        unique.add(payload["unique_id"])
    assert len(unique) == 3
    assert not [each for each in home.publications(numbered(STATUS, 1, stream="cam.1")) if "config" in each.topic]


def test_states_follow_the_camera_and_the_newest_event() -> None:
    home = HomeAssistant("lab")

    def states(message: Any) -> dict[str, Any]:
        found = home.publications(numbered(message, 0))
        return {each.topic.rpartition("/")[2]: each.payload for each in found if each.topic.startswith("mar-edge/")}

    assert json.loads(states(event(5))["action"])["phase"] == "begin"
    assert not states(event(4, phase="end", t_end_ns=2))
    assert json.loads(states(event(5, phase="end", t_end_ns=2))["action"])["offset"] == "1970-01-01T00:00:00.000+00:00"
    assert isinstance(STATUS, StatusMessage)
    lost = states(msgspec.structs.replace(STATUS, camera="lost"))
    assert lost["availability"] == b"offline"
    assert json.loads(lost["presence"])["presence"] == "OFF"
    assert states(STATUS)["availability"] == b"online"
    assert states(END)["availability"] == b"offline"
