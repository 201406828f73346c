"""How many files and connections the process may hold open, and what is kept of them for what must not fail."""

from __future__ import annotations

import os
import socket
from collections.abc import Collection

try:
    import resource
except ImportError:  # Windows has no such limit
    resource = None  # type: ignore[assignment] # asked for below

# For cameras that are opened again, recordings that go on in another file, health and the page.
RESERVE = 24
_MOST = 65_536


def raise_file_limit() -> None:
    """Take as many as the system lets this user have; it begins with few, for the sake of old programs."""
    if resource is None:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST if hard == resource.RLIM_INFINITY else min(hard, _MOST)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def room() -> int:
    """How many more may be opened for others before the reserve is touched; negative where it is already."""
    if resource is None:
        return _MOST
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return _MOST
    try:
        held = len(os.listdir("/dev/fd"))
    except FileNotFoundError:  # a system without it
        return _MOST
    except OSError:  # it takes one to look
        return -RESERVE
    return soft - RESERVE - held


def shut_down_connection(connection: int, ends: Collection[object]) -> bool:
    """End a connection that a library holds: the library sees its peer go, and closes it.

    Args:
        connection: its descriptor. It may be another one's by now: only a socket at one of ``ends`` is ended.
        ends: ports, or paths of Unix sockets.

    Returns:
        Whether it was ended.
    """
    try:
        held = socket.socket(fileno=connection)
    except OSError:  # it is closed, or no socket
        return False
    try:
        name = held.getsockname()
        if (name if isinstance(name, str | bytes) else name[1]) not in ends:
            return False
        held.shutdown(socket.SHUT_RDWR)
    except OSError:  # it has just gone by itself
        return False
    finally:
        held.detach()
    return True
