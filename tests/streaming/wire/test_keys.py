from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
import zmq
from hypothesis import given, settings
from hypothesis import strategies as st

from mar_edge.edge.errors import MarEdgeError
from mar_edge.streaming.wire.keys import AuthorizedClients, read_public_key, read_secret_key, write_keys


def test_generated_keys_can_be_read_and_only_by_their_owner(tmp_path: Path) -> None:
    public, secret = write_keys(tmp_path / "new", "box")
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    pair = read_secret_key(secret)
    assert read_public_key(public) == pair.public == zmq.curve_public(pair.secret)
    assert pair.secret.decode() not in repr(pair)
    assert pair.secret not in public.read_bytes()


def test_the_tools_of_zeromq_read_the_files(tmp_path: Path) -> None:
    import zmq.auth

    public, secret = write_keys(tmp_path, "box")
    assert zmq.auth.load_certificate(secret) == (read_secret_key(secret).public, read_secret_key(secret).secret)
    assert zmq.auth.load_certificate(public) == (read_public_key(public), None)


def test_keys_are_never_overwritten(tmp_path: Path) -> None:
    _, secret = write_keys(tmp_path, "box")
    before = secret.read_bytes()
    with pytest.raises(MarEdgeError, match="exists"):
        write_keys(tmp_path, "box")
    assert secret.read_bytes() == before
    with pytest.raises(MarEdgeError, match="is not a valid name of a key"):
        write_keys(tmp_path, "../box")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_secret_key_that_other_users_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    _, secret = write_keys(tmp_path, "box")
    secret.chmod(mode)
    with pytest.raises(MarEdgeError, match="chmod 600"):
        read_secret_key(secret)


def test_files_without_a_secret_key_are_refused(tmp_path: Path) -> None:
    public, secret = write_keys(tmp_path, "box")
    os.chmod(public, 0o600)
    with pytest.raises(MarEdgeError, match="holds no secret key"):
        read_secret_key(public)
    other = write_keys(tmp_path, "other")[1].read_text().splitlines()
    secret.write_text("\n".join([*secret.read_text().splitlines()[:-1], other[-1]]))
    with pytest.raises(MarEdgeError, match="do not belong together"):
        read_secret_key(secret)
    with pytest.raises(MarEdgeError, match="cannot read key"):
        read_secret_key(tmp_path / "nowhere.key_secret")


@settings(deadline=None)
@given(st.one_of(st.binary(max_size=300), st.text(alphabet='public-key="=\n 0aZ%', max_size=120).map(str.encode)))
def test_any_bytes_give_a_key_or_one_clear_error(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("any") / "x.key"
    path.write_bytes(content)
    with pytest.raises(MarEdgeError, match="is not a key file"):
        read_public_key(path)


def test_changes_of_the_client_folder_take_effect(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "clients"
    ann = read_public_key(write_keys(folder, "ann")[0])
    clients = AuthorizedClients(folder)
    assert ann in clients
    assert not clients.refresh()
    bob = read_public_key(write_keys(folder, "bob")[0])
    assert bob not in clients
    assert not clients.refresh()  # no client lost access
    assert {ann, bob} == {key for key in (ann, bob) if key in clients}
    (folder / "broken.key").write_text("hello")
    clients.refresh()
    assert "left out" in caplog.text
    assert len(clients) == 2
    (folder / "ann.key").unlink()
    assert clients.refresh()
    assert ann not in clients
    assert bob in clients


def test_a_missing_client_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(MarEdgeError, match="no folder of clients"):
        AuthorizedClients(tmp_path / "clients")
