"""Recordings for the page: their list, their parts, and their events as files. Knows no page."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import msgspec
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from mar_edge.edge.errors import MarEdgeError
from mar_edge.streaming.recognition.activity import ProfileRules
from mar_edge.streaming.recording.reader import recording_files
from mar_edge.streaming.recording.timeline import Timeline, the_only
from mar_edge.streaming.recording.timeline_reader import read_timelines
from mar_edge.view.annotations.formats import FORMATS, format_of
from mar_edge.view.annotations.media import Media, probe
from mar_edge.view.corrections import Change, Coding, StaleVersion
from mar_edge.view.index import IndexedRecording, index_recording
from mar_edge.view.posted import JSON, is_from_page, read_posted
from mar_edge.view.recorded_profiles import RecordedProfiles
from mar_edge.view.videos import Recorded, first_picture_s, names_of, videos_of

_MOST_BODY = 1_000_000
_CHANGE = msgspec.json.Decoder(Change)


class Recordings:
    """The recordings of one review, by number. Each is indexed at its first use. Any thread may call the methods.

    Attributes:
        paths: The files.
        videos: The video of each recording that has one.

    Args:
        paths: Files, or one folder of them.
        media: See ``videos_of``.
        nearby: See ``videos_of``.
        profiles: Window and baseline of activity profiles that are made for the page; None for the defaults.

    Raises:
        MarEdgeError: there is none, or a path is not a file.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        media: Sequence[Path] = (),
        nearby: bool = True,
        profiles: ProfileRules | None = None,
    ) -> None:
        self.paths = recording_files(paths)
        recorded = [Recorded.read(path) for path in self.paths]
        self.videos = videos_of(recorded, media, nearby)
        self._names = names_of(recorded)
        # The page asks for several things at once, and a recording takes long to read.
        self._reading = threading.Lock()
        self._indexed: dict[int, IndexedRecording] = {}
        self._profile_rules = profiles or ProfileRules()
        self._profiles: dict[int, RecordedProfiles] = {}
        self._timelines: dict[int, Timeline] = {}

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
        with self._reading:
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
        with self._reading:
            if number not in self._profiles:
                self._profiles[number] = RecordedProfiles(index.path, self._profile_rules)
        profiles = self._profiles[number].between(*index.span(part))
        return b"[" + b",".join(filter(None, [messages[1:-1], *profiles])) + b"]"

    def coding(self, number: int, coder: str) -> Coding:
        """Return the decisions of a coder about a recording.

        Raises:
            MarEdgeError: there is no such recording, or the file is not a recording.
        """
        path = self.path(number)
        with self._reading:
            if number not in self._timelines:
                self._timelines[number] = the_only(read_timelines([path]), "the page")
        return Coding(path, self._timelines[number], coder)

    def media(self, number: int) -> Media | None:
        """Return the video of a recording for annotation programs; None where there is none that can be read."""
        path = self.path(number)
        with suppress(MarEdgeError):
            return probe(self.videos[path], path.parent) if path in self.videos else None
        return None

    def listing(self) -> bytes:
        """Return the names of the recordings and the formats of their events, as JSON."""
        formats = [{"suffix": each.suffix, "name": each.name} for each in FORMATS]
        return msgspec.json.encode({"names": self._names, "formats": formats})

    def summary(self, number: int) -> bytes:
        """Return the summary of a recording, with its video or null, as JSON.

        ``first_s`` of a video is the media time of its first picture.

        Raises:
            MarEdgeError: see ``get``.
        """
        path = self.videos.get(self.path(number))
        video = None if path is None else {"name": path.name, "first_s": first_picture_s(path)}
        return self.get(number).summary()[:-1] + b"," + msgspec.json.encode({"video": video})[1:]


def review_routes(recordings: Recordings) -> list[BaseRoute]:
    """Return the routes of recordings."""

    async def listing(_: Request) -> Response:
        return Response(recordings.listing(), media_type=JSON)

    async def summary(request: Request) -> Response:
        return await _json_response(lambda: recordings.summary(request.path_params["number"]))

    async def chunk(request: Request) -> Response:
        number, part = request.path_params["number"], request.path_params["part"]
        return await _json_response(lambda: recordings.part(number, part))

    async def events(request: Request) -> Response:
        number, suffix = request.path_params["number"], request.path_params["suffix"]
        try:
            path, kind = recordings.path(number), format_of(f".{suffix}")
            coding = await asyncio.to_thread(lambda: recordings.coding(number, request.query_params.get("coder", "")))
            content = await asyncio.to_thread(lambda: kind.write([coding.corrected()], recordings.media(number)))
        except MarEdgeError as error:
            return PlainTextResponse(f"{error}\n", 404)
        # Recordings have the names of videos, in any script (RFC 6266).
        name = quote(os.fsencode(path.stem + kind.suffix), safe="")
        headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
        return Response(content, media_type=kind.mime_type, headers=headers)

    async def state(request: Request) -> Response:
        number, coder = request.path_params["number"], request.query_params.get("coder", "")
        return await _json_response(lambda: recordings.coding(number, coder).state())

    async def change(request: Request) -> Response:
        if not is_from_page(request):
            return PlainTextResponse("Corrections come from the page, as JSON.\n", 403)
        try:
            wanted = await read_posted(request, _CHANGE, _MOST_BODY, "a change of corrections")
            number = request.path_params["number"]
            coding = await asyncio.to_thread(lambda: recordings.coding(number, wanted.coder))
            await asyncio.to_thread(lambda: coding.change(wanted))
        except MarEdgeError as error:
            return PlainTextResponse(f"{error}\n", 409 if isinstance(error, StaleVersion) else 400)
        return await _json_response(coding.state)

    async def video(request: Request) -> Response:
        try:
            path = recordings.videos.get(recordings.path(request.path_params["number"]))
        except MarEdgeError as error:
            return PlainTextResponse(f"{error}\n", 404)
        if path is None or not path.is_file():
            return PlainTextResponse("This recording has no video.\n", 404)
        # It answers requests for ranges, by which browsers seek. People's pictures do not belong into a cache on disk.
        return FileResponse(path, headers={"Cache-Control": "no-store"})

    return [
        Route("/recordings", listing),
        Route("/recordings/{number:int}/events.{suffix}", events),
        Route("/recordings/{number:int}/corrections", state),
        Route("/recordings/{number:int}/corrections", change, methods=["POST"]),
        Route("/recordings/{number:int}/video", video),
        Route("/recordings/{number:int}", summary),
        Route("/recordings/{number:int}/parts/{part:int}", chunk),
    ]


async def _json_response(make: Callable[[], bytes]) -> Response:
    try:
        return Response(await asyncio.to_thread(make), media_type=JSON)
    except MarEdgeError as error:
        return PlainTextResponse(f"{error}\n", 404)
