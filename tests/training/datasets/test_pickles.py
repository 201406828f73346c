"""Untrusted pickles: arrays in every form that numpy writes, and content that is refused."""

import os
import pickle
import struct

import numpy as np
import pytest

from mar_edge.edge.errors import MarEdgeError
from mar_edge.training.datasets.pickles import PickledArray, read_pickle


def write(path, content, protocol=None):
    path.write_bytes(pickle.dumps(content, protocol))
    return path


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(
    "array",
    [
        np.arange(24, dtype=np.float32).reshape(1, 3, 4, 2),
        np.arange(24, dtype=np.float64).reshape(1, 3, 4, 2)[:, ::2],
        np.asfortranarray(np.arange(24, dtype=np.float16).reshape(2, 12)),
        np.arange(5, dtype=">f4"),
        np.array([True, False]),
        np.zeros((0, 4), np.int64),
        np.array(2.5),
    ],
    ids=["single", "strided", "fortran", "big-endian", "bool", "empty", "0-d"],
)
def test_arrays_of_numbers(tmp_path, array, protocol):
    content = read_pickle(write(tmp_path / "a.pkl", {"a": [array, array]}, protocol))
    first, second = content["a"]
    assert first is second
    assert isinstance(first, PickledArray)
    got = first.array()
    np.testing.assert_array_equal(got, array)
    assert got.dtype == array.dtype.newbyteorder("=")


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_containers_text_and_numbers(tmp_path, protocol):
    content = {"list": [1, 2.5, None, True], "tuple": ("a", "ü"), "bytes": b"\xff", "none": b"", "nested": {"x": []}}
    assert read_pickle(write(tmp_path / "a.pkl", content, protocol)) == content
    read = read_pickle(write(tmp_path / "b.pkl", {"label": np.int64(7), "score": np.float32(0.5)}, protocol))
    assert read == {"label": 7, "score": 0.5}


class Calls:
    """Its pickle calls a given function."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize(
    ("made", "named"),
    [
        (lambda path: Calls(os.system, f"touch {path}"), "posix.system"),
        (lambda path: Calls(open, str(path), "w"), "open"),
        (lambda path: Calls(eval, "1"), "builtins.eval"),
        (lambda path: Calls(getattr, [], "append"), "builtins.getattr"),
        (lambda path: Calls(np.load, str(path)), "numpy.load"),
        (lambda path: Calls(np.fromfile, str(path)), "fromfile"),
        (lambda path: Calls(bytes, 10**12), "bytes of unknown form"),
        (lambda path: Calls(__import__, "this"), "__import__"),
        (lambda path: {1, 2}, None),  # a set is a builtin container
    ],
)
def test_other_names_are_refused_and_not_run(tmp_path, made, named):
    target = tmp_path / "touched"
    path = write(tmp_path / "bad.pkl", {"annotations": [made(target)]}, 4)
    if named is None:
        assert read_pickle(path)
        return
    with pytest.raises(MarEdgeError, match="holds more than arrays") as error:
        read_pickle(path)
    assert named in str(error.value)
    assert "\n" not in str(error.value)
    assert not target.exists()


def array_pickle(shape, number_type, raw):
    """Return the pickle of an array with a given state."""

    class State:
        def __reduce__(self):
            reconstruct, arguments, _ = np.zeros(1).__reduce__()
            return reconstruct, arguments, (1, shape, number_type, False, raw)

    return State()


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (np.array([{}, []], object), "'O8'"),
        (np.array([b"text"]), "'S4'"),
        (np.zeros(2, [("x", "f4")]), "'V4'"),
        (np.array(["2020-01-01"], "M8[D]"), "'M8'"),
        (array_pickle((10**9, 10**9), np.dtype("f8"), b"12345678"), "another length"),
        (array_pickle((-1,), np.dtype("f8"), b"12345678"), "unknown form"),
        (array_pickle((1,), "f8", b"12345678"), "unknown form"),
        (array_pickle((1,), np.dtype("f8"), [1.0]), "another length"),
        (array_pickle(1, np.dtype("f8"), b"12345678"), "unknown form"),
    ],
)
def test_arrays_of_other_types_or_of_wrong_size_are_refused(tmp_path, content, named):
    with pytest.raises(MarEdgeError, match="none of it was run") as error:
        read_pickle(write(tmp_path / "bad.pkl", [content], 4))
    assert named in str(error.value)


def test_other_bytes_are_an_error_of_one_line(tmp_path):
    path = tmp_path / "a.pkl"
    whole = pickle.dumps({"annotations": [np.zeros((1, 3, 4, 2))]})
    damaged = [b"", b"hello\n", whole[:-20], whole[: len(whole) // 2], b"\x80\x05" + os.urandom(64), b"(l" * 10]
    for content in damaged:
        path.write_bytes(content)
        with pytest.raises(MarEdgeError, match=r"is not a complete pickle file|holds more than") as error:
            read_pickle(path)
        assert "\n" not in str(error.value)
    with pytest.raises(MarEdgeError, match=r"cannot read .*No such file"):
        read_pickle(tmp_path / "nowhere.pkl")


@pytest.mark.parametrize(
    "content",
    [
        b"]r" + struct.pack("<I", 2**31) + b".",
        b"]p999999999\n.",
        b"\x80\x05\x96" + struct.pack("<Q", 10**11) + b".",
        b"\x80\x04\x8e" + struct.pack("<Q", 10**11) + b".",
    ],
    ids=["memo", "memo as text", "bytearray", "bytes"],
)
def test_few_bytes_cannot_request_much_memory(tmp_path, content):
    path = tmp_path / "bomb.pkl"
    path.write_bytes(content)
    with pytest.raises(MarEdgeError, match=r"counts \d+ objects|not a complete pickle"):
        read_pickle(path)


def test_every_single_damaged_byte_is_an_error_or_harmless(tmp_path):
    """Fuzz each byte: the result is a MarEdgeError or a value, never another exception."""
    path = tmp_path / "a.pkl"
    whole = bytearray(pickle.dumps([{"frame_dir": "a", "keypoint": np.zeros((1, 2, 3, 2), np.float32)}], 4))
    rng = np.random.default_rng(0)
    refused = 0
    for _ in range(600):
        content = whole.copy()
        content[rng.integers(len(whole))] = rng.integers(256)
        path.write_bytes(content)
        try:
            read_pickle(path)
        except MarEdgeError:
            refused += 1
    assert refused > 100
