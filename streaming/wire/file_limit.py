"""The limit on open files and connections, and the reserve for parts that must not fail. Opens none itself."""

from __future__ import annotations

import os
import socket
from collections.abc import Collection

try:
    import resource
except ImportError:  # Windows has no such limit
    resource = None  # type: ignore[assignment] # checked below

# For cameras that reconnect, recordings that begin another file, health checks and the page.
RESERVE = 24
_MOST = 65_536


def raise_file_limit() -> None:
    """Raise the soft limit, which is low for the sake of old programs, as far as the system allows."""
    if resource is None:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST if hard == resource.RLIM_INFINITY else min(hard, _MOST)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def spare_descriptors() -> int:
    """Return how many descriptors are free beyond the reserve; negative if the reserve is in use."""
    if resource is None:
        return _MOST
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return _MOST
    try:
        held = len(os.listdir("/dev/fd"))
    except FileNotFoundError:  # not on every system
        return _MOST
    except OSError:  # listing takes a descriptor, and none is left
        return -RESERVE
    return soft - RESERVE - held


def shut_down_connection(descriptor: int, bound: Collection[object]) -> bool:
    """Shut down a connection that a library owns. To the library its peer has disconnected, so it closes it.

    Args:
        descriptor: Of the connection. It may have been reused: only a socket at one of ``bound`` is shut down.
        bound: Ports, or paths of Unix sockets.

    Returns:
        Whether it was shut down.
    """
    try:
        held = socket.socket(fileno=descriptor)
    except OSError:  # closed, or not a socket
        return False
    try:
        name = held.getsockname()
        if (name if isinstance(name, str | bytes) else name[1]) not in bound:
            return False
        held.shutdown(socket.SHUT_RDWR)
    except OSError:  # disconnected meanwhile
        return False
    finally:
        held.detach()
    return True
