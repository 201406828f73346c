"""Home Assistant's view of a stream: entities that appear by themselves, and their states. Knows no broker.

Topics and fields: https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery. All publications are retained.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timezone

import msgspec

from mar_edge import __version__
from mar_edge.edge.labels import BACKGROUND_BODY
from mar_edge.streaming.wire.messages import STATUS_PERIOD_S, AnyMessage, EndMessage, EventMessage, StatusMessage

ROOT = "mar-edge"
ONLINE, OFFLINE = b"online", b"offline"
# A sender that missed this many status messages says nothing of who is there.
_EXPIRES_S = 10 * int(STATUS_PERIOD_S)


@dataclass(frozen=True)
class Publication:
    """What a topic holds."""

    topic: str
    payload: bytes


class HomeAssistant:
    """Entities and states of the streams of one box.

    Args:
        box: name of the box.
        prefix: discovery prefix of Home Assistant.
    """

    def __init__(self, box: str, prefix: str = "homeassistant") -> None:
        self.availability_topic = f"{ROOT}/{box}/availability"
        self._box, self._prefix = box, prefix
        self._discovered: set[str] = set()
        self._last_event: dict[str, tuple[str, int]] = {}

    def publications(self, message: AnyMessage) -> list[Publication]:
        """Return what a message changes; with the first of a stream, its entities too."""
        found = []
        if message.stream not in self._discovered:
            self._discovered.add(message.stream)
            found += self._entities(message.stream)
        topic = f"{ROOT}/{self._box}/{message.stream}"
        match message:
            case EventMessage():
                if self._is_newest(message):
                    found.append(Publication(f"{topic}/action", msgspec.json.encode(_action(message))))
            case StatusMessage():
                live = message.camera == "live"
                presence = {"presence": "ON" if live and message.people else "OFF", "people": message.people}
                found.append(Publication(f"{topic}/presence", msgspec.json.encode(presence)))
                found.append(Publication(f"{topic}/availability", ONLINE if live else OFFLINE))
            case EndMessage():
                found.append(Publication(f"{topic}/availability", OFFLINE))
        return found

    def _is_newest(self, event: EventMessage) -> bool:
        """Return whether no later event began; actions of several body groups overlap."""
        run, event_id = self._last_event.get(event.stream, ("", -1))
        if run == event.run and event.event_id < event_id:
            return False
        self._last_event[event.stream] = event.run, event.event_id
        return True

    def _entities(self, stream: str) -> list[Publication]:
        topic = f"{ROOT}/{self._box}/{stream}"
        action: dict[str, object] = {
            "state_topic": f"{topic}/action",
            "json_attributes_topic": f"{topic}/action",
        }
        presence = {
            "state_topic": f"{topic}/presence",
            "value_template": _value("presence"),
            "json_attributes_topic": f"{topic}/presence",
            "device_class": "occupancy",
            "expire_after": _EXPIRES_S,
        }
        return [
            self._entity(stream, "sensor", "action", "Last action", action | {"value_template": _value("action")}),
            self._entity(stream, "sensor", "body", "Body group", action | {"value_template": _value("body")}),
            self._entity(stream, "binary_sensor", "presence", "Presence", presence),
        ]

    def _entity(self, stream: str, component: str, what: str, name: str, fields: dict[str, object]) -> Publication:
        unique_id = f"{ROOT}_{self._box}_{stream}_{what}"
        object_id = re.sub(r"[^a-zA-Z0-9_-]", "_", unique_id)
        payload = {
            "name": name,
            "unique_id": unique_id,
            "availability": [
                {"topic": self.availability_topic},
                {"topic": f"{ROOT}/{self._box}/{stream}/availability"},
            ],
            "availability_mode": "all",
            "device": {
                "identifiers": [f"{ROOT}_{self._box}_{stream}"],
                "name": f"{stream} on {self._box}",
                "manufacturer": ROOT,
                "sw_version": __version__,
            },
            "origin": {"name": ROOT, "sw_version": __version__},
            **fields,
        }
        return Publication(f"{self._prefix}/{component}/{object_id}/config", msgspec.json.encode(payload))


def _value(field: str) -> str:
    return f"{{{{ value_json.{field} }}}}"


def _action(event: EventMessage) -> dict[str, object]:
    return {
        "action": event.label.name,
        "body": event.label.body or BACKGROUND_BODY,
        "person": event.person,
        "phase": event.phase,
        "score": round(event.score, 3),
        "onset": _date(event.t_start_ns),
        "offset": None if event.t_end_ns is None else _date(event.t_end_ns),
    }


def _date(time_ns: int) -> str:
    return datetime.fromtimestamp(time_ns / 1e9, timezone.utc).isoformat(timespec="milliseconds")
