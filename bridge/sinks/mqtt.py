"""MQTT, QoS 1: each message under ``mar-edge/BOX/STREAM/KIND``, and retained states for Home Assistant.

QoS 1 is "at least once": after a broken connection, a broker may have a message twice. Its stream, run and seq tell.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from mar_edge.bridge.failures import check_login, explained, hung_up
from mar_edge.bridge.home_assistant import OFFLINE, ONLINE, ROOT, HomeAssistant
from mar_edge.bridge.sinks.base import Entry, Unavailable
from mar_edge.bridge.target import Target
from mar_edge.edge.errors import MissingExtra
from mar_edge.streaming.choices import Kind
from mar_edge.streaming.wire.encoding import decode
from mar_edge.streaming.wire.messages import UnknownMessage

if TYPE_CHECKING:
    from paho.mqtt.client import Client, MQTTMessageInfo

_ANSWER_S = 10.0
_KEEPALIVE_S = 30
_LOOK_S = 0.1
# Bad user name or password, and not authorized.
_NO_ENTRY = frozenset({134, 135})


class MqttSink:
    """Messages to an MQTT broker (see ``Sink``). The path of its URL is Home Assistant's discovery prefix.

    Raises:
        MissingExtra: paho-mqtt is not installed.
    """

    kinds: tuple[Kind, ...] = ("hello", "event", "marker", "status", "end")
    batch_size = 100

    def __init__(self, target: Target) -> None:
        try:
            import paho.mqtt.client  # noqa: F401 - asked for before anything runs
        except ImportError:
            raise MissingExtra("paho-mqtt", "mqtt") from None
        self._target = target
        self._home = HomeAssistant(target.box, target.path.strip("/") or "homeassistant")
        # Sent again to each new connection: a broker may have lost them.
        self._retained: dict[str, bytes] = {}
        self._client: Client | None = None
        self._answered = threading.Event()
        self._refusal: str | None = None

    def open(self) -> None:
        """Connect, and publish what is retained."""
        from paho.mqtt.client import Client
        from paho.mqtt.enums import CallbackAPIVersion

        client = Client(CallbackAPIVersion.VERSION2, f"{ROOT}-{self._target.box}", reconnect_on_failure=False)
        if self._target.user is not None:
            client.username_pw_set(self._target.user, self._target.password)
        if self._target.tls is not None:
            client.tls_set_context(self._target.tls)
        client.will_set(self._home.availability_topic, OFFLINE, qos=1, retain=True)
        client.on_connect = self._notice_answer
        client.on_disconnect = self._notice_end
        self._answered.clear()
        try:
            client.connect(self._target.host, self._target.port, _KEEPALIVE_S)
        except OSError as error:
            raise self._unavailable(explained(error, self._target)) from None
        client.loop_start()
        self._client = client
        if not self._answered.wait(_ANSWER_S):
            raise self._unavailable("no answer")
        if self._refusal is not None:
            raise self._unavailable(self._refusal)
        retained = {self._home.availability_topic: ONLINE, **self._retained}
        self._wait([client.publish(topic, payload, qos=1, retain=True) for topic, payload in retained.items()])

    def _notice_answer(self, _client: Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        self._refusal = None
        if reason.is_failure:
            self._refusal = str(reason) + (f"; {check_login(self._target)}" if reason.value in _NO_ENTRY else "")
        self._answered.set()

    def _notice_end(self, *_: Any) -> None:
        if not self._answered.is_set():
            self._refusal = hung_up(self._target)
            self._answered.set()

    def send(self, batch: Sequence[Entry]) -> int:
        """Publish a batch, then wait for the acknowledgments."""
        assert self._client is not None
        waiting = []
        for entry in batch:
            topic = f"{ROOT}/{self._target.box}/{entry.stream}/{entry.kind}"
            waiting.append(self._client.publish(topic, entry.body, qos=1))
            message = decode(entry.body)
            assert not isinstance(message, UnknownMessage)  # the journal holds known kinds only
            for state in self._home.publications(message):
                self._retained[state.topic] = state.payload
                waiting.append(self._client.publish(state.topic, state.payload, qos=1, retain=True))
        self._wait(waiting)
        return len(batch)

    def _wait(self, waiting: list[MQTTMessageInfo]) -> None:
        assert self._client is not None
        until_s = time.monotonic() + _ANSWER_S
        try:
            for each in waiting:
                while not each.is_published():
                    if not self._client.is_connected():
                        raise self._unavailable("the connection ended")
                    if time.monotonic() > until_s:
                        raise self._unavailable("no acknowledgment")
                    each.wait_for_publish(_LOOK_S)
        except (RuntimeError, ValueError) as error:  # what the client says of a message that it cannot send
            raise self._unavailable(str(error)) from None

    def _unavailable(self, why: str) -> Unavailable:
        return Unavailable(f"MQTT at {self._target.shown}: {why}")

    def close(self) -> None:
        """Say that the box is offline, and disconnect."""
        if self._client is None:
            return
        if self._client.is_connected():
            with suppress(Unavailable):  # the broker publishes it itself
                self._wait([self._client.publish(self._home.availability_topic, OFFLINE, qos=1, retain=True)])
        self._client.disconnect()
        self._client.loop_stop()
        self._client = None
