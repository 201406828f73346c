"""A process that may open few files accepts as many subscribers as it can, and keeps a reserve for itself."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from streaming_fakes import open_files, polled, publishing

from mar_edge.streaming.wire.file_limit import RESERVE, raise_file_limit, spare_descriptors

resource = pytest.importorskip("resource")
ROOM, CROWDED = 15, 40

CROWD = """
import resource, sys, zmq
_, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
context = zmq.Context()
context.set(zmq.MAX_SOCKETS, 200)
poller = zmq.Poller()
poller.register(sys.stdin, zmq.POLLIN)
for _ in range(int(sys.argv[2])):
    socket = context.socket(zmq.SUB)
    socket.linger = 0
    socket.subscribe(b"mar/")
    socket.connect(sys.argv[1])
    poller.register(socket, zmq.POLLIN)
while sys.stdin not in (came := dict(poller.poll())) and sys.stdin.fileno() not in came:
    for socket in came:
        socket.recv_multipart()
context.destroy(linger=0)
"""


@pytest.fixture
def limits() -> Iterator[tuple[int, int]]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield before
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def reserve_is_free() -> bool:
    """Return whether cameras and recordings can open files. Subscribers may fill the reserve between two polls."""
    with ExitStack() as files:
        try:
            for _ in range(RESERVE // 2):
                files.enter_context(open(os.devnull))
        except OSError:
            return False
    return True


def test_many_subscribers_leave_a_reserve_of_descriptors(limits: tuple[int, int]) -> None:
    with publishing() as (_, publish_socket):
        resource.setrlimit(resource.RLIMIT_NOFILE, (open_files() + RESERVE + ROOM, limits[1]))
        command = [sys.executable, "-c", CROWD, publish_socket.endpoints[0], str(CROWDED)]
        with subprocess.Popen(command, stdin=subprocess.PIPE) as crowd:
            polled(
                publish_socket,
                lambda: (
                    publish_socket.shed > CROWDED - ROOM
                    and 5 < publish_socket.subscribers <= ROOM
                    and reserve_is_free()
                ),
            )
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
            polled(
                publish_socket,
                lambda: publish_socket.subscribers == CROWDED and publish_socket.subscriptions >= CROWDED,
            )
            crowd.communicate(timeout=30)


def test_the_limit_is_raised_as_far_as_the_system_allows(limits: tuple[int, int]) -> None:
    soft = open_files() + RESERVE // 2
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, limits[1]))
    assert spare_descriptors() < 0
    raise_file_limit()
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == min(limits[1], 65_536)
    assert spare_descriptors() > 0
