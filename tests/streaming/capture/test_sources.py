from __future__ import annotations

import os
from pathlib import Path

import pytest
from streaming_fakes import write_video

from mar_edge.edge.errors import MarEdgeError
from mar_edge.streaming.capture.capture_modes import CaptureMode, csi_pipeline
from mar_edge.streaming.capture.readers import open_source
from mar_edge.streaming.capture.sources import named_sources, parse_source
from mar_edge.view.annotations.media import probe


@pytest.mark.parametrize(
    ("text", "kind", "target"),
    [
        ("0", "device", "0"),
        (" 07 ", "device", "7"),
        ("/dev/video2", "device", "/dev/video2"),
        ("/dev/v4l/by-id/usb-Webcam_C920-video-index0", "device", "/dev/v4l/by-id/usb-Webcam_C920-video-index0"),
        ("rtsp://10.0.0.1/stream", "url", "rtsp://10.0.0.1/stream"),
        ("demo:", "demo", "demo:"),
        ("videotestsrc ! appsink", "pipeline", "videotestsrc ! appsink"),
        ("csi://1", "pipeline", csi_pipeline(1, CaptureMode())),
    ],
)
def test_source_strings_are_parsed(text: str, kind: str, target: str) -> None:
    source = parse_source(text)
    assert (source.kind, source.target) == (kind, target)


def test_a_link_to_a_device_is_a_device(tmp_path: Path) -> None:
    link = tmp_path / "by-id"
    link.symlink_to("/dev/video3")
    assert parse_source(str(link)).target == "/dev/video3"


@pytest.mark.parametrize(
    ("text", "description"),
    [
        ("rtsp://me:se%40cret@cam.local:554/a/b?token=secret", "rtsp://cam.local:554"),
        ("http://secret:x@[fe80::1]/v", "http://[fe80::1]"),
        ("RTSP://Cam/user=admin&password=secret", "rtsp://cam"),
        ("rtsp://cam/user=admin_password=secret_channel=1_stream=0.sdp?real_stream", "rtsp://cam"),
        ("http://cam:8080/videostream.cgi?user=me&pwd=secret", "http://cam:8080"),
        ("https://cam/live#secret", "https://cam"),
        # The host is uncertain, unless it is an IP address.
        ("rtsp://admin:12/secret@cam/s", "rtsp://***"),
        ("rtsp://admin:12?secret@cam/s", "rtsp://***"),
        ("rtsp://admin:12#secret@10.0.0.7:554/s", "rtsp://10.0.0.7:554"),
        ("rtsp://10.0.0.7/me:pass@secret/s", "rtsp://10.0.0.7"),
        ("rtsp://cam:554/me:pass@secret/s", "rtsp://***"),
        ("rtspsrc location=rtsp://me:secret@cam/x?k=secret ! appsink", "rtspsrc rtsp://cam"),
        ("rtspsrc location=rtsp://cam user-id=me user-pw=secret ! appsink", "rtspsrc rtsp://cam"),
        ('rtspsrc user-pw="a ! secret" location="rtsp://cam/x y" ! appsink', "rtspsrc rtsp://cam"),
        (
            'souphttpsrc location=https://cam:1/x proxy=http://proxy:3128 proxy-pw=secret cookies="a=secret" '
            'extra-headers="h,Authorization=(string)\\"Basic secret\\"" ! appsink',
            "souphttpsrc https://cam:1 http://proxy:3128",
        ),
        ("uridecodebin uri=rtsp://admin:12/secret@cam ! appsink", "uridecodebin rtsp://***"),
        ("srtsrc uri=srt://cam:1?passphrase=secret ! appsink", "srtsrc url://cam:1"),
        ("rtspsrc location=rtsp://a\\ secret@cam/ ! appsink", "rtspsrc rtsp://***"),
        ("secret=1 ! appsink", "GStreamer pipeline"),
    ],
)
def test_descriptions_show_element_and_host_but_nothing_else(text: str, description: str) -> None:
    source = parse_source(text)
    assert source.target == text
    assert source.description == description
    if text.lower().startswith("rtsp"):
        through = parse_source(text, CaptureMode(gstreamer=True)) if " ! " not in text else source
        assert through.description == description


@pytest.mark.parametrize(
    "name",
    [
        "Bildschirmaufnahme 2026-07-01 um 9.41.00\u202fAM.mov",
        "\u7b2c\u3000\u4e00.mp4",
        "\U0001f469\u200d\U0001f52c.mp4",
        "12:30.mp4",
        "a ! b.mp4",
        "front=door.mp4",
        "rtsp:x.mp4",
        " padded .mp4 ",
        "two\nlines.mp4",
        "me@home.mp4",
        "50%20.mp4",
    ],
)
def test_a_file_that_exists_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    write_video(tmp_path / "clip.avi", 3, fourcc="MJPG").rename(name)
    source = parse_source(name)
    assert (source.kind, Path(source.target)) == ("file", tmp_path / name)
    assert source.description == name.replace("\n", "\ufffd")
    assert parse_source(f"file://{tmp_path / name}").target == source.target
    assert named_sources([name], "cam") == [("cam", name)]
    assert named_sources([name, f"hall={name}"], "cam") == [("cam0", name), ("hall", name)]
    reader = open_source(source)
    assert reader.grab()
    reader.close()
    assert probe(Path(name), Path()).fps == 30.0


def test_a_file_url_may_be_percent_encoded(tmp_path: Path) -> None:
    write_video(tmp_path / "clip.avi", 3, fourcc="MJPG").rename(tmp_path / "a b.avi")
    assert parse_source(f"file://{tmp_path}/a%20b.avi").target == str(tmp_path / "a b.avi")


def test_indices_remain_cameras_even_if_a_file_has_that_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "0").touch()
    assert parse_source("0").kind == "device"
    assert named_sources(["front=0"], "cam") == [("front", "0")]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no source given"),
        ("ftp://somewhere/clip.mp4", "unknown kind of URL"),
        ("rtsp://", "names no host"),
        ("rtsp://me:secret@cam:99999/x", "not a URL: rtsp://cam"),
        ("http://[::1/x", "not a URL"),
        ("csi://front", "csi://0"),
        ("rtsp://me:secret/x@cam/s", r"not a URL: rtsp://\*\*\*; in user name and password, write '/'"),
        ("me:secret@rtsp://cam/s", "unknown kind of URL;"),
        ("me:secret@cam/stream", "no such video file: that name"),
        ("csi://secret", "not a CSI camera"),
        ("file://a\0b", "control characters"),
        ("two\nlines", "control characters"),
        ("rtsp://me:secret@cam/\nx", "control characters"),
        ("x" * 5000, "cannot read"),
        ("x" * 200_000, "characters, not"),
    ],
)
def test_invalid_source_strings_are_refused(text: str, says: str) -> None:
    with pytest.raises(MarEdgeError, match=says) as raised:
        parse_source(text)
    assert "secret" not in str(raised.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"x")
    path.chmod(0)
    with pytest.raises(MarEdgeError, match=r"cannot read .*Permission denied"):
        parse_source(str(path))
