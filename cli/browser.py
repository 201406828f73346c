"""Open a page in the user's browser."""

from __future__ import annotations

import os
import sys
import threading


def has_screen() -> bool:
    """Return whether a browser that is opened here can be seen."""
    if os.environ.get("BROWSER"):
        return True
    if sys.platform in ("darwin", "win32"):
        return "SSH_CONNECTION" not in os.environ
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def open_page(url: str) -> threading.Thread:
    """Open the user's browser, on a thread: some browsers block their caller."""
    import webbrowser

    opening = threading.Thread(target=webbrowser.open, args=(url,), name="browser", daemon=True)
    opening.start()
    return opening
