"""Word vectors of labels: from tables, and from GloVe's text, as the authors' table was made."""

import numpy as np
import pytest

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.labels import Label, ma52_labels
from mar_edge.training.pictures.words import read_words, words_of

LABELS = (Label(0, "scratching or touching neck", ""), Label(1, "bowing head", ""), Label(2, "sitting straightly", ""))
TABLE = np.arange(12, dtype=np.float32).reshape(3, 4) / 7
GLOVE = {"scratching": [1, 2], "touching": [3, 5], "neck": [5, 8], "bowing": [-1, 0.5], "sitting": [4, 6]}
EXPECTED = [[3, 5], [-1, 0.5], [2, 3]]


def glove(path, vectors):
    lines = [f"{word} {' '.join(map(repr, map(float, numbers)))}" for word, numbers in vectors.items()]
    path.write_text("\n".join(["the 0.5 0.25" if len(lines[0].split()) == 3 else "the", *lines]) + "\n")
    return path


@pytest.mark.parametrize("kind", ["npy", "only.npz", "named.npz", "txt", "csv"])
def test_tables(tmp_path, kind):
    path = tmp_path / f"words.{kind}"
    if kind == "npy":
        np.save(path, TABLE)
    elif kind == "only.npz":
        np.savez(path, anything=TABLE)
    elif kind == "named.npz":
        np.savez(path, other=np.zeros(3), word_vectors=TABLE)
    else:
        np.savetxt(path, TABLE, fmt="%.9g", delimiter="," if kind == "csv" else " ")
    words = read_words(path, LABELS)
    np.testing.assert_array_equal(words.vectors, TABLE)
    assert words.vectors.dtype == np.float32
    assert words.notes == ()


def test_from_glove(tmp_path):
    words = read_words(
        glove(tmp_path / "glove.txt", GLOVE | {"or": [9, 9], "head": [9, 9], "straightly": [9, 9]}), LABELS
    )
    np.testing.assert_array_equal(words.vectors, np.array(EXPECTED, np.float32))
    assert words.notes == ()


def test_words_without_a_vector_count_as_zeros_and_are_named(tmp_path):
    known = {word: numbers for word, numbers in GLOVE.items() if word != "neck"}
    words = read_words(glove(tmp_path / "glove.txt", known), LABELS)
    np.testing.assert_allclose(words.vectors[0], [4 / 3, 7 / 3], rtol=1e-6)
    assert words.notes == ("glove.txt: no vector for neck, taken as zeros",)
    del known["bowing"]
    with pytest.raises(MarEdgeError, match="no vector for any word of bowing head; give a table of your own"):
        read_words(glove(tmp_path / "glove.txt", known), LABELS)


def test_the_authors_table_is_made_like_this(shared, tmp_path):
    # Labels that share words make the equations for the words' vectors contradict each other if the words are wrong.
    with np.load(shared("spec/golden_manet.npz")) as golden:
        authors = golden["word_vectors"]
    of_label = [words_of(label.name) for label in ma52_labels()]
    names = sorted({word for words in of_label for word in words if word})
    shares = np.array([[words.count(name) / len(words) for name in names] for words in of_label])
    assert np.linalg.matrix_rank(shares) < len(shares)
    vectors, *_ = np.linalg.lstsq(shares, authors.astype(np.float64), rcond=None)
    path = glove(tmp_path / "glove.txt", dict(zip(names, vectors.tolist(), strict=True)))
    np.testing.assert_allclose(read_words(path, ma52_labels()).vectors, authors, atol=1e-6)


def test_wrong_files_are_refused(tmp_path):
    def refused(name, content, expected):
        path = tmp_path / name
        path.write_bytes(content) if isinstance(content, bytes) else np.save(path, content)
        with pytest.raises(MarEdgeError, match=expected):
            read_words(path, LABELS)

    refused(
        "a.npy", np.zeros((2, 4), np.float32), r"expected word vectors \(3, E\), a row for each label; it holds \(2"
    )
    refused("a.npy", np.full((3, 4), np.nan), "not all finite")
    refused("a.npy", np.array([["a"] * 4] * 3), r"it holds \(3, 4\) of <U1")
    refused("a.npy", b"\x93NUMPY", "is not a whole file of arrays")
    refused("a.npz", b"PK", "is not a whole file of arrays")
    refused("a.txt", b"1 2 3\n4 5\n", "is not a table of numbers")
    refused("a.txt", b"the 0.1 0.2\nneck 0.1 x\n", "line 2: expected a word and its 2 numbers")
    refused("a.txt", b"the 0.1 0.2\nneck 0.1 nan\n", "line 2: expected a word")
    refused("a.txt", b"\xff\xd8 jpeg", "has none of the labels' words")
    with pytest.raises(MarEdgeError, match=r"cannot read the word vectors .*: No such file"):
        read_words(tmp_path / "nowhere.txt", LABELS)
