"""Reads untrusted pickles of numpy arrays, numbers, text and builtin containers. Runs no code from the file.

Unpickling calls the functions that a file names. Here a file may name only the few that pickle an array, and each is
replaced by a substitute below. No numpy code runs before shape, type and size are checked.
"""

from __future__ import annotations

import math
import pickle
import pickletools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.errors import MarEdgeError

# Twenty times MA-52 in double precision.
_MAX_FILE_BYTES = 16 << 30
# numpy's type of text. No name is longer.
_TEXT_TYPE = re.compile(r"U\d{1,4}")
_NUMBER_TYPES = ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1")
_BYTE_ORDERS = ("<", ">", "=", "|")


class _Refused(Exception):
    """A file names or builds something that does not belong in a data set; the message names it."""


class _NumberType:
    """Substitute for ``numpy.dtype``."""

    def __init__(self, code: object, *_: object) -> None:
        if code not in _NUMBER_TYPES and not _TEXT_TYPE.fullmatch(str(code)):
            raise _Refused(f"an array of type {str(code)[:40]!r}; expected numbers or text")
        self._code = code
        self._order = "="

    def __setstate__(self, state: Any) -> None:
        if not isinstance(state, tuple) or len(state) < 2 or state[1] not in _BYTE_ORDERS:
            raise _Refused("a number type of unknown form")
        self._order = state[1]

    def values(self, raw: object, count: int) -> NDArray[Any]:
        dtype = np.dtype(f"{self._order}{self._code}")
        if not isinstance(raw, (bytes, bytearray)) or len(raw) != count * dtype.itemsize:
            raise _Refused(f"an array of {count} numbers whose content has another length")
        return np.frombuffer(raw, dtype)


class PickledArray:
    """An array as stored in the file; ``array`` builds it."""

    def __init__(self, *_: object) -> None:
        self._flat: NDArray[Any] = np.empty(0)
        self._shape: tuple[int, ...] = (0,)
        self._order: Any = "C"

    def __setstate__(self, state: Any) -> None:
        if not isinstance(state, tuple) or len(state) != 5:
            raise _Refused("an array of unknown form")
        _, shape, number_type, by_columns, raw = state
        self._fill(shape, number_type, raw, "F" if by_columns else "C")

    def _fill(self, shape: object, number_type: object, raw: object, order: object) -> None:
        if (
            not isinstance(shape, tuple)
            or not all(isinstance(size, int) and size >= 0 for size in shape)
            or not isinstance(number_type, _NumberType)
            or order not in {"C", "F"}
        ):
            raise _Refused("an array of unknown form")
        self._flat = number_type.values(raw, math.prod(shape))
        self._shape, self._order = shape, order

    def array(self) -> NDArray[Any]:
        """Return the array, read-only, in this machine's byte order."""
        shaped = self._flat.reshape(self._shape, order=self._order)
        return shaped.astype(shaped.dtype.newbyteorder("="), copy=False)


def _from_buffer(raw: object, number_type: object, shape: object, order: object) -> PickledArray:
    """Replace the function that builds an array in protocol 5."""
    made = PickledArray()
    made._fill(shape, number_type, raw, order)
    return made


def _scalar(number_type: object, raw: object) -> object:
    if not isinstance(number_type, _NumberType):
        raise _Refused("a number of unknown form")
    return number_type.values(raw, 1)[0].item()


def _encode(text: object, encoding: object) -> bytes:
    """Return bytes, which protocol 2 writes as text and this call."""
    if not isinstance(text, str) or encoding != "latin1":
        raise _Refused("text of unknown form")
    return text.encode("latin1")


def _empty_bytes(*arguments: object) -> bytes:
    if arguments:
        raise _Refused("bytes of unknown form")
    return b""


_SUBSTITUTES: dict[tuple[str, str], Callable[..., Any]] = {
    ("numpy", "ndarray"): PickledArray,
    ("numpy", "dtype"): _NumberType,
    ("_codecs", "encode"): _encode,
    ("builtins", "bytes"): _empty_bytes,
    ("__builtin__", "bytes"): _empty_bytes,
}
for _core in ("numpy.core", "numpy._core"):  # before numpy 2 and since
    _SUBSTITUTES[f"{_core}.multiarray", "_reconstruct"] = PickledArray
    _SUBSTITUTES[f"{_core}.multiarray", "scalar"] = _scalar
    _SUBSTITUTES[f"{_core}.numeric", "_frombuffer"] = _from_buffer


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """Return the substitute for a name in the file."""
        try:
            return _SUBSTITUTES[module, name]
        except KeyError:
            raise _Refused(f"it names {module[:40]}.{name[:40]}") from None


def _check_sizes(file: BinaryIO) -> None:
    """Raise if a few bytes request much memory: content longer than the file, or a memo index far beyond its end."""
    for count, (code, argument, _) in enumerate(pickletools.genops(file)):
        if code.name in {"PUT", "LONG_BINPUT"} and isinstance(argument, int) and argument > count:
            raise _Refused(f"it counts {argument} objects, but there are {count}")


def read_pickle(path: Path) -> object:
    """Read the content of a pickle; arrays in it are ``PickledArray``.

    Raises:
        MarEdgeError: the file is missing, too large or damaged, or names anything that a data set does not need. No
            such thing is run.
    """
    try:
        size = path.stat().st_size
        if size > _MAX_FILE_BYTES:
            raise MarEdgeError(f"{path} has {size >> 30} GiB; a data set has up to {_MAX_FILE_BYTES >> 30}")
        with path.open("rb") as file:
            _check_sizes(file)
            file.seek(0)
            return _Reader(file).load()
    except OSError as error:
        raise MarEdgeError(f"cannot read {path}: {error.strerror}") from None
    except _Refused as error:
        raise MarEdgeError(
            f"{path} holds more than arrays, numbers, text, lists and dicts: {error}; none of it was run"
        ) from None
    # Errors that an unpickler raises on damaged bytes.
    except (
        pickle.UnpicklingError, EOFError, LookupError, ValueError, TypeError, AttributeError, MemoryError,
        OverflowError, RecursionError, ImportError,
    ) as error:  # fmt: skip
        raise MarEdgeError(f"{path} is not a complete pickle file ({str(error) or type(error).__name__})") from None
