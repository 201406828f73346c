"""``keygen``, ``relay``, ``record`` and ``replay`` as a user runs them."""

import signal
import socket
import subprocess
import sys

import pytest


@pytest.fixture
def address():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"tcp://127.0.0.1:{probe.getsockname()[1]}"


def test_keys_are_not_overwritten(cli, user_error, tmp_path):
    done = cli("keygen", "box", "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "box.key_secret").stat().st_mode & 0o777 == 0o600
    assert "exists" in user_error("keygen", "box", "--out", tmp_path)


def test_keys_and_addresses_that_do_not_go_together(here, user_error, tmp_path):
    here("keygen", "box", "--out", tmp_path)
    key, public = tmp_path / "box.key_secret", tmp_path / "box.key"
    assert "go together" in user_error("serve", "--camera", "demo:", "--key", key)
    assert "go together" in user_error("subscribe", "--server-key", public)
    assert "keygen" in user_error("serve", "--camera", "demo:", "--bind", "tcp://0.0.0.0:0")
    assert "keygen" in user_error("relay", "--connect", "tcp://10.0.0.1:5557", "--bind", "tcp://0.0.0.0:0")
    key.chmod(0o644)
    assert "chmod 600" in user_error("serve", "--camera", "demo:", "--key", key, "--clients", tmp_path)


def test_replay_refuses_other_files(user_error, tmp_path):
    (tmp_path / "a.jsonl").write_text("hello\n")
    assert "line 1" in user_error("replay", tmp_path)
    assert "no recording at" in user_error("replay", tmp_path / "nowhere.jsonl")


def test_a_replay_is_relayed_and_recorded_with_keys(cli, here, tmp_path, address, unused_address):
    for name in ("box", "hub", "ann"):
        assert here("keygen", name, "--out", tmp_path).returncode == 0
    clients = {}
    for place, guest in (("box", "hub"), ("hub", "ann")):
        clients[place] = tmp_path / f"clients-{place}"
        clients[place].mkdir()
        (clients[place] / f"{guest}.key").write_bytes((tmp_path / f"{guest}.key").read_bytes())
    source = tmp_path / "source"
    source.mkdir()
    write_recording(source / "a.jsonl")

    def start(*arguments):
        command = [sys.executable, "-m", "mar_edge", *map(str, arguments)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    relay = start(
        *("relay", "--connect", address, "--bind", unused_address, "--key", tmp_path / "hub.key_secret"),
        *("--clients", clients["hub"], "--server-key", tmp_path / "box.key"),
    )
    record = start(
        *("record", tmp_path / "copy", "--connect", unused_address, "--until-end"),
        *("--key", tmp_path / "ann.key_secret", "--server-key", tmp_path / "hub.key"),
    )
    try:
        done = cli(
            *("replay", source, "--as-fast-as-possible", "--bind", address),
            *("--skeletons", "--wait-subscribers", 1, "--key", tmp_path / "box.key_secret"),
            *("--clients", clients["box"]),
        )
        assert done.returncode == 0, done.stderr
        _, said = record.communicate(timeout=60)
        assert record.returncode == 0, said
        relay.send_signal(signal.SIGTERM)
        _, said = relay.communicate(timeout=20)
        assert relay.returncode == 0, said
        assert "replay" in said
    finally:
        relay.kill()
        record.kill()
    (copy,) = (tmp_path / "copy").iterdir()
    assert sum('"kind":"skeleton"' in line for line in copy.read_text().splitlines()) == 90


def write_recording(path):
    import msgspec

    from mar_edge.edge.layout import load_layout
    from mar_edge.streaming.wire.encoding import encode
    from mar_edge.streaming.wire.messages import HelloMessage, SkeletonMessage

    head = {"stream": "cam", "run": "ab" * 16, "seq": 0, "kind_seq": 0, "t_publish_ns": 1}
    hello = HelloMessage(
        **head, source="demo:", size=(640, 480), fps=30.0, t_zero_ns=10**18, model="m", precision="fp32",
        layout="ma52", joints=load_layout("ma52").joints, labels=(), background=None, window_s=2.0, stride_s=0.2,
        on_thresholds=(), off_thresholds=(), pose="scripted", runtime="none", versions={},
    )  # fmt: skip
    lines = [encode(hello)]
    for frame in range(90):
        media_ns = frame * 33_333_333
        joints = tuple((300.0 + 3 * v, 200.0 + 5 * v + (frame % 20)) for v in range(44))
        skeleton = SkeletonMessage(
            **head, frame=frame, t_capture_ns=10**18 + media_ns, person=0, joints=joints, scores=(0.9,) * 44,
            t_media_ns=media_ns,
        )  # fmt: skip
        lines.append(msgspec.json.encode(skeleton))
    path.write_bytes(b"\n".join(lines) + b"\n")


@pytest.fixture
def unused_address():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"tcp://127.0.0.1:{probe.getsockname()[1]}"
