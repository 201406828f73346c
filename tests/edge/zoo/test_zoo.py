"""Downloads from a real HTTP server that fails on purpose."""

import hashlib
import http.server
import os
import struct
import threading
import zipfile
from dataclasses import replace
from types import SimpleNamespace

import pytest
from full_disk import full_disk

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.files.digest import sha256_of
from mar_edge.edge.zoo import download as downloading
from mar_edge.edge.zoo.archive import extract_onnx
from mar_edge.edge.zoo.catalog import KnownModel, known_model, known_models
from mar_edge.edge.zoo.download import download
from mar_edge.edge.zoo.fetch import cached, fetch

CONTENT = os.urandom(1_200_000)
SHA = hashlib.sha256(CONTENT).hexdigest()


class Server(http.server.ThreadingHTTPServer):
    """Serves ``files`` with ranges. ``cuts``: after how many bytes the next answers break off. ``errors``: codes."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = {}
        self.cuts, self.errors, self.asked = [], [], []
        self.etag, self.ranges, self.leads_to = '"v1"', True, None
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def url(self, name):
        return f"http://127.0.0.1:{self.server_port}/{name}"


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        server = self.server
        asked = self.headers.get("Range")
        server.asked.append(asked)
        if server.leads_to:
            self.send_response(302)
            self.send_header("Location", server.leads_to)
            self.end_headers()
            return
        content = server.files.get(self.path.lstrip("/"))
        if server.errors or content is None:
            self.send_error(server.errors.pop(0) if server.errors else 404)
            return
        first = 0
        if asked and server.ranges and self.headers.get("If-Range") == server.etag:
            first = int(asked.removeprefix("bytes=").removesuffix("-"))
        if first >= len(content) > 0 and first:
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(content)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(206 if first else 200)
        if first:
            self.send_header("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - first))
        self.send_header("ETag", server.etag)
        self.end_headers()
        cut = server.cuts.pop(0) if server.cuts else len(content)
        self.wfile.write(content[first : first + cut])


@pytest.fixture
def server():
    opened = Server()
    opened.files["model.bin"] = CONTENT
    yield opened
    opened.shutdown()
    opened.server_close()


@pytest.fixture
def get(server, tmp_path):
    def run(sha256=SHA, progress=None):
        return download(
            server.url("model.bin"), tmp_path / "cache" / "model.bin", sha256=sha256, progress=progress, pause_s=0.0
        )

    return run


def left(tmp_path):
    return sorted(path.name for path in (tmp_path / "cache").iterdir())


def test_a_file_is_downloaded_with_progress(get, tmp_path):
    reported = []
    assert get(progress=lambda done, total: reported.append((done, total))) == SHA
    assert (tmp_path / "cache" / "model.bin").read_bytes() == CONTENT
    assert left(tmp_path) == ["model.bin"]
    assert reported[-1] == (len(CONTENT), len(CONTENT))
    assert [done for done, _ in reported] == sorted(done for done, _ in reported)


def test_a_broken_download_resumes_where_it_stopped(get, server):
    server.cuts = [500_000, 0, 300_000]
    assert get() == SHA
    assert server.asked == [None, "bytes=500000-", "bytes=500000-", "bytes=800000-"]


def test_another_process_resumes_it_too(get, server, tmp_path):
    server.cuts = [700_000, 0, 0, 0, 0]
    with pytest.raises(MarEdgeError, match="connection ended after 700000 of 1200000 bytes; the part so far is kept"):
        get()
    server.cuts = []
    server.asked.clear()
    assert get() == SHA
    assert server.asked == ["bytes=700000-"]
    assert left(tmp_path) == ["model.bin"]


def test_a_complete_part_is_put_in_place(get, server, tmp_path):
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "model.bin.part").write_bytes(CONTENT)
    (tmp_path / "cache" / "model.bin.part.version").write_text(server.etag)
    assert get() == SHA
    assert server.asked == [f"bytes={len(CONTENT)}-"]


def test_a_file_that_changed_on_the_server_is_downloaded_again(get, server):
    server.cuts = [500_000, 0, 0, 0, 0]
    with pytest.raises(MarEdgeError, match="cannot be downloaded"):
        get()
    other = os.urandom(1_000_000)
    server.files["model.bin"], server.etag, server.cuts = other, '"v2"', []
    assert get(sha256=None) == hashlib.sha256(other).hexdigest()


def test_a_server_without_ranges_sends_the_whole_file_again(get, server):
    server.ranges = False
    server.cuts = [500_000]
    assert get() == SHA


def test_a_busy_server_is_tried_again_and_a_missing_file_is_not(get, server):
    server.errors = [503, 429, 500]
    assert get() == SHA
    server.errors = [404]
    server.asked.clear()
    with pytest.raises(MarEdgeError, match="answers 404 Not Found"):
        get()
    assert len(server.asked) == 1


def test_a_server_that_does_not_answer(server, get):
    server.shutdown()
    server.server_close()
    with pytest.raises(MarEdgeError, match=r"Connection refused.*--mirror"):
        get()


def test_a_file_with_a_wrong_hash_is_deleted(get, tmp_path):
    with pytest.raises(MarEdgeError, match=f"its SHA-256 is {SHA}, expected {'0' * 64}; it was deleted"):
        get(sha256="0" * 64)
    assert left(tmp_path) == []


def test_a_file_that_is_too_large_is_refused(get, monkeypatch, tmp_path):
    monkeypatch.setattr(downloading, "MAX_BYTES", 1_000_000)
    with pytest.raises(MarEdgeError, match="larger than"):
        get()
    assert left(tmp_path) == []


def test_a_full_disk_is_an_error(get, monkeypatch):
    monkeypatch.setattr(downloading.shutil, "disk_usage", lambda _: SimpleNamespace(free=1 << 20))
    with pytest.raises(MarEdgeError, match="has room for 1 MiB; make room"):
        get()


def test_a_redirect_from_https_to_http_is_refused(server):
    handler = downloading._NoDowngrade()
    request = downloading.urllib.request.Request("https://models.example/a.zip")
    with pytest.raises(MarEdgeError, match="not encrypted"):
        handler.redirect_request(request, None, 302, "Found", {}, server.url("model.bin"))
    assert handler.redirect_request(request, None, 302, "Found", {}, "https://other.example/a.zip") is not None


def packed(path, members, compression=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def test_the_onnx_file_of_an_sdk_zip(tmp_path):
    path = packed(tmp_path / "sdk.zip", {"20230728/deploy.json": "{}", "20230728/end2end.onnx": CONTENT})
    extract_onnx(path, tmp_path / "m.onnx")
    assert (tmp_path / "m.onnx").read_bytes() == CONTENT


def test_paths_out_of_the_folder_write_nothing_there(tmp_path):
    inner = tmp_path / "inner"
    inner.mkdir()
    path = packed(tmp_path / "sdk.zip", {"../../evil.onnx": b"weights", "/etc/other.txt": "x"})
    extract_onnx(path, inner / "m.onnx")
    assert [p.name for p in inner.iterdir()] == ["m.onnx"]
    assert not list(tmp_path.glob("**/evil.onnx"))


def lying(path, size):
    """Make the zip's directory state that its member unpacks to ``size`` bytes."""
    content = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        at = content.index(signature) + offset
        content[at : at + 4] = struct.pack("<I", size)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda p: packed(p, {"end2end.onnx": bytes(60 << 20)}), "would unpack from .* to 62914560 bytes"),
        (lambda p: lying(packed(p, {"end2end.onnx": bytes(8 << 20)}), 4000), "cannot be unpacked|more than it states"),
        (lambda p: packed(p, {"a.onnx": b"1", "b.onnx": b"2"}), r"found: a\.onnx, b\.onnx"),
        (lambda p: packed(p, {"readme.txt": b"1"}), "found: none"),
        (lambda p: p.write_bytes(b"<html>not found</html>") and p, "not a zip file"),
        (lambda p: p.write_bytes(packed(p, {"m.onnx": CONTENT}).read_bytes()[:-900]) and p, "not a zip file"),
    ],
)
def test_zips_that_are_refused(tmp_path, make, message):
    path = make(tmp_path / "sdk.zip")
    with pytest.raises(MarEdgeError, match=message):
        extract_onnx(path, tmp_path / "m.onnx")
    assert [p.name for p in tmp_path.iterdir()] == ["sdk.zip"]


def test_a_full_disk_while_unpacking_is_an_error_about_the_disk(tmp_path):
    path = packed(tmp_path / "sdk.zip", {"m.onnx": CONTENT})
    with full_disk(), pytest.raises(MarEdgeError, match=r"cannot write .*m\.onnx"):
        extract_onnx(path, tmp_path / "m.onnx")
    assert [p.name for p in tmp_path.iterdir()] == ["sdk.zip"]


def test_a_damaged_zip_is_refused(tmp_path):
    path = packed(tmp_path / "sdk.zip", {"m.onnx": CONTENT}, zipfile.ZIP_STORED)
    content = bytearray(path.read_bytes())
    content[5000] ^= 1
    path.write_bytes(content)
    with pytest.raises(MarEdgeError, match="Bad CRC-32"):
        extract_onnx(path, tmp_path / "m.onnx")
    assert not (tmp_path / "m.onnx").exists()


@pytest.fixture
def model(server, tmp_path):
    archive = packed(tmp_path / "source.zip", {"x/end2end.onnx": CONTENT})
    server.files["published-123.zip"] = archive.read_bytes()
    return KnownModel(
        name="some-model",
        kind="pose",
        size=(192, 256),
        trained_on="nothing",
        licence="Apache-2.0",
        url=server.url("published-123.zip"),
        sha256=None,
    )


def test_a_model_is_fetched_once(model, server, tmp_path):
    folder = tmp_path / "cache"
    assert cached(model, folder) is None
    path = fetch(model, folder=folder)
    assert path.read_bytes() == CONTENT
    record = cached(model, folder)
    assert record.onnx_sha256 == SHA
    assert record.archive_sha256 == sha256_of(tmp_path / "source.zip")
    assert sorted(p.name for p in folder.iterdir()) == ["some-model.json", "some-model.lock", "some-model.onnx"]
    assert fetch(model, folder=folder) == path
    assert len(server.asked) == 1


def test_a_changed_file_in_the_cache_is_refused(model, tmp_path):
    path = fetch(model, folder=tmp_path)
    path.write_bytes(CONTENT + b"!")
    with pytest.raises(MarEdgeError, match=rf"recorded is {SHA}; delete it"):
        fetch(model, folder=tmp_path)


def test_a_published_hash_is_checked(model, server, tmp_path):
    with pytest.raises(MarEdgeError, match="is not the file that is known by that name"):
        fetch(replace(model, sha256="1" * 64), folder=tmp_path / "cache")
    pinned = replace(model, sha256=sha256_of(tmp_path / "source.zip"))
    assert fetch(pinned, folder=tmp_path / "cache").read_bytes() == CONTENT


def test_offline_from_a_mirror(model, server, tmp_path):
    server.shutdown()
    server.server_close()
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    with pytest.raises(MarEdgeError, match=r"has no published-123\.zip"):
        fetch(model, mirror=str(mirror), folder=tmp_path / "cache")
    (tmp_path / "source.zip").rename(mirror / "published-123.zip")
    assert fetch(model, mirror=str(mirror), folder=tmp_path / "cache").read_bytes() == CONTENT
    assert cached(model, tmp_path / "cache").source.startswith("file://")


def test_from_another_address(model, server, tmp_path):
    server.files["copies/published-123.zip"] = server.files.pop("published-123.zip")
    assert fetch(model, mirror=server.url("copies/"), folder=tmp_path / "cache").read_bytes() == CONTENT


def test_every_model_of_the_catalog_is_complete():
    models = known_models()
    assert {"rtmw-m", "dwpose-m", "rtmpose-m-halpe26", "rtmdet-nano", "yolox-tiny"} <= models.keys()
    for name, model in models.items():
        assert model.name == name
        assert model.licence
        assert model.url.startswith("https://")
        assert model.url.endswith(".zip")
        assert model.sha256 is None or len(bytes.fromhex(model.sha256)) == 32
        if model.kind == "pose":
            assert model.points in (26, 133, 136)
            assert model.full_score == (10.0 if name.startswith("rtmw") else 1.0)
            assert models[model.detector].kind == "detector"
            assert f"{model.size[1]}x{model.size[0]}" in model.url
        else:
            assert model.family in model.url


def test_an_unknown_name_is_answered_with_the_known_ones():
    with pytest.raises(MarEdgeError, match="no pose model 'rtmdet-nano' and no such file; by name there are: rtmw-m"):
        known_model("rtmdet-nano", "pose")
