"""What a sink is: it takes messages in order and says which of them arrived. Knows no journal and no subscription."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from mar_edge.edge.errors import MarEdgeError
from mar_edge.streaming.choices import Kind


@dataclass(frozen=True)
class Entry:
    """A message on its way.

    position: its place in the journal; later messages have higher ones. body: the message as one JSON document.
    """

    position: int
    stream: str
    run: str
    seq: int
    kind: Kind
    body: bytes

    @property
    def id(self) -> str:
        """The same for each attempt to send the message, and different for every other message."""
        return f"{self.stream}/{self.run}/{self.seq}"


class Unavailable(MarEdgeError):
    """The receiver takes nothing now. The sink must be opened again before the next attempt."""


class Refused(MarEdgeError):
    """The receiver will never take the first message of the batch."""


class Sink(Protocol):
    """A receiver of messages. Used from one thread; ``open`` and ``close`` may be called again and again.

    Attributes:
        kinds: Kinds of messages that it gets unless the user names others.
        batch_size: Most messages of one ``send``.
    """

    kinds: tuple[Kind, ...]
    batch_size: int

    def open(self) -> None:
        """Connect.

        Raises:
            Unavailable: the receiver cannot be reached, or does not let us in.
        """

    def send(self, batch: Sequence[Entry]) -> int:
        """Send messages in their order, and wait until the receiver has them.

        Returns:
            Number of messages, from the first, that arrived; at least one.

        Raises:
            Unavailable: it is not known that any arrived.
            Refused: the first one will never be taken.
        """
        ...

    def close(self) -> None:
        """Disconnect; what was sent and not acknowledged may or may not have arrived."""
