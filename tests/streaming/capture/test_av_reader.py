"""Video as files and cameras really hold it: rotated, resized, recolored, paused and damaged video."""

from __future__ import annotations

import itertools
import random
import struct
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from streaming_fakes import numbered_image, read_number, write_video

from mar_edge.edge.errors import MarEdgeError
from mar_edge.streaming.capture.av_reader import AvReader, rotated
from mar_edge.streaming.capture.camera import Camera
from mar_edge.streaming.capture.frames import Frame
from mar_edge.streaming.capture.sources import parse_source

Shared = Callable[[str], Path]
# Chroma subsampling of JPEG, by OpenCV's factors; None is gray.
COLORS = {"4:4:4": 0x111111, "4:2:0": 0x221111, "4:2:2": 0x211111, "4:1:1": 0x411111, "4:4:0": 0x121111, "gray": None}


def reader_of(path: Path) -> AvReader:
    return AvReader(parse_source(str(path)), 5.0, 5.0)


def frames_of(path: Path) -> tuple[list[Frame], Camera]:
    frames = []
    with Camera(str(path)) as camera:
        camera.start()
        while not camera.ended:
            if frame := camera.read(1.0):
                frames.append(frame)
    return frames, camera


def jpeg(image: NDArray[np.uint8], color: str) -> bytes:
    factor = COLORS[color]
    if factor is None:
        return cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_BGR2GRAY))[1].tobytes()
    return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, factor])[1].tobytes()


def write_timed(path: Path, times_s: Sequence[float], sound_s: float = 0.0) -> Path:
    """Write a video with a picture at each of these times, and ``sound_s`` seconds of silence from time 0."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("mpeg4", rate=1000)
        video.width, video.height, video.pix_fmt = 192, 32, "yuv420p"
        video.codec_context.time_base = Fraction(1, 1000)
        audio = container.add_stream("aac", rate=8000) if sound_s else None
        for number in range(int(sound_s * 8000 / 1024) if audio else 0):
            silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
            silence.rate, silence.pts = 8000, number * 1024
            container.mux(audio.encode(silence))
        for number, t_s in enumerate(times_s):
            picture = av.VideoFrame.from_ndarray(numbered_image(number), "bgr24")
            picture.pts = round(t_s * 1000)
            container.mux(video.encode(picture))
        for stream in filter(None, (video, audio)):
            container.mux(stream.encode(None))
    return path


def set_rotation(path: Path, matrix: Sequence[int]) -> None:
    """Write the matrix of an MP4's track, as phones do."""
    content = bytearray(path.read_bytes())
    place = content.index(b"tkhd") + 4 + 40
    struct.pack_into(">9i", content, place, *matrix)
    path.write_bytes(content)


ONE = 1 << 16
QUARTER_TURNS = {0: (ONE, 0, 0, ONE), 90: (0, ONE, -ONE, 0), 180: (-ONE, 0, 0, -ONE), 270: (0, -ONE, ONE, 0)}


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("degrees", QUARTER_TURNS)
def test_a_picture_is_rotated_by_its_display_matrix(degrees: int, mirrored: bool) -> None:
    a, b, c, d = QUARTER_TURNS[degrees]  # clockwise
    if mirrored:
        a, c = -a, -c  # mirror x' after the rotation
    image = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    expected = np.rot90(image, -degrees // 90)
    expected = expected[:, ::-1] if mirrored else expected
    matrix = np.array([[a, b, 0], [c, d, 0], [0, 0, 1 << 30]], np.int32)
    np.testing.assert_array_equal(rotated(image, matrix), expected)


@pytest.mark.parametrize("degrees", QUARTER_TURNS)
def test_a_video_of_a_phone_is_upright(tmp_path: Path, degrees: int) -> None:
    path = write_timed(tmp_path / "phone.mp4", [0.0, 0.1, 0.2])
    a, b, c, d = QUARTER_TURNS[degrees]
    set_rotation(path, (a, b, 0, c, d, 0, 0, 0, 1 << 30))
    frames, camera = frames_of(path)
    assert camera.size == ((192, 32) if degrees in (0, 180) else (32, 192))
    assert [read_number(np.rot90(frame.image, degrees // 90)) for frame in frames] == [0, 1, 2]
    assert all(frame.image.flags.c_contiguous for frame in frames)


def test_a_portrait_video_of_a_phone(shared: Shared) -> None:
    frames, camera = frames_of(shared("cases/rotated.mp4"))
    assert camera.size == (48, 64)
    assert {frame.image.shape for frame in frames} == {(64, 48, 3)}
    as_opencv = cv2.VideoCapture(str(shared("cases/rotated.mp4")))
    as_opencv.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)
    for frame in frames:
        np.testing.assert_allclose(frame.image.astype(int), as_opencv.read()[1], atol=2)


def test_a_picture_that_becomes_smaller_begins_a_segment(shared: Shared) -> None:
    frames, camera = frames_of(shared("cases/shrinks.ts"))
    assert [frame.image.shape[:2] for frame in frames] == [(96, 128)] * 10 + [(48, 64)] * 10
    assert [frame.segment for frame in frames] == [0] * 10 + [1] * 10
    assert camera.size == (64, 48)
    assert (np.diff([frame.media_s for frame in frames]) > 0).all()


@pytest.mark.parametrize(("first", "then"), list(itertools.permutations(COLORS, 2)))
def test_colors_that_change_midway_are_converted(tmp_path: Path, first: str, then: str) -> None:
    path = tmp_path / "camera.mjpeg"
    colors = [first] * 3 + [then] * 3 + [first] * 3
    path.write_bytes(b"".join(jpeg(numbered_image(number), color) for number, color in enumerate(colors)))
    frames, _ = frames_of(path)
    assert [read_number(frame.image) for frame in frames] == list(range(9))


def test_sizes_that_change_midway_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "camera.mjpeg"
    scales = (1, 1, 2, 2, 1, 3, 3)
    images = [cv2.resize(numbered_image(n), None, fx=k, fy=k) for n, k in enumerate(scales)]
    path.write_bytes(b"".join(jpeg(image, "4:2:0") for image in images))
    frames, _ = frames_of(path)
    assert [frame.image.shape for frame in frames] == [image.shape for image in images]
    assert [frame.segment for frame in frames] == [0, 0, 1, 1, 2, 3, 3]
    assert [read_number(frame.image[::k, ::k]) for frame, k in zip(frames, scales, strict=True)] == list(range(7))


def test_streams_that_crash_other_decoders_are_decoded(shared: Shared) -> None:
    frames, _ = frames_of(shared("cases/pixfmt-crash.avi"))
    assert [frame.image.shape for frame in frames] == [(720, 1280, 3)] * 2


def test_a_time_lapse_keeps_its_times_and_begins_a_segment_after_each_gap(shared: Shared) -> None:
    frames, camera = frames_of(shared("cases/lapse20.mp4"))
    assert [frame.media_s for frame in frames] == [0.0, 20.0, 40.0, 60.0, 80.0]
    assert [frame.segment for frame in frames] == [0, 1, 2, 3, 4]
    assert camera.end_reason == "end of file"


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_a_motion_triggered_recording_keeps_its_times(tmp_path: Path, suffix: str) -> None:
    times_s = [0.0, 0.1, 0.2, 12.5, 12.6, 3700.0, 3700.1]
    frames, _ = frames_of(write_timed(tmp_path / f"motion.{suffix}", times_s))
    assert [frame.media_s for frame in frames] == pytest.approx(times_s, abs=1e-6)
    assert [frame.segment for frame in frames] == [0, 0, 0, 1, 1, 2, 2]


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
def test_a_video_that_starts_after_its_audio_has_the_times_of_a_player(tmp_path: Path, suffix: str) -> None:
    frames, _ = frames_of(write_timed(tmp_path / f"late.{suffix}", [1.5, 1.6, 1.7], sound_s=3.0))
    # A container may begin with the delay of the audio encoder, a tenth of a second here.
    assert [frame.media_s for frame in frames] == pytest.approx([1.5, 1.6, 1.7], abs=0.15)
    assert [frame.segment for frame in frames] == [0, 0, 0]


def test_times_start_at_0_even_if_those_of_the_container_do_not(tmp_path: Path) -> None:
    frames, _ = frames_of(write_timed(tmp_path / "v.mkv", [1.4, 1.5, 1.6]))
    with av.open(str(tmp_path / "v.mkv")) as container:
        assert container.start_time == 1_400_000
    assert [frame.media_s for frame in frames] == pytest.approx([0.0, 0.1, 0.2], abs=1e-6)


def test_a_file_name_that_looks_like_a_url_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("12:30.mp4", "http:clip.mp4", "100%d.mp4", "-y.mp4", "a?b#c.mp4"):
        write_video(tmp_path / "v.mp4", 3).rename(tmp_path / name)
        reader = reader_of(Path(name))
        assert sum(iter(reader.grab, False)) == 3
        reader.close()


def test_a_title_in_another_encoding_is_tolerated(tmp_path: Path) -> None:
    path = tmp_path / "v.mkv"
    write_timed(path, [0.0, 0.1])
    content = path.read_bytes()
    path.write_bytes(content.replace(b"Lavf", b"L\xe4vf"))  # the name of the program in the metadata
    frames, _ = frames_of(path)
    assert len(frames) == 2


def test_audio_without_video_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w") as container:
        audio = container.add_stream("aac", rate=8000)
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        silence.rate = 8000
        container.mux(audio.encode(silence))
        container.mux(audio.encode(None))
    with pytest.raises(MarEdgeError, match="holds no video that FFmpeg can decode"):
        reader_of(path)


@pytest.mark.parametrize("name", ["notes.txt", "notes.ans", "notes.mp4", "list.m3u8", "list.ffconcat"])
def test_text_is_refused_as_a_video(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    text = {".m3u8": "#EXTM3U\nhttp://127.0.0.1:9/x.ts\n", ".ffconcat": "ffconcat version 1.0\nfile /etc/passwd\n"}
    path.write_text(text.get(path.suffix, "this is not a video\n" * 50))
    with pytest.raises(MarEdgeError, match="cannot open"):
        reader_of(path)


def test_a_huge_picture_is_refused_before_memory_is_allocated(tmp_path: Path) -> None:
    ordinary = jpeg(numbered_image(1), "4:2:0")
    huge = bytearray(ordinary)
    struct.pack_into(">HH", huge, huge.index(b"\xff\xc0") + 5, 60_000, 60_000)
    path = tmp_path / "camera.mjpeg"
    path.write_bytes(ordinary * 3 + bytes(huge) + ordinary * 3)
    frames, camera = frames_of(path)
    assert [read_number(frame.image) for frame in frames] == [1] * 6
    assert (camera.corrupt, camera.end_reason) == (1, "end of file (1 picture could not be decoded)")


def test_damage_in_a_file_loses_only_the_damaged_pictures(tmp_path: Path) -> None:
    pictures = [jpeg(numbered_image(number), "4:2:0") for number in range(20)]
    pictures[0] = pictures[7] = b"\xff\xd8\xff\xc0\x00\x04\xff\xff" + bytes(300) + b"\xff\xd9"
    path = tmp_path / "camera.mjpeg"
    path.write_bytes(b"".join(pictures))
    frames, camera = frames_of(path)
    assert [read_number(frame.image) for frame in frames] == [n for n in range(20) if n not in (0, 7)]
    assert camera.corrupt == 2
    assert "2 pictures could not be decoded" in str(camera.end_reason)


@pytest.mark.parametrize("count", [60, pytest.param(600, marks=[pytest.mark.soak, pytest.mark.timeout(1200)])])
def test_no_bytes_crash_the_process(tmp_path: Path, count: int) -> None:
    """Damage videos: other bytes, missing pieces, and one format after another."""
    rng = random.Random(5)
    whole = {
        "avi": write_video(tmp_path / "v.avi", 8, 30.0, "MJPG").read_bytes(),
        "mp4": write_video(tmp_path / "v.mp4", 8).read_bytes(),
        "ts": write_timed(tmp_path / "v.ts", [0.0, 0.1, 0.2, 0.3]).read_bytes(),
    }
    whole["mjpeg"] = b"".join(jpeg(numbered_image(n), color) for n, color in enumerate(COLORS))
    for number in range(count):
        suffix = rng.choice(sorted(whole))
        content = bytearray(whole[suffix] * rng.choice((1, 2)))
        for _ in range(rng.choice((1, 5, 50))):
            content[rng.randrange(len(content))] = rng.randrange(256)
        if number % 3 == 0:
            start = rng.randrange(len(content))
            del content[start : start + rng.randrange(2000)]
        path = tmp_path / f"damaged.{suffix}"
        path.write_bytes(content)
        try:
            frames, _ = frames_of(path)
        except MarEdgeError:
            continue
        assert all(frame.image.ndim == 3 for frame in frames)
