"""The contract of vector stores, over every store: ids, order and scores as NumPy says; for those that are approximate,
nearly so, by the recall stated here."""

import numpy as np
import pytest

from index.errors import IndexDamaged, SettingsError, VectorError
from index.stores import LARGEST_EXACT, STORES, new_store, open_store, store_for

DIMENSION = 16
APPROXIMATE = {"faiss-ivf"}
SCORES_OFF_BY = {name: 0.02 if name in APPROXIMATE else 2e-6 for name in STORES}


def unit_vectors(count, *, seed=0):
    vectors = np.random.default_rng(seed).normal(size=(count, DIMENSION)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def ids_of(*numbers):
    return np.array(numbers, dtype=np.int64)


@pytest.fixture(params=sorted(STORES))
def name(request):
    return request.param


@pytest.fixture
def store(name):
    made = new_store(name, DIMENSION)
    made.train(unit_vectors(500))
    return made


def brute_force(ids, vectors, vector, k):
    scores = np.round(vectors.astype(np.float64) @ vector.astype(np.float64), 6)
    return sorted(zip(ids.tolist(), scores.tolist(), strict=True), key=lambda pair: (-pair[1], pair[0]))[:k]


def test_ids_order_and_scores_are_those_of_brute_force(store, name):
    ids = np.random.default_rng(1).permutation(10**12 + np.arange(500)).astype(np.int64)
    vectors = unit_vectors(500)
    store.upsert(ids, vectors)
    assert (len(store), store.dimension) == (500, DIMENSION)
    right = 0
    for vector in unit_vectors(20, seed=2):
        found = store.search(vector, 10)
        expected = brute_force(ids, vectors, vector, 10)
        assert len({number for number, _ in found}) == 10
        right += len({number for number, _ in found} & {number for number, _ in expected})
        np.testing.assert_allclose([s for _, s in found], [s for _, s in expected], atol=SCORES_OFF_BY[name])
        assert [score for _, score in found] == sorted((score for _, score in found), reverse=True)
        if name not in APPROXIMATE:
            assert [number for number, _ in found] == [number for number, _ in expected]
    assert right >= 0.98 * 200


@pytest.mark.parametrize("base", [0, 10**12], ids=["small ids", "large ids"])
def test_a_search_among_some_finds_the_nearest_of_them(store, name, base):
    ids = base + np.arange(500, dtype=np.int64)
    vectors = unit_vectors(500)
    store.upsert(ids, vectors)
    for count in (1, 7, 250):
        allowed = np.random.default_rng(count).choice(ids, size=count, replace=False)
        chosen = np.isin(ids, allowed)
        right = 0
        for vector in unit_vectors(20, seed=2):
            expected = brute_force(ids[chosen], vectors[chosen], vector, 5)
            found = store.search(vector, 5, among=np.append(allowed, base + 999))
            assert len(found) == min(5, count)
            assert {number for number, _ in found} <= set(allowed.tolist())
            right += len({number for number, _ in found} & {number for number, _ in expected})
            if name not in APPROXIMATE:
                assert [number for number, _ in found] == [number for number, _ in expected]
        assert right >= 0.98 * 20 * min(5, count)
    assert store.search(vectors[0], 5, among=ids_of()) == []
    assert store.search(vectors[0], 5, among=ids_of(base + 999)) == []


def test_an_exact_match_comes_first_with_score_one(store, name):
    vectors = unit_vectors(50)
    store.upsert(np.arange(50, dtype=np.int64), vectors)
    number, score = store.search(vectors[17], 1)[0]
    assert number == 17
    assert score == pytest.approx(1.0, abs=SCORES_OFF_BY[name])


def test_more_than_there_is_gives_what_there_is(store):
    store.upsert(ids_of(4, 7), unit_vectors(2))
    assert sorted(number for number, _ in store.search(unit_vectors(1, seed=3)[0], 100)) == [4, 7]
    assert store.search(unit_vectors(1)[0], 0) == []


def test_an_empty_store_finds_nothing(store):
    assert store.search(unit_vectors(1)[0], 5) == []
    assert len(store) == 0
    store.delete(ids_of(1))
    store.upsert(ids_of(), np.empty((0, DIMENSION), dtype=np.float32))


def test_upsert_replaces(store):
    old, new = unit_vectors(2)
    store.upsert(ids_of(5, 6), np.stack([old, old]))
    store.upsert(ids_of(5), new[None])
    assert len(store) == 2
    assert [number for number, _ in store.search(old, 2)] == [6, 5]
    assert [number for number, _ in store.search(new, 2)] == [5, 6]


def test_delete_removes_and_ignores_unknown_ids(store):
    vectors = unit_vectors(4)
    store.upsert(ids_of(1, 2, 3, 4), vectors)
    store.delete(ids_of(2, 99))
    assert len(store) == 3
    assert sorted(number for number, _ in store.search(vectors[1], 10)) == [1, 3, 4]
    store.delete(ids_of(1, 3, 4))
    assert (len(store), store.search(vectors[1], 10)) == (0, [])


@pytest.mark.parametrize("name", sorted(set(STORES) - APPROXIMATE))
def test_equal_vectors_are_ordered_by_id_even_where_k_cuts_them(store):
    vector, other = unit_vectors(2)
    store.upsert(ids_of(*range(40, 0, -1)), np.stack([vector] * 40))
    store.upsert(ids_of(99), other[None])
    assert [number for number, _ in store.search(vector, 3)] == [1, 2, 3]


@pytest.mark.parametrize(
    ("ids", "vectors"),
    [
        (ids_of(1), np.ones((1, DIMENSION + 1), dtype=np.float32)),
        (ids_of(1), np.ones((2, DIMENSION), dtype=np.float32)),
        (ids_of(1), np.ones(DIMENSION, dtype=np.float32)),
        (ids_of(1), np.ones((1, DIMENSION), dtype=np.float64)),
        (ids_of(1), np.full((1, DIMENSION), np.nan, dtype=np.float32)),
        (ids_of(1, 1), np.ones((2, DIMENSION), dtype=np.float32)),
        (ids_of(-1), np.ones((1, DIMENSION), dtype=np.float32)),
        (np.array([1], dtype=np.int32), np.ones((1, DIMENSION), dtype=np.float32)),
    ],
)
def test_wrong_input_is_our_error_and_changes_nothing(store, ids, vectors):
    store.upsert(ids_of(1), unit_vectors(1))
    before = store.search(unit_vectors(1)[0], 5)
    with pytest.raises(VectorError):
        store.upsert(ids, vectors)
    assert store.search(unit_vectors(1)[0], 5) == before


def test_a_question_of_wrong_dimension_is_our_error(store):
    store.upsert(ids_of(1), unit_vectors(1))
    with pytest.raises(VectorError, match=r"Expected float32 vectors of shape \(16,\); got float32 of shape \(8,\)"):
        store.search(np.ones(8, dtype=np.float32), 1)


def test_saved_and_opened_it_answers_the_same(name, store, tmp_path):
    vectors = unit_vectors(30)
    store.upsert(np.arange(100, 130, dtype=np.int64), vectors)
    store.delete(ids_of(105))
    path = tmp_path / "vectors of ü.bin"
    store.save(path)
    again = open_store(name, path)
    question = unit_vectors(1, seed=9)[0]
    assert again.search(question, 30) == store.search(question, 30)
    assert (len(again), again.dimension) == (29, DIMENSION)
    again.upsert(ids_of(105), vectors[:1])
    assert sorted(number for number, _ in again.search(vectors[0], 2)) == [100, 105]
    again.delete(ids_of(100, 105))
    assert not {100, 105} & {number for number, _ in again.search(vectors[0], 30)}


def test_an_empty_store_can_be_saved(name, store, tmp_path):
    store.save(tmp_path / "empty")
    again = open_store(name, tmp_path / "empty")
    assert (len(again), again.dimension, again.search(unit_vectors(1)[0], 3)) == (0, DIMENSION, [])


@pytest.mark.parametrize("content", [b"", b"nonsense", b"PK\x03\x04broken"])
def test_a_damaged_file_is_our_error(name, tmp_path, content):
    path = tmp_path / "vectors"
    path.write_bytes(content)
    with pytest.raises(IndexDamaged):
        open_store(name, path)
    with pytest.raises(IndexDamaged):
        open_store(name, tmp_path / "missing")


def test_inputs_are_not_changed(store):
    ids, vectors = ids_of(3, 1, 2), unit_vectors(3)
    before = (ids.copy(), vectors.copy())
    store.upsert(ids, vectors)
    store.search(vectors[0], 2)
    store.search(vectors[0], 2, among=ids)
    np.testing.assert_array_equal(ids, before[0])
    np.testing.assert_array_equal(vectors, before[1])
    vectors[:] = 0
    assert store.search(before[1][1], 1)[0][0] == 1


def test_an_unknown_store():
    with pytest.raises(SettingsError, match="no vector store called 'milvus'; there are: faiss, faiss-ivf, numpy"):
        new_store("milvus", 3)


def test_an_approximate_store_must_be_trained():
    store = new_store("faiss-ivf", DIMENSION)
    assert (len(store), store.search(unit_vectors(1)[0], 3)) == (0, [])
    with pytest.raises(VectorError, match="must be trained"):
        store.upsert(ids_of(1), unit_vectors(1))


@pytest.mark.parametrize(
    ("size", "current", "store"),
    [
        (0, None, "faiss"),
        (LARGEST_EXACT, None, "faiss"),
        (LARGEST_EXACT + 1, None, "faiss-ivf"),
        (LARGEST_EXACT + 1, "faiss", "faiss-ivf"),
        (LARGEST_EXACT, "faiss-ivf", "faiss-ivf"),
        (LARGEST_EXACT // 2, "faiss-ivf", "faiss"),
    ],
)
def test_the_store_is_chosen_by_size_and_does_not_flutter(size, current, store):
    assert store_for(size, current=current) == store


@pytest.mark.parametrize("name", ["faiss", "faiss-ivf"])
def test_searching_takes_no_threads_from_the_language_model(name, tmp_path):
    """FAISS and torch may share the number of threads: whoever set it to 1 halved the speed of every answer."""
    import torch

    torch.set_num_threads(2)
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(200, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    store = new_store(name, 8)
    if name == "faiss-ivf":
        store.train(vectors)
    store.upsert(np.arange(200, dtype=np.int64), vectors)
    store.save(tmp_path / "store")
    opened = open_store(name, tmp_path / "store")
    assert opened.search(vectors[7], 1)[0][0] == 7
    assert torch.get_num_threads() == 2
