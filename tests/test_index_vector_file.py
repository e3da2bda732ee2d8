"""Vectors on disk: what was written comes back, in any order; other files are clear errors."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.errors import IndexDamaged, VectorError
from index.vector_file import VectorFile, VectorWriter, key_of

DIMENSION = 12


def vectors_of(ids):
    """For each id its own vector of unit length."""
    rows = [np.random.default_rng(number).normal(size=DIMENSION) for number in ids]
    rows = np.array(rows, dtype=np.float32).reshape(len(ids), DIMENSION)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def ids_of(numbers):
    return np.array(list(numbers), dtype=np.int64)


def keys_of(ids):
    return np.array([key_of(f"text {number}") for number in ids], dtype=np.uint64)


def written(path, *parts):
    with VectorWriter(path, DIMENSION) as writer:
        for ids in parts:
            writer.append(ids_of(ids), keys_of(ids), vectors_of(ids))
    return VectorFile.open(path)


def test_vectors_come_back_in_the_order_asked_rounded_to_sixteen_bits(tmp_path):
    file = written(tmp_path / "vectors of ü", [3, 5, 8], [], [13, 10**15])
    assert (len(file), file.dimension, file.ids.tolist()) == (5, DIMENSION, [3, 5, 8, 13, 10**15])
    assert file.keys.tolist() == keys_of([3, 5, 8, 13, 10**15]).tolist()
    asked = [13, 3, 10**15, 3]
    found = file.vectors(ids_of(asked))
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, vectors_of(asked).astype(np.float16).astype(np.float32))
    np.testing.assert_allclose(found @ vectors_of([7])[0], vectors_of(asked) @ vectors_of([7])[0], atol=3e-4)
    assert file.places(ids_of([5, 6, 0, 10**15 + 1])).tolist() == [1, -1, -1, -1]


@pytest.mark.parametrize("unknown", [4, 0, 99, -1])
def test_an_unknown_id_is_our_error(tmp_path, unknown):
    with pytest.raises(VectorError, match=f"no vector with the id {unknown}"):
        written(tmp_path / "v", [3, 5]).vectors(ids_of([3, unknown]))


def test_an_empty_file(tmp_path):
    file = written(tmp_path / "v")
    assert (len(file), file.dimension, list(file.blocks())) == (0, DIMENSION, [])
    assert file.vectors(ids_of([])).shape == (0, DIMENSION)
    with pytest.raises(VectorError):
        file.vectors(ids_of([1]))


@given(old=st.sets(st.integers(0, 60)), gone=st.sets(st.integers(0, 70)), new=st.sets(st.integers(61, 90)))
def test_copied_without_some_and_with_others(tmp_path_factory, old, gone, new):
    folder = tmp_path_factory.mktemp("vectors")
    before = written(folder / "before", sorted(old))
    with VectorWriter(folder / "after", DIMENSION) as writer:
        writer.copy(before, without=sorted(gone))
        writer.append(ids_of(sorted(new)), keys_of(sorted(new)), vectors_of(sorted(new)))
    after = VectorFile.open(folder / "after")
    expected = sorted(old - gone) + sorted(new)
    assert after.ids.tolist() == expected
    assert after.keys.tolist() == keys_of(expected).tolist()
    np.testing.assert_array_equal(after.vectors(after.ids), vectors_of(expected).astype(np.float16))


def test_blocks_hold_everything_once(tmp_path, monkeypatch):
    monkeypatch.setattr("index.vector_file._ROWS_AT_ONCE", 3)
    file = written(tmp_path / "v", range(8))
    ids, vectors = zip(*file.blocks(), strict=True)
    assert [part.tolist() for part in ids] == [[0, 1, 2], [3, 4, 5], [6, 7]]
    np.testing.assert_array_equal(np.concatenate(vectors), file.vectors(ids_of(range(8))))


@pytest.mark.parametrize(
    ("ids", "count", "dimension"),
    [([5], 1, DIMENSION), ([7, 6], 2, DIMENSION), ([9], 1, DIMENSION + 1), ([9], 2, DIMENSION), ([-1], 1, DIMENSION)],
)
def test_ids_that_do_not_ascend_and_wrong_shapes_are_errors(tmp_path, ids, count, dimension):
    with VectorWriter(tmp_path / "v", DIMENSION) as writer:
        writer.append(ids_of([5]), keys_of([5]), vectors_of([5]))
        with pytest.raises(VectorError):
            writer.append(ids_of(ids), keys_of(ids), np.ones((count, dimension), dtype=np.float32))
    assert VectorFile.open(tmp_path / "v").ids.tolist() == [5]


def test_a_file_that_was_not_finished_is_damaged(tmp_path):
    def stop():
        with VectorWriter(tmp_path / "v", DIMENSION) as writer:
            writer.append(ids_of([5]), keys_of([5]), vectors_of([5]))
            raise RuntimeError("stopped")

    with pytest.raises(RuntimeError, match="stopped"):
        stop()
    with pytest.raises(IndexDamaged, match="cannot be read"):
        VectorFile.open(tmp_path / "v")


def test_other_files_are_clear_errors(tmp_path):
    written(tmp_path / "v", [1, 2, 3])
    whole = (tmp_path / "v").read_bytes()
    for content in (b"", b"nonsense", whole[:40], whole[:-1], whole + b"\0", whole[:8] + b"\xff" * 16 + whole[24:]):
        (tmp_path / "cut").write_bytes(content)
        with pytest.raises(IndexDamaged, match="cannot be read"):
            VectorFile.open(tmp_path / "cut")
    with pytest.raises(IndexDamaged, match="cannot be read"):
        VectorFile.open(tmp_path / "missing")


def test_keys_tell_texts_apart_and_take_any_text():
    texts = ["", "a", "b", "a ", "\ud800", "日本", "a" * 100_000]
    assert len({key_of(text) for text in texts}) == len(texts)
    assert key_of("harbour") == key_of("harbour")
    assert all(0 <= key_of(text) < 2**64 for text in texts)
