"""SHA-256 of files: the stated and the actual one."""

import hashlib

import pytest

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.files.digest import check_sha256, parse_sha256, sha256_of

CONTENT = b"weights" * 100_000
STATED = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def path(tmp_path):
    (tmp_path / "m.onnx").write_bytes(CONTENT)
    return tmp_path / "m.onnx"


def test_a_file_with_the_stated_hash(path):
    assert sha256_of(path) == STATED
    check_sha256(path, STATED)
    check_sha256(path, parse_sha256(STATED.upper()))


def test_one_changed_bit_is_an_error(path):
    path.write_bytes(CONTENT[:-1] + bytes([CONTENT[-1] ^ 1]))
    with pytest.raises(MarEdgeError, match=f"its SHA-256 is [0-9a-f]{{64}}, stated is {STATED}"):
        check_sha256(path, STATED)


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(MarEdgeError, match=r"cannot read .*m.onnx: No such file"):
        check_sha256(tmp_path / "m.onnx", STATED)


@pytest.mark.parametrize("text", ["", "abc", STATED[:-1], STATED + "0", STATED[:-1] + "g", " " + STATED[1:], "ü" * 64])
def test_a_text_that_is_no_sha256_is_refused(text):
    with pytest.raises(MarEdgeError, match="64 hexadecimal digits"):
        parse_sha256(text)
