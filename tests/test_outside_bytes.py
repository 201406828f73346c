"""Files and options with any content give a value or one clear line: no other error, no hang.

Sockets, messages, replays and public keys have tests of their own in ``tests/streaming``.
"""

import contextlib
import pickle
import zipfile
from dataclasses import dataclass
from datetime import datetime, timezone

import clips
import networks
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recorded_runs import RUN, two_people

from mar_edge.analysis.agreement.compare import compare
from mar_edge.analysis.agreement.pairing import pair_timelines
from mar_edge.calibration.stored import read_calibration
from mar_edge.cli.config_file import OptionKind, read_config
from mar_edge.cli.number_lists import batch_sizes
from mar_edge.cli.train import four_depths
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.files.digest import parse_sha256
from mar_edge.edge.labels import read_labels
from mar_edge.edge.model_file import ModelMetadata, parse_metadata
from mar_edge.edge.network.checkpoint import load_checkpoint, save_checkpoint
from mar_edge.edge.pose.focus import Focus
from mar_edge.edge.score_calibration import read_score_calibration
from mar_edge.edge.zoo.archive import extract_onnx
from mar_edge.edge.zoo.catalog import known_model
from mar_edge.edge.zoo.fetch import cached
from mar_edge.streaming.capture.capture_modes import CaptureMode, parse_size
from mar_edge.streaming.capture.sources import parse_source
from mar_edge.streaming.recognition.thresholds import LabelChoice, resolve
from mar_edge.streaming.recording.corrections import Correction, write_corrections
from mar_edge.streaming.recording.skeletons import read_skeletons
from mar_edge.streaming.recording.timeline_reader import read_timelines
from mar_edge.streaming.wire.address import parse_address, parse_http
from mar_edge.streaming.wire.keys import read_secret_key, write_keys
from mar_edge.streaming.wire.publisher import check_stream
from mar_edge.training.datasets.archive import open_archive
from mar_edge.training.datasets.opening import parse_spec
from mar_edge.training.datasets.pickles import read_pickle
from mar_edge.training.datasets.recordings import open_recordings
from mar_edge.training.run_folder import RunFolder
from mar_edge.training.synth.command import write_clips
from mar_edge.view.annotations.formats import FORMATS
from mar_edge.view.annotations.reading import read_annotations

METADATA = ModelMetadata(
    name="tiny",
    layout="ma52",
    streams=("joint",),
    encoding="raw",
    labels=networks.LABELS,
    background=11,
    thresholds=(0.5,) * len(networks.LABELS),
    accuracy={"top1": 0.5},
)
# Content that breaks parsers: empty, no text, no number, too long, brackets that never close.
JUNK = [b"", b"\0", b"\xff", b"\n", b'"', b",", b"nan", b"-1", b"1e999", b"9" * 5000, b"null", b"{}", b"[" * 10_000]
JUNK += ["²٣".encode(), "\u2028".encode(), b"true", b"-inf", b"a" * 200_000, b"..", b"1e15"]


@dataclass(frozen=True)
class Damage:
    """Damage to a file's content, at fractions of its length. Short when printed."""

    patches: tuple[tuple[float, int, int], ...]
    cut: float

    def of(self, whole):
        content = whole
        for place, length, junk in self.patches:
            at = round(place * len(content))
            content = content[:at] + JUNK[junk] + content[at + length :]
        return content[: round(self.cut * len(content))]


PLACES = st.floats(0, 1)
PATCHES = st.lists(st.tuples(PLACES, st.integers(0, 40), st.integers(0, len(JUNK) - 1)), max_size=3).map(tuple)
DAMAGE = st.builds(Damage, PATCHES, st.just(1.0) | PLACES)


def one_error(read, content):
    with contextlib.suppress(MarEdgeError):
        read(content)


def zipped(path, **members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("_", "."), content)
    return path.read_bytes()


class Files(dict):
    def __repr__(self):
        return "files"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Return for each kind of file its valid content, and a function that reads it."""
    folder = tmp_path_factory.mktemp("whole")
    path = folder / "file"
    lines = "\n".join(clips.skeleton_lines(clips.moving(0, "ma52", frames=12))).encode()
    (folder / "take.jsonl").write_bytes(lines)
    write_clips(folder / "clips.npz", 2, seed=1)
    network = networks.golden(networks.MA52)
    save_checkpoint(folder / "best.pt", network, networks.info("joint"))
    recorded = np.zeros((1, 2, 3, 2), np.float32)
    known = known_model("rtmw-m")
    (folder / "models").mkdir()
    (folder / "models" / f"{known.name}.onnx").touch()

    def record(content):
        (folder / "models" / f"{known.name}.json").write_bytes(content)
        cached(known, folder / "models")

    def on_disk(read, name="file"):
        def run(content):
            (folder / name).write_bytes(content)
            read(folder / name)

        return run

    def annotations(path):
        for known in FORMATS:
            known.write(read_timelines([path]), None)

    timelines = read_timelines([two_people().write(folder / "coded.jsonl")])
    coded = {known.suffix: known.write(timelines, None) for known in FORMATS}
    noon = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)
    correction = Correction(
        "coded.jsonl", "cam", RUN, 1, 0, "changed", "waving", 1.0, 2.0, "nodding", 1.0, 2.5, "A", noon
    )
    write_corrections(folder / "corrections.csv", [correction])

    def coding(path):
        timelines = read_annotations([path]).timelines
        for known in FORMATS:
            for timeline in timelines:
                one_error(lambda _, one=timeline, kind=known: kind.write([one], None), b"")
        compare(pair_timelines(timelines[:1], timelines[:1])[0], 1.0)

    def secret(path):
        path.chmod(0o600)
        read_secret_key(path)

    options = {"stride_s": OptionKind((float,), "a number"), "camera": OptionKind((str,), "text", several=True)}
    run = folder / "run"
    run.mkdir()
    return Files(
        {
            "labels": (b"id,action,body\n0,nodding,head\n1,waving,hand\n", on_disk(read_labels)),
            "events": (
                b"recording,start_s,end_s,label,person\ntake,0.0,0.4,nodding,0\n",
                on_disk(lambda path: open_recordings(path.parent), "labels.csv"),
            ),
            "recording": (lines, on_disk(read_skeletons)),
            "timelines": (two_people().write(folder / "events.jsonl").read_bytes(), on_disk(annotations)),
            **{
                f"annotations{suffix}": (content, on_disk(coding, f"read{suffix}")) for suffix, content in coded.items()
            },
            "corrections": (
                (folder / "corrections.csv").read_bytes(),
                on_disk(coding, "corrections.csv"),
            ),
            "secret key": (write_keys(folder, "box")[1].read_bytes(), on_disk(secret)),
            "config": (
                b'camera = ["0", "1"]\nstride-s = 0.2\n[thresholds]\nhead = 0.5\n',
                on_disk(lambda path: read_config(path, options)),
            ),
            "confidence": (
                b'{"temperature": 1.5, "thresholds": {"nodding": 0.5}, "fitted_on": "x"}',
                on_disk(read_score_calibration),
            ),
            "metadata": (
                METADATA.to_json().encode(),
                lambda content: resolve(
                    parse_metadata(content.decode("utf-8", "replace"), "m"), None, None, LabelChoice()
                ),
            ),
            "calibration": (
                b'{"limits": {"a": 1.0}, "costs": {"a": 0.1}}',
                on_disk(lambda _: read_calibration(folder, "key"), "key.json"),
            ),
            "zoo record": (
                b'{"name":"x","source":"y","archive_sha256":"0","onnx_sha256":"1","downloaded":"now"}',
                record,
            ),
            "zoo archive": (
                zipped(path, a_onnx=b"x" * 999, b_txt=b"y"),
                on_disk(lambda path: extract_onnx(path, folder / "x")),
            ),
            "clips": ((folder / "clips.npz").read_bytes(), on_disk(open_archive, "c.npz")),
            "pickle": (pickle.dumps([{"a": recorded, "b": ("c", 1)}]), on_disk(read_pickle)),
            "checkpoint": ((folder / "best.pt").read_bytes(), on_disk(load_checkpoint)),
            "run": (
                b'{"data": "synth"}',
                on_disk(lambda path: RunFolder(path.parent).read_config(), "run/config.json"),
            ),
        }
    )


FILES = [
    "labels",
    "events",
    "recording",
    "timelines",
    "secret key",
    "config",
    "confidence",
    "metadata",
    "calibration",
    "zoo record",
]
FILES += ["zoo archive", "clips", "pickle", "checkpoint", "run", "corrections"]
FILES += [f"annotations{known.suffix}" for known in FORMATS]


# Content that random bytes hardly ever make.
UNLIKELY = [b"[" * 100_000, b'{"x":' + b"[" * 100_000, b'{"x":"\\ud800"}', b"{" + b'"x":{' * 50_000, b"\0" * 100_000]


@pytest.mark.parametrize("name", FILES)
def test_content_that_random_bytes_do_not_make(files, name):
    for content in UNLIKELY:
        one_error(files[name][1], content)


def test_whole_files_are_read(files):
    assert sorted(files) == sorted(FILES)
    for name in FILES:
        if name != "run":  # its config has many fields: see its own tests
            whole, read = files[name]
            read(whole)


@pytest.mark.parametrize("name", FILES)
@settings(max_examples=30, deadline=None)
@given(damage=DAMAGE | st.binary(max_size=100))
def test_files(files, name, damage):
    whole, read = files[name]
    one_error(read, damage.of(whole) if isinstance(damage, Damage) else damage)


STRINGS = {
    "address to bind": (lambda text: parse_address(text, bind=True), "tcp://[::1]*:57"),
    "address to connect": (lambda text: parse_address(text, bind=False), "ipc://@/tcp.0:9%e"),
    "http": (parse_http, "127.0.0.1:[*]9"),
    "camera": (parse_source, "rtsp://me:p@[::1]:5/csi?x! 0²"),
    "camera through GStreamer": (
        lambda text: parse_source(text, CaptureMode(gstreamer=True)),
        'rtsp://"\\:9/dev/video0',
    ),
    "size": (lambda text: CaptureMode(size=parse_size(text)), "0129x ²"),
    "pixel format": (lambda text: CaptureMode(pixel_format=text), "MJPGYU12 "),
    "labels": (LabelChoice.parse, "head,- 12"),
    "labels of a model": (lambda text: resolve(METADATA, None, None, LabelChoice.parse(text)), "0123456789,-"),
    "focus": (lambda text: Focus.parse(text, 1), "0.15,nainflarget-e"),
    "batch": (batch_sizes, "0149, -²"),
    "depths": (four_depths, "01,-²"),
    "data": (parse_spec, "ma52imigue-:testrval.npz"),
    "stream": (check_stream, "ab_.-/ "),
    "sha256": (parse_sha256, "0123456789abcdefgXYZ"),
    "known model": (known_model, "rtmw-m"),
}


@pytest.mark.parametrize("name", STRINGS)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_options(name, data):
    parse, letters = STRINGS[name]
    drawn = data.draw(st.text(max_size=60) | st.text(alphabet=letters, max_size=40) | DAMAGE)
    # Surrogates, as the operating system passes bytes that are no UTF-8.
    one_error(parse, drawn if isinstance(drawn, str) else drawn.of(letters.encode()).decode("utf-8", "surrogateescape"))


@settings(max_examples=40, deadline=None)
@given(name=st.text(max_size=20), value=st.floats())
def test_thresholds(name, value):
    with contextlib.suppress(MarEdgeError):
        resolve(METADATA, None, None, LabelChoice(on={name: value}))
