"""Recordings for the page: their list, their parts, and their events as files. Knows no page."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from mar_edge.edge.errors import MarEdgeError
from mar_edge.streaming.recognition.activity import ProfileRules
from mar_edge.streaming.recording.reader import recording_files
from mar_edge.streaming.recording.timeline_reader import read_timelines
from mar_edge.view.annotations.formats import FORMATS, format_of
from mar_edge.view.index import IndexedRecording, index_recording
from mar_edge.view.recorded_profiles import RecordedProfiles

_JSON = "application/json"


class Recordings:
    """The recordings of one review, by number. Each is indexed at its first use.

    Args:
        paths: Files, or one folder of them.
        profiles: Window and baseline of activity profiles that are made for the page; None for the defaults.

    Raises:
        MarEdgeError: there is none, or a path is not a file.
    """

    def __init__(self, paths: Sequence[Path], profiles: ProfileRules | None = None) -> None:
        self.paths = recording_files(paths)
        self._indexed: dict[int, IndexedRecording] = {}
        self._profile_rules = profiles or ProfileRules()
        self._profiles: dict[int, RecordedProfiles] = {}

    def path(self, number: int) -> Path:
        """Return the path of a recording.

        Raises:
            MarEdgeError: there is no such recording.
        """
        if not 0 <= number < len(self.paths):
            raise MarEdgeError(f"there is no recording {number}; there are {len(self.paths)}")
        return self.paths[number]

    def get(self, number: int) -> IndexedRecording:
        """Return the index of a recording.

        Raises:
            MarEdgeError: there is no such recording, or the file is not a recording.
        """
        path = self.path(number)
        if number not in self._indexed:
            self._indexed[number] = index_recording(path)
        return self._indexed[number]

    def part(self, number: int, part: int) -> bytes:
        """Return the messages of one part of a recording, as JSON; with activity profiles, where none were recorded.

        Raises:
            MarEdgeError: see ``get``, or there is no such part.
        """
        index = self.get(number)
        messages = index.chunk(part)
        if index.has_profiles:
            return messages
        if number not in self._profiles:
            self._profiles[number] = RecordedProfiles(index.path, self._profile_rules)
        profiles = self._profiles[number].between(*index.span(part))
        return b"[" + b",".join(filter(None, [messages[1:-1], *profiles])) + b"]"

    def listing(self) -> bytes:
        """Return the names of the recordings and the formats of their events, as JSON."""
        formats = [{"suffix": each.suffix, "name": each.name} for each in FORMATS]
        return msgspec.json.encode({"names": [path.name for path in self.paths], "formats": formats})


def review_routes(recordings: Recordings) -> list[BaseRoute]:
    """Return the routes of recordings."""

    async def listing(_: Request) -> Response:
        return Response(recordings.listing(), media_type=_JSON)

    async def summary(request: Request) -> Response:
        return await _json_response(lambda: recordings.get(request.path_params["number"]).summary())

    async def chunk(request: Request) -> Response:
        number, part = request.path_params["number"], request.path_params["part"]
        return await _json_response(lambda: recordings.part(number, part))

    async def events(request: Request) -> Response:
        number, suffix = request.path_params["number"], request.path_params["suffix"]
        try:
            path, kind = recordings.path(number), format_of(f".{suffix}")
            content = await asyncio.to_thread(lambda: kind.write(read_timelines([path]), None))
        except MarEdgeError as error:
            return PlainTextResponse(f"{error}\n", 404)
        # Streams and recordings have plain names; other characters of a file name stay out of the header.
        name = re.sub(r"[^A-Za-z0-9_.-]", "_", path.stem) + kind.suffix
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(content, media_type=kind.mime_type, headers=headers)

    return [
        Route("/recordings", listing),
        Route("/recordings/{number:int}/events.{suffix}", events),
        Route("/recordings/{number:int}", summary),
        Route("/recordings/{number:int}/parts/{part:int}", chunk),
    ]


async def _json_response(make: Callable[[], bytes]) -> Response:
    try:
        return Response(await asyncio.to_thread(make), media_type=_JSON)
    except MarEdgeError as error:
        return PlainTextResponse(f"{error}\n", 404)
