from __future__ import annotations

import zmq

from mar_edge.streaming.wire.connection_counter import ConnectionCounter

ACCEPTED, OK, GONE = zmq.EVENT_ACCEPTED, zmq.EVENT_HANDSHAKE_SUCCEEDED, zmq.EVENT_DISCONNECTED
FAILED = zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL


def counts(*events: tuple[int, int]) -> list[int]:
    connections = ConnectionCounter()
    seen = []
    for event, value in events:
        connections.observe(event, value)
        seen.append(connections.count)
    return seen


def test_come_and_gone() -> None:
    assert counts((ACCEPTED, 5), (OK, 0), (ACCEPTED, 6), (OK, 0), (GONE, 5), (GONE, 6)) == [0, 1, 1, 2, 1, 0]


def test_strangers_with_and_without_a_reported_failure() -> None:
    assert counts((ACCEPTED, 5), (FAILED, 1), (GONE, 5), (ACCEPTED, 5), (GONE, 5)) == [0] * 5


def test_a_stranger_beside_a_subscriber_whose_handshakes_overlap() -> None:
    assert counts((ACCEPTED, 5), (ACCEPTED, 6), (OK, 0), (GONE, 6), (GONE, 5)) == [0, 0, 1, 1, 0]


def test_a_wrong_guess_heals_when_the_stranger_goes() -> None:
    assert counts((ACCEPTED, 5), (ACCEPTED, 6), (OK, 0), (GONE, 5), (FAILED, 1), (GONE, 6))[-1] == 0
