"""CURVE keys: generates, reads and checks them, and follows the folder of authorized clients. Opens no sockets.

The files have the format of ZeroMQ's own tools. ``NAME.key`` holds the public key, to hand out. ``NAME.key_secret``
holds both keys and must stay with its owner.
"""

from __future__ import annotations

import logging
import os
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path
from struct import error as struct_error

import zmq
from zmq.utils import z85

from mar_edge.edge.errors import MarEdgeError

PUBLIC, SECRET = ".key", ".key_secret"
_MAX_BYTES = 64 * 1024
_MOST_CLIENTS = 10_000
_log = logging.getLogger("mar_edge.keys")


@dataclass(frozen=True)
class KeyPair:
    """A public and a secret key, 40 characters of Z85 each."""

    public: bytes
    secret: bytes = field(repr=False)


@dataclass(frozen=True)
class ServerKeys:
    """Keys of a sender: its own, and the folder with the public keys of authorized clients."""

    own: KeyPair
    clients: Path


@dataclass(frozen=True)
class ClientKeys:
    """Keys of a subscriber: its own, and the public key of the sender."""

    own: KeyPair
    server: bytes


def write_keys(folder: Path, name: str) -> tuple[Path, Path]:
    """Generate a pair of keys and write it to two files.

    Returns:
        The public file, and the secret file, which only its owner may read.

    Raises:
        MarEdgeError: the name is invalid, or the files exist or cannot be written.
    """
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", name):
        raise MarEdgeError(f"'{name}' is not a valid name of a key; use up to 64 letters, digits, '_', '.' and '-'")
    public, secret = zmq.curve_keypair()
    paths = folder / f"{name}{PUBLIC}", folder / f"{name}{SECRET}"
    texts = (
        f"# Public: may be handed out.\n{_form(public)}",
        f"# SECRET: stays here.\n{_form(public, secret)}",
    )
    written: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path in paths:
            if path.exists():
                raise MarEdgeError(f"{path} exists; choose another name, or remove the file if it is not in use")
        for path, text, mode in zip(paths, texts, (0o644, 0o600), strict=True):
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as file:
                written.append(path)
                file.write(text)
    except OSError as error:
        for path in written:  # no half of a pair may stay
            path.unlink(missing_ok=True)
        raise MarEdgeError(f"cannot write keys to {folder}: {error.strerror}") from None
    return paths


def read_secret_key(path: Path) -> KeyPair:
    """Read a pair of keys from the secret file.

    Raises:
        MarEdgeError: there is no such file, other users may read it, or it holds no pair of keys.
    """
    halves = _read(path)
    mode = stat.S_IMODE(path.stat().st_mode)
    if os.name == "posix" and mode & 0o077:
        raise MarEdgeError(f"{path} can be read by other users (mode {mode:04o}); run chmod 600 {path}")
    if "secret-key" not in halves:
        raise MarEdgeError(f"{path} holds no secret key; expected the {SECRET} file of 'mar-edge keygen'")
    public, secret = halves["public-key"], halves["secret-key"]
    if zmq.curve_public(secret) != public:
        raise MarEdgeError(f"the two keys in {path} do not belong together; generate new ones with 'mar-edge keygen'")
    return KeyPair(public, secret)


def read_public_key(path: Path) -> bytes:
    """Read a public key.

    Raises:
        MarEdgeError: there is no such file, or it holds no key.
    """
    return _read(path)["public-key"]


class AuthorizedClients:
    """The public keys in a folder, which is read again when it changes.

    Raises:
        MarEdgeError: there is no such folder.
    """

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise MarEdgeError(
                f"no folder of clients at {folder}; make it and put the {PUBLIC} files of authorized subscribers there"
            )
        self._folder = folder
        self._known: dict[bytes, str] = {}
        self._signature: object = None
        self.refresh()

    def __contains__(self, public: bytes) -> bool:
        return public in self._known

    def __len__(self) -> int:
        return len(self._known)

    def refresh(self) -> bool:
        """Read the folder again if anything in it changed.

        A file without a key is left out, with a warning. A folder that cannot be read authorizes no client.

        Returns:
            Whether a client lost access, so that its connection must be closed.
        """
        try:
            files = sorted(self._folder.glob(f"*{PUBLIC}"))[:_MOST_CLIENTS]
            signature = [(file.name, (stats := file.stat()).st_mtime_ns, stats.st_size, stats.st_ino) for file in files]
        except OSError as error:
            files, signature = [], [(str(error), 0, 0, 0)]
        if signature == self._signature:
            return False
        self._signature = signature
        before, self._known = self._known, self._read_all(files)
        for what, keys in (
            ("is authorized", self._known.keys() - before),
            ("is no longer authorized", before - self._known.keys()),
        ):
            for key in keys:
                _log.info("client %s %s", {**before, **self._known}[key], what)
        return bool(before.keys() - self._known.keys())

    @staticmethod
    def _read_all(files: list[Path]) -> dict[bytes, str]:
        known = {}
        for file in files:
            try:
                known[read_public_key(file)] = file.stem
            except MarEdgeError as error:  # noqa: PERF203 - one bad file must not hide the others
                _log.warning("key file left out: %s", error)
        return known


def _form(public: bytes, secret: bytes | None = None) -> str:
    lines = ["metadata", "curve", f'    public-key = "{public.decode()}"']
    if secret is not None:
        lines.append(f'    secret-key = "{secret.decode()}"')
    return "\n".join(lines) + "\n"


def _read(path: Path) -> dict[str, bytes]:
    """Return the keys in a file, by name."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise MarEdgeError(f"{path} is too large for a key file; expected a file of 'mar-edge keygen'")
        text = path.read_text("ascii")
    except OSError as error:
        raise MarEdgeError(f"cannot read key {path}: {error.strerror}; 'mar-edge keygen' generates keys") from None
    except UnicodeDecodeError:
        raise MarEdgeError(f"{path} is not a key file; expected a file of 'mar-edge keygen'") from None
    halves = {
        name: key.encode() for name, key in re.findall(r'^\s*(public-key|secret-key)\s*=\s*"(.*)"\s*$', text, re.M)
    }
    if "public-key" not in halves or not all(_is_key(key) for key in halves.values()):
        raise MarEdgeError(f"{path} is not a key file; expected a file of 'mar-edge keygen'")
    return halves


def _is_key(text: bytes) -> bool:
    try:
        return len(text) == 40 and len(z85.decode(text)) == 32
    except (ValueError, KeyError, OverflowError, struct_error):
        return False
