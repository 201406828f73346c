"""Word vectors of labels, which MANet's second head learns to point at. numpy only.

They come from a file of the user: a table with a row for each label, or the text file of GloVe. From that, a row is the
mean of the vectors of a label's words, as in the authors' table.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.labels import Label

TABLE = "word_vectors"
"""Name of the table in an ``.npz`` file with several arrays."""
_LEFT_OUT = "or"
# Rows that are not the mean over all words, as the authors' table has them: "" is a vector of zeros.
_EXCEPTIONS = {"sitting straightly": ("sitting", ""), "bowing head": ("bowing",), "arms akimbo": ("akimbo",)}
_MOST_BYTES = 1 << 28
_LONGEST_LINE = 1 << 16
_MOST_NUMBERS = 4096


@dataclass(frozen=True)
class WordTable:
    """Word vectors (K, E) float32, one for each label, and what a user should know about them, a line each."""

    vectors: NDArray[np.float32]
    notes: tuple[str, ...] = ()


def words_of(name: str) -> tuple[str, ...]:
    """Return the words whose mean vector is that of a label; "" has a vector of zeros."""
    if name in _EXCEPTIONS:
        return _EXCEPTIONS[name]
    return tuple(word for word in name.lower().replace("-", " ").split() if word != _LEFT_OUT)


def read_words(path: Path, labels: Sequence[Label]) -> WordTable:
    """Read the word vectors of labels from a file: ``.npy``, ``.npz``, a table in text, or GloVe's text file.

    Raises:
        MarEdgeError: it cannot be read, is none of these, or does not hold finite vectors for these labels.
    """
    try:
        with path.open("rb") as file:
            if path.suffix in {".npy", ".npz"}:
                table = _arrays(path)
            elif _begins_with_number(file):
                table = _text_table(path, file)
            else:
                return _from_glove(path, file, labels)
    except OSError as error:
        raise MarEdgeError(f"cannot read the word vectors {path}: {error.strerror or error}") from None
    K = len(labels)
    if table.ndim != 2 or table.shape[0] != K or not 0 < table.shape[1] <= _MOST_NUMBERS or table.dtype.kind != "f":
        raise MarEdgeError(
            f"{path}: expected word vectors ({K}, E), a row for each label; it holds {table.shape} of {table.dtype}"
        )
    vectors = table.astype(np.float32)
    if not np.isfinite(vectors).all():
        raise MarEdgeError(f"{path}: its word vectors are not all finite")
    return WordTable(vectors)


def _arrays(path: Path) -> NDArray[np.float32]:
    """Return the array of an ``.npy`` file, or the only or so named one of an ``.npz`` file."""
    try:
        size = path.stat().st_size
        if path.suffix == ".npz":
            with zipfile.ZipFile(path) as parts:  # a small archive may unpack to much more
                size = sum(part.file_size for part in parts.infolist())
        if size > _MOST_BYTES:
            raise MarEdgeError(f"{path} holds more than {_MOST_BYTES >> 20} MiB; expected word vectors of labels")
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return loaded
        with loaded:
            names = loaded.files if len(loaded.files) == 1 else [name for name in loaded.files if name == TABLE]
            if not names:
                raise MarEdgeError(f"{path} holds {len(loaded.files)} arrays, none named {TABLE}")
            array: NDArray[np.float32] = loaded[names[0]]
            return array
    except (zipfile.BadZipFile, zlib.error, ValueError, EOFError, KeyError) as error:
        raise MarEdgeError(f"{path} is not a whole file of arrays ({error})") from None


def _begins_with_number(file: BinaryIO) -> bool:
    """Return whether the first line of text is numbers only; the file is then read from its start."""
    first = file.readline(_LONGEST_LINE).replace(b",", b" ").split()
    file.seek(0)
    try:
        return bool([float(number) for number in first])
    except ValueError:
        return False


def _text_table(path: Path, file: BinaryIO) -> NDArray[np.float32]:
    content = file.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise MarEdgeError(f"{path} has more than {_MOST_BYTES >> 20} MiB; expected word vectors of labels")
    try:
        return np.loadtxt(io.BytesIO(content.replace(b",", b" ")), dtype=np.float32, ndmin=2, encoding="utf-8")
    except ValueError as error:
        raise MarEdgeError(f"{path} is not a table of numbers: {error}") from None


def _from_glove(path: Path, file: BinaryIO, labels: Sequence[Label]) -> WordTable:
    """Return the means of the vectors of each label's words; words without a vector count as zeros."""
    wanted = {label.name: words_of(label.name) for label in labels}
    of_word = _glove_vectors(path, file, {word for words in wanted.values() for word in words if word})
    unknown = sorted({word for words in wanted.values() for word in words if word} - of_word.keys())
    lost = [name for name, words in wanted.items() if not any(word in of_word for word in words)]
    if lost:
        raise MarEdgeError(f"{path} has no vector for any word of {', '.join(lost)}; give a table of your own")
    zeros = np.zeros_like(next(iter(of_word.values())))
    rows = [np.mean([of_word.get(word, zeros) for word in words], axis=0) for words in wanted.values()]
    notes = (f"{path.name}: no vector for {', '.join(unknown)}, taken as zeros",) if unknown else ()
    return WordTable(np.stack(rows).astype(np.float32), notes)


def _glove_vectors(path: Path, file: BinaryIO, wanted: set[str]) -> dict[str, NDArray[np.float64]]:
    """Return the vectors (E,) of the wanted words."""
    found: dict[str, NDArray[np.float64]] = {}
    E = 0
    for number, line in enumerate(iter(lambda: file.readline(_LONGEST_LINE), b""), 1):
        word, _, numbers = line.partition(b" ")
        E = E or len(numbers.split())
        name = word.decode("utf-8", "replace")
        if name not in wanted or name in found:
            continue
        try:
            vector = np.array(numbers.split(), np.float64)
        except ValueError:
            vector = np.empty(0)
        if not 0 < E <= _MOST_NUMBERS or len(vector) != E or not np.isfinite(vector).all():
            raise MarEdgeError(
                f"{path}, line {number}: expected a word and its {E or 300} numbers, as in GloVe's text files"
            )
        found[name] = vector
    if not found:
        raise MarEdgeError(f"{path} has none of the labels' words; expected GloVe's text file, or a table of numbers")
    return found
