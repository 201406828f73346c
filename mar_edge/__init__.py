"""mar-edge: live recognition of micro-actions. The public API; each name is imported when it is first used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.2.0"

if TYPE_CHECKING:
    from mar_edge.api.model import Model, load_model
    from mar_edge.api.recognition import recognize
    from mar_edge.api.recognizer import Recognizer
    from mar_edge.api.recordings import Recording, read_recording
    from mar_edge.api.results import Event, LabelScores, Marker, Update
    from mar_edge.api.teaching import teach
    from mar_edge.api.tracks import skeleton_track
    from mar_edge.edge.errors import MarEdgeError
    from mar_edge.streaming.choices import Kind
    from mar_edge.streaming.recording.skeletons import SkeletonTrack
    from mar_edge.streaming.wire.answer_message import AnswerMessage
    from mar_edge.streaming.wire.async_subscriber import AsyncLabelSubscriber
    from mar_edge.streaming.wire.messages import (
        AnyMessage,
        EndMessage,
        EventMessage,
        HelloMessage,
        LabelMessage,
        MarkerMessage,
        SkeletonMessage,
        StatusMessage,
    )
    from mar_edge.streaming.wire.profile_message import ProfileMessage
    from mar_edge.streaming.wire.subscriber import LabelSubscriber
    from mar_edge.streaming.wire.subscription import Gap, Malformed, Notice, Restart, Silence, SubscriberTimeout

_HOMES = {
    "mar_edge.api.model": "Model load_model",
    "mar_edge.api.recognition": "recognize",
    "mar_edge.api.recognizer": "Recognizer",
    "mar_edge.api.recordings": "Recording read_recording",
    "mar_edge.api.results": "Event LabelScores Marker Update",
    "mar_edge.api.teaching": "teach",
    "mar_edge.api.tracks": "skeleton_track",
    "mar_edge.edge.errors": "MarEdgeError",
    "mar_edge.streaming.choices": "Kind",
    "mar_edge.streaming.recording.skeletons": "SkeletonTrack",
    "mar_edge.streaming.wire.answer_message": "AnswerMessage",
    "mar_edge.streaming.wire.async_subscriber": "AsyncLabelSubscriber",
    "mar_edge.streaming.wire.messages": (
        "AnyMessage EndMessage EventMessage HelloMessage LabelMessage MarkerMessage SkeletonMessage StatusMessage"
    ),
    "mar_edge.streaming.wire.profile_message": "ProfileMessage",
    "mar_edge.streaming.wire.subscriber": "LabelSubscriber",
    "mar_edge.streaming.wire.subscription": "Gap Malformed Notice Restart Silence SubscriberTimeout",
}
_HOME = {name: home for home, names in _HOMES.items() for name in names.split()}

__all__ = [
    "AnswerMessage",
    "AnyMessage",
    "AsyncLabelSubscriber",
    "EndMessage",
    "Event",
    "EventMessage",
    "Gap",
    "HelloMessage",
    "Kind",
    "LabelMessage",
    "LabelScores",
    "LabelSubscriber",
    "Malformed",
    "MarEdgeError",
    "Marker",
    "MarkerMessage",
    "Model",
    "Notice",
    "ProfileMessage",
    "Recognizer",
    "Recording",
    "Restart",
    "Silence",
    "SkeletonMessage",
    "SkeletonTrack",
    "StatusMessage",
    "SubscriberTimeout",
    "Update",
    "__version__",
    "load_model",
    "read_recording",
    "recognize",
    "skeleton_track",
    "teach",
]


def __getattr__(name: str) -> Any:
    """Import a public name from where it lives; ``import mar_edge`` alone loads nothing."""
    if name not in _HOME:
        raise AttributeError(f"module 'mar_edge' has no attribute '{name}'")
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
