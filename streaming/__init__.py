"""mar-edge's live side: camera to labels (``streaming.service``), and how to receive them (``LabelSubscriber``)."""

from streaming.client import Gap, LabelSubscriber, Malformed, Notice, Restart, Silence, SubscriberTimeout
from streaming.messages import (
    AnyMessage,
    EndMessage,
    EventMessage,
    HelloMessage,
    Kind,
    LabelMessage,
    SkeletonMessage,
    StatusMessage,
)

__all__ = [
    "AnyMessage",
    "EndMessage",
    "EventMessage",
    "Gap",
    "HelloMessage",
    "Kind",
    "LabelMessage",
    "LabelSubscriber",
    "Malformed",
    "Notice",
    "Restart",
    "Silence",
    "SkeletonMessage",
    "StatusMessage",
    "SubscriberTimeout",
]
