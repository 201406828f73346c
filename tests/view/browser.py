"""A page in headless Chromium, with its errors."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mar_edge.view.app import page_app
from mar_edge.view.feed import Feed
from mar_edge.view.review import Recordings, review_routes
from mar_edge.view.server import PageServer

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
# For a busy machine.
PATIENCE_MS = 90_000
# A checksum of the canvas.
PIXELS = """() => {
  const canvas = document.getElementById("canvas");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let sum = 0;
  for (let i = 0; i < data.length; i += 4) sum = (sum * 31 + data[i] + data[i + 1] * 3 + data[i + 2] * 7) % 1e9;
  return sum;
}"""


class Seen:
    """A page, with the errors on its console and its requests to other hosts."""

    def __init__(self, page: Any, place: str) -> None:
        self.page = page
        self.errors: list[str] = []
        self.foreign: list[str] = []
        page.set_default_timeout(PATIENCE_MS)
        page.on("console", lambda said: self.errors.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda asked: None if f"//{place}/" in asked.url else self.foreign.append(asked.url))

    def until(self, expression: str, argument: object = None) -> None:
        self.page.wait_for_function(expression, arg=argument)

    def says(self, element: str, text: str) -> None:
        self.until("([id, text]) => document.getElementById(id).textContent.includes(text)", [element, text])


@contextmanager
def opened(chromium: Any, url: str, **options: Any) -> Iterator[Seen]:
    page = chromium.new_page(**options)
    seen = Seen(page, url.split("/")[2])
    page.goto(url)
    yield seen
    page.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def page_of(feed: Feed, address: str) -> Iterator[str]:
    with PageServer(address, None, lambda access: page_app(access, feed)) as server:
        yield server.url


@contextmanager
def review_of(paths: Sequence[Path]) -> Iterator[str]:
    routes = review_routes(Recordings(paths))
    with PageServer("127.0.0.1:*", None, lambda access: page_app(access, None, routes=routes)) as server:
        yield server.url
