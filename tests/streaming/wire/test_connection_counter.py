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


def test_connections_are_counted_and_uncounted() -> None:
    assert counts((ACCEPTED, 5), (OK, 0), (ACCEPTED, 6), (OK, 0), (GONE, 5), (GONE, 6)) == [0, 1, 1, 2, 1, 0]


def test_failed_handshakes_are_not_counted_whether_or_not_they_are_reported() -> None:
    assert counts((ACCEPTED, 5), (FAILED, 1), (GONE, 5), (ACCEPTED, 5), (GONE, 5)) == [0] * 5


def test_a_failed_handshake_that_overlaps_a_successful_one() -> None:
    assert counts((ACCEPTED, 5), (ACCEPTED, 6), (OK, 0), (GONE, 6), (GONE, 5)) == [0, 0, 1, 1, 0]


def test_a_wrong_count_is_corrected_when_the_failed_connection_ends() -> None:
    assert counts((ACCEPTED, 5), (ACCEPTED, 6), (OK, 0), (GONE, 5), (FAILED, 1), (GONE, 6))[-1] == 0
