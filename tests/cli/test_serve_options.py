"""Every option of ``serve`` in a config file, with every kind of mistake: one line names it, and nothing starts."""

import re

import cv2
import numpy as np
import pytest

from mar_edge.cli.config_file import option_kinds, read_config
from mar_edge.cli.main import command_line
from mar_edge.edge.errors import MarEdgeError

# Wrong values of the right kind, by option, and part of the message. {tmp} is a folder with a video, keys and a text
# file. A switch takes any value of its kind.
SWITCH = ()
WRONG = {
    "camera": [
        ("''", "no source given"),
        ("'gopher://x'", "unknown kind of URL"),
        ("'rtsp://'", "names no host"),
        ("'{tmp}/nowhere.mp4'", "no such video file"),
        ("'{tmp}'", "is a directory"),
        ("'csi://front'", "not a CSI camera"),
        ('"rtsp://a\\u0007"', "control characters in a source"),
        ("['a=demo:', 'a=demo:']", "a name of its own"),
        ("[]", "text, or a list of it, not"),
    ],
    "model": [
        ("'{tmp}/nowhere.onnx'", "no model file at"),
        ("'{tmp}/text'", "is not a model"),
        ("['{tmp}/nowhere.onnx', '{tmp}/text']", "no model file at"),
    ],
    "model_sha256": [
        ("'abc'", "64 hexadecimal digits"),
        (f"'{'0' * 64}'", "stated is 0000"),
        (f"['{'0' * 64}', '{'0' * 64}']", "one SHA-256 for each --model, in their order; given were 2 for 1"),
    ],
    "bind": [
        ("''", "not an address"),
        ("'nowhere'", "not an address"),
        ("'tcp://127.0.0.1:99999'", "the highest is 65535"),
        ("'tcp://a b:5557'", "not an address"),
        ("['tcp://127.0.0.1:5557', 'tcp://127.0.0.1:5557']", "each address once"),
        ("'tcp://*:5557'", "--insecure"),
        ('"ipc://{tmp}/a\\u0000b"', "text, or a list of it"),
        ("[]", "text, or a list of it, not"),
    ],
    "stream": [
        ("''", "not a valid name of a stream"),
        ("'a b'", "not a valid name of a stream"),
        (f"'{'a' * 65}'", "not a valid name of a stream"),
    ],
    "stride_s": [("0", "0.01 to 60, not 0"), ("61", "not 61"), ("nan", "not nan"), ("-inf", "not -inf")],
    "labels": [("'head,,'", "is a list such as"), ("'-'", "is a list such as")],
    "on": [("0", "0 < --off <= --on <= 1"), ("1.1", "given were on 1.1"), ("nan", "on nan")],
    "off": [("0", "0 < --off <= --on <= 1"), ("1.1", "off 1.1"), ("nan", "off nan")],
    "prior": [
        ("'nowhere.csv'", "interview, uniform, trained or a CSV file"),
        ("'{tmp}/text'", "columns action,per_minute"),
    ],
    "top_k": [("0", "at least 1, not 0"), ("-1", "not -1")],
    "encoding": [("'xml'", "'xml' is not one of")],
    "skeletons": SWITCH,
    "realtime": SWITCH,
    "as_fast_as_possible": SWITCH,
    "motion_gate": SWITCH,
    "pose": [("'nobody'", "no pose model 'nobody'"), ("'{tmp}/nowhere.onnx'", "no pose model at")],
    "detector": [
        ("'nobody'\npose = '{tmp}/text'", "no detector 'nobody'"),
        ("'{tmp}/text'\npose = '{tmp}/text'", "which kind of detector"),
        ("'yolox:{tmp}/nowhere.onnx'\npose = '{tmp}/text'", "no detector model at"),
        ("'rtmdet-nano'", "--pose holistic has its own detector"),
    ],
    "people": [("0\npose = '{tmp}/text'", "at least 1, not 0"), ("0", "at least 1, not 0")],
    "focus": [
        ("'me'\npose = '{tmp}/text'", "'all', 'largest' or a region"),
        ("'1,0,0,1'", "'all', 'largest' or a region"),
    ],
    "min_score": [("-0.1", "0 to 1, not -0.1"), ("1.1", "not 1.1"), ("nan", "not nan")],
    "smooth": [
        ("true", "smooth is text, not true"),
        ("'strong'", "'strong' is not one of"),
        ("'as-mediapipe'\npose = '{tmp}/text'", "as-mediapipe goes with --pose holistic"),
    ],
    "mirror": [("'{tmp}'\npose = 'rtmw-m'", "has no rtmw")],
    "size": [("'big'", "WIDTHxHEIGHT"), ("'0x0'", "not (0, 0)"), ("'99999x1'", "not (99999, 1)")],
    "fps": [("0", "1 to 240"), ("241", "not 241"), ("nan", "not nan")],
    "pixel_format": [("'mjpg'", "four letters"), ("'MJPEG'", "four letters")],
    "rtsp_transport": [("'quic'", "'quic' is not one of")],
    "gstreamer": SWITCH,
    "stall_s": [("0", "0.5 to 3600"), ("3601", "not 3601"), ("nan", "not nan")],
    "wait_camera": SWITCH,
    "runtime": [("'tpu'", "'tpu' is not one of")],
    "pose_runtime": [("'tpu'", "'tpu' is not one of")],
    "threads": [("-1", "Invalid value for '--threads'"), ("1000000", "Invalid value for '--threads'")],
    "wait_subscribers": [("-1", "0 or more, not -1")],
    "max_seconds": [("0", "more than 0, not 0"), ("-1", "not -1"), ("nan", "not nan")],
    "key": [
        ("'{tmp}/box.key_secret'", "--key and --clients go together"),
        ("'{tmp}/nowhere'\nclients = '{tmp}'", "cannot read key"),
        ("'{tmp}/text'\nclients = '{tmp}'", "is not a key file"),
        ("'{tmp}/box.key'\nclients = '{tmp}'", "can be read by other users"),
        ("'{tmp}/open.key_secret'\nclients = '{tmp}'", "chmod 600"),
    ],
    "clients": [
        ("'{tmp}'", "--key and --clients go together"),
        ("'{tmp}/nowhere'\nkey = '{tmp}/box.key_secret'", "no folder of clients"),
    ],
    "insecure": SWITCH,
    "http": [
        ("'nowhere'", "not HOST:PORT"),
        ("'127.0.0.1:99999'", "not HOST:PORT"),
        ("'127.0.0.1:' ", "not HOST:PORT"),
        ("'0.0.0.0:0'", "can be reached from other machines"),
    ],
    "view": [("'nowhere'", "not HOST:PORT"), ("'127.0.0.1:99999'", "not HOST:PORT")],
    "view_host": [
        ("'box.local'", "--view-host needs a page"),
        ("'ftp://box'\nview = '127.0.0.1:0'", "'ftp://box' is neither a host"),
    ],
    "view_token": [("'short'\nview = '127.0.0.1:0'", "a --view-token is 16 to 256")],
    "show_video": SWITCH,
    "teach_to": [
        ("'{tmp}/x.txt'", "ends in .onnx, not x.txt"),
        ("'{tmp}/x.onnx'", "--teach-to needs a page"),
        ("'{tmp}/text/x.onnx'", "--teach-to: cannot write"),
    ],
    "teach_token": [
        ("'0123456789abcdef'", "--teach-token needs a file"),
        ("'short'\nview = '127.0.0.1:0'\nteach-to = '{tmp}/x.onnx'", "a --teach-token is 16 to 256"),
        (
            f"'{16 * 'a'}'\nview-token = '{16 * 'a'}'\nview = '127.0.0.1:0'\nteach-to = '{{tmp}}/x.onnx'",
            "everybody who",
        ),
    ],
    "record": [("'{tmp}/text'", "cannot record to"), ("'{tmp}/text/below'", "cannot record to")],
    "record_mb": [("0\nrecord = '{tmp}'", "0.001 to 1000000, not 0"), ("nan\nrecord = '{tmp}'", "not nan")],
    "record_hours": [("0\nrecord = '{tmp}'", "more than 0"), ("nan\nrecord = '{tmp}'", "not nan")],
    "record_keep": [("0\nrecord = '{tmp}'", "at least 1, not 0")],
    "profile": SWITCH,
    "profile_window": [("0\nprofile = true", "1 to 3600 s, not 0"), ("nan\nprofile = true", "not nan")],
    "profile_step": [("0.5\nprofile = true", "1 to 3600 s, not 0.5"), ("nan\nprofile = true", "not nan")],
    "profile_baseline_minutes": [
        ("0\nprofile = true", "0.1 to 120, not 0"),
        ("nan\nprofile = true", "not nan"),
        ("5\nprofile = true\nprofile-baseline = '{tmp}/text'", "exclude each other"),
        ("5", "need --profile"),
    ],
    "profile_baseline": [
        ("'{tmp}/nowhere.jsonl'\nprofile = true", "no recording at"),
        ("'{tmp}/text'\nprofile = true", "not a message"),
    ],
    "lsl": SWITCH,
    "lsl_format": [("'xml'", "'xml' is not one of")],
    "lsl_people": [("0\nlsl = true\nskeletons = true", "1 to 16, not 0"), ("2", "--lsl-people needs --lsl")],
    "lsl_markers": [("''", "a stream is a name"), ("['stimuli', 'type=']", "not 'type='"), ("[]", "text, or a list")],
    "quiet": SWITCH,
    "thresholds": [
        ("5", "numbers by label or body group"),
        ("{nodding = 'high'}", "numbers by label or body group"),
        ("{nodding = 0}", "that of 'nodding' is more than 0"),
        ("{nodding = 1.5}", "not 1.5"),
        ("{nodding = nan}", "not nan"),
    ],
    "event_rules": [
        ("5", "a table of numbers by rule, not 5"),
        ("{smoothing_s = 'often'}", "smoothing_s is a number, not 'often'"),
        ("{update-s = true}", "update-s is a number, not true"),
        ("{smoothing_s = 61}", "smoothing_s is 0 to 60, not 61"),
        ("{away_share = nan}", "away_share is 0 to 1, not nan"),
        ("{smothing_s = 1}", "no such rule: smothing_s; there are away_share, "),
        ("{smothing_s = 1}", "did you mean 'smoothing_s'?"),
        ("{rest_s = 1, rest-s = 1}", "rest-s is there twice"),
    ],
    "fusion": [
        ("5", "a table of numbers by rule, not 5"),
        ("{weight = 'much'}", "weight is a number, not 'much'"),
        ("{weight = 1.5}", "weight is 0 to 1, not 1.5"),
        ("{every_s = nan}", "every_s is 0.1 to 3600, not nan"),
        ("{wait = 1}", "no such rule: wait; there are every_s, holds_s, weight"),
    ],
}
CONTRADICTIONS = [
    ("on = 0.3\noff = 0.5", "given were on 0.3, off 0.5"),
    ("stride-s = 0.3\nstride_s = 0.4", "stride_s is there twice"),
    ("realtime = true\nas-fast-as-possible = true", "--realtime and --as-fast-as-possible exclude each other"),
    ("show-video = true", "--show-video needs a page"),
    ("record-keep = 3", "need --record FOLDER"),
    ("lsl = true", "--lsl: .*v.avi is played as fast as possible, .* add --realtime"),
    ("lsl = true\nlsl-people = 2\nrealtime = true", "--lsl-people needs --lsl and --skeletons"),
    ("lsl-format = 'text'", "--lsl-format needs --lsl"),
    ("http = '[::]:0'\nkey = '{tmp}/box.key_secret'\nclients = '{tmp}'", "--http .* is not encrypted"),
]
NOT_TOML = [
    b"stride-s = ",
    b"\xff\xfe",
    b"a = " + b"[" * 100_000,
    b"a = " + b"9" * 5000,
    b"\0",
    b"stride-s = 1\nstride-s = 2",
]


_TEXT = ["1.5", "true", "[['a']]", "1979-05-27", '"\\u0000"']
OTHER_KINDS = {
    "true or false": ["'yes'", "1", "[]"],
    "a whole number": ["1.5", "'two'", "true", "[1]"],
    "a number": ["'two'", "true", "[1.5]"],
    "text": [*_TEXT, "['a']"],
    "text, or a list of it": [*_TEXT, "[]", "[1.5]"],
}
COMMAND_KINDS = option_kinds(command_line().commands["serve"])


def test_every_option_has_cases():
    assert WRONG.keys() == {*COMMAND_KINDS, "thresholds", "event_rules", "fusion"}
    for name, kind in COMMAND_KINDS.items():
        assert WRONG[name] or kind.said == "true or false"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with the files of the cases."""
    from mar_edge.streaming.wire.keys import write_keys

    folder = tmp_path_factory.mktemp("options")
    video = cv2.VideoWriter(str(folder / "v.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 30.0, (32, 32))
    for _ in range(3):
        video.write(np.zeros((32, 32, 3), np.uint8))
    video.release()
    (folder / "text").write_text("hello\n")
    write_keys(folder, "box")
    write_keys(folder, "open")[1].chmod(0o644)
    return folder


@pytest.fixture
def refusal(folder, tmp_path, monkeypatch, user_error):
    """Return what ``serve`` says of a config file that it must refuse."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    def run(content):
        path = tmp_path / "mar-edge.toml"
        path.write_bytes(content)
        given = {line.partition("=")[0].strip() for line in content.decode("latin1").splitlines()}
        arguments = [] if "camera" in given else ["--camera", folder / "v.avi"]
        arguments += [] if "bind" in given else ["--bind", f"ipc://{tmp_path}/bus"]
        message = user_error("serve", "--config", path, *arguments)
        assert re.fullmatch(r"error: [^\n]{10,1100}", message), message
        return message

    return run


@pytest.mark.parametrize("option", COMMAND_KINDS)
def test_values_of_another_kind_are_refused(tmp_path, option):
    kind, path = COMMAND_KINDS[option], tmp_path / "mar-edge.toml"
    literals = OTHER_KINDS[kind.said]
    for toml in [*(f"{option} = {literal}" for literal in literals), f"[{option}]\nx = 1"]:
        path.write_text(toml)
        with pytest.raises(MarEdgeError, match=rf"mar-edge.toml: {option} is {kind.said}, not \S+"):
            read_config(path, COMMAND_KINDS)


@pytest.mark.parametrize(
    ("option", "value", "said"), [(option, *case) for option, cases in WRONG.items() for case in cases]
)
def test_wrong_values_are_refused(refusal, folder, option, value, said):
    key = option if option == "event_rules" else option.replace("_", "-")  # tables have one spelling
    message = refusal(f"{key} = {value}".replace("{tmp}", str(folder)).encode())
    assert said in message
    assert re.search(option.replace("model_sha256", "sha-256").replace("_", "[-_ ]"), message, re.IGNORECASE), message


@pytest.mark.parametrize(("toml", "said"), CONTRADICTIONS)
def test_contradictions_are_refused(refusal, folder, toml, said):
    assert re.search(said, refusal(toml.replace("{tmp}", str(folder)).encode()))


@pytest.mark.parametrize("name", ["strides", "config", "help", "context", "stride-s ", "--stride-s", ""])
def test_unknown_names_are_refused(refusal, name):
    assert f"no such option: {name}; there are" in refusal(f"{name!r} = 1".encode())


@pytest.mark.parametrize("content", NOT_TOML, ids=range(len(NOT_TOML)))
def test_files_that_are_not_toml_are_refused(refusal, content):
    assert "is not a TOML file" in refusal(content)


def test_a_file_that_is_too_large_or_missing_is_refused(refusal, tmp_path, user_error):
    assert "is no config file" in refusal(b"#" * (1 << 20 | 1))
    assert "cannot read config file" in user_error("serve", "--config", tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("toml", "said"), [("labels = 'yawning'", "--labels: "), ("[thresholds]\nyawning = 0.5", "[thresholds]: ")]
)
def test_unknown_labels_are_refused(refusal, toml, said):
    assert f"{said}the model has no label or body group 'yawning'" in refusal(toml.encode())
