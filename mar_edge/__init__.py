"""mar-edge: live recognition of micro-actions. The public API; each name is imported when it is first used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from mar_edge.streaming.choices import Kind
    from mar_edge.streaming.wire.async_subscriber import AsyncLabelSubscriber
    from mar_edge.streaming.wire.messages import (
        AnyMessage,
        EndMessage,
        EventMessage,
        HelloMessage,
        LabelMessage,
        SkeletonMessage,
        StatusMessage,
    )
    from mar_edge.streaming.wire.subscriber import LabelSubscriber
    from mar_edge.streaming.wire.subscription import Gap, Malformed, Notice, Restart, Silence, SubscriberTimeout

_HOMES = {
    "mar_edge.streaming.choices": "Kind",
    "mar_edge.streaming.wire.async_subscriber": "AsyncLabelSubscriber",
    "mar_edge.streaming.wire.messages": (
        "AnyMessage EndMessage EventMessage HelloMessage LabelMessage SkeletonMessage StatusMessage"
    ),
    "mar_edge.streaming.wire.subscriber": "LabelSubscriber",
    "mar_edge.streaming.wire.subscription": "Gap Malformed Notice Restart Silence SubscriberTimeout",
}
_HOME = {name: home for home, names in _HOMES.items() for name in names.split()}

__all__ = [
    "AnyMessage",
    "AsyncLabelSubscriber",
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
    "__version__",
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
