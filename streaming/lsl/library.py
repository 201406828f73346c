"""pylsl and the library liblsl that it calls. Loaded only where LSL is used; most services run without."""

from __future__ import annotations

import importlib
import uuid
from typing import Any

from mar_edge.edge.errors import MarEdgeError, MissingExtra

# How long an outlet may take to be found by the machine that opened it.
FIND_S = 5.0


def load_pylsl() -> Any:
    """Return the module pylsl.

    Raises:
        MissingExtra: it is not installed.
        MarEdgeError: liblsl is missing or does not load.
    """
    try:
        return importlib.import_module("pylsl")
    except ImportError:
        raise MissingExtra("pylsl", "lsl") from None
    except RuntimeError as error:  # pylsl found no liblsl, or one that does not load
        raise MarEdgeError(
            f"pylsl cannot load liblsl ({str(error).strip().partition('.')[0]}). Its wheels for Windows, macOS and "
            "Linux on x86-64 with glibc 2.35 contain it. Elsewhere: conda install -c conda-forge liblsl; or name a "
            "library of github.com/sccn/liblsl/releases in PYLSL_LIB"
        ) from None


def resolver_of(pylsl: Any, predicate: str) -> Any:
    """Return a resolver that looks for streams in the background; pylsl itself does not check that it was made.

    Raises:
        RuntimeError: liblsl cannot make one.
    """
    resolver = pylsl.ContinuousResolver(pred=predicate)
    if not resolver.obj:
        raise RuntimeError("no socket to look for streams with")
    return resolver


def describe_lsl() -> str:
    """Send a sample from an outlet of this process to an inlet of it, and return the versions.

    Raises:
        MarEdgeError: pylsl cannot be loaded, or the outlet is not found.
    """
    pylsl = load_pylsl()
    source_id = f"mar-edge-{uuid.uuid4().hex}"
    try:
        outlet = pylsl.StreamOutlet(pylsl.StreamInfo("mar-edge-doctor", "Markers", 1, 0.0, "string", source_id))
        found = pylsl.resolve_byprop("source_id", source_id, timeout=FIND_S)
        if not found:
            raise MarEdgeError(NOT_FOUND)
        inlet = pylsl.StreamInlet(found[0], recover=False)
        inlet.open_stream(timeout=FIND_S)
        outlet.push_sample(["doctor"])
        received, _ = inlet.pull_sample(timeout=FIND_S)
        inlet.close_stream()  # before the outlet, whose end liblsl would report
    except RuntimeError as error:
        raise MarEdgeError(f"liblsl fails: {error}") from None
    if received is None:
        raise MarEdgeError(
            "an LSL outlet was found, but its sample did not arrive: a firewall may block ports 16572-16604"
        )
    version = pylsl.library_version()
    return f"liblsl {version // 100}.{version % 100}, a sample went through an outlet and an inlet of this machine"


NOT_FOUND = (
    "this machine does not find its own LSL outlets: multicast may be blocked; in lsl_api.cfg, name the machines under "
    "[lab] as KnownPeers = {127.0.0.1, ...}"
)
