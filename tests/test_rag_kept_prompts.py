"""What is kept of prompts, and what of it is used again."""

import pytest

from rag.kept_prompts import _WORTH_KEEPING, MOST_TOKENS, KeptPrompts


class FakeMemory:
    """A memory that holds the very tokens."""

    def __init__(self, ids=()):
        self.ids = list(ids)

    def __len__(self):
        return len(self.ids)

    def crop(self, length):
        del self.ids[length:]

    def copy(self, length):
        return FakeMemory(self.ids[:length])


class FakeNetwork:
    """Notes what is read; `fails` on the token 99."""

    def __init__(self):
        self.read_ids = []

    def read(self, ids, memory, *, wanted, adapter=None, adapted=0):
        if 99 in ids:
            raise KeyboardInterrupt
        memory.ids += ids
        self.read_ids.append(list(ids))
        return list(memory.ids)


@pytest.fixture
def network():
    return FakeNetwork()


@pytest.fixture
def kept(network, request):
    prompts = KeptPrompts(most_tokens=getattr(request, "param", MOST_TOKENS))

    def read(ids):
        prompt = prompts.prompt(ids, FakeMemory)
        seen = prompt.read(network, ids[len(prompt.ids) :], wanted=1)
        assert seen == ids == prompt.ids
        return prompt

    return read


LONG = list(range(1000, 1000 + _WORTH_KEEPING + 10))


def test_only_what_differs_is_read(kept, network):
    kept([1, 2, 3, 4])
    kept([1, 2, 3, 5, 6])
    assert network.read_ids == [[1, 2, 3, 4], [5, 6]]


def test_the_last_token_is_always_read(kept, network):
    kept([1, 2, 3])
    kept([1, 2, 3])
    assert network.read_ids == [[1, 2, 3], [3]]


def test_a_long_rest_is_kept_beside_the_new_prompt(kept, network):
    kept([1, 2, *LONG])
    kept([1, 2, 7])
    kept([1, 2, *LONG, 8])
    assert network.read_ids == [[1, 2, *LONG], [7], [8]]


def test_a_short_rest_gives_way(kept, network):
    kept([1, 2, 3])
    kept([1, 2, 4])
    kept([1, 2, 3, 5])
    assert network.read_ids == [[1, 2, 3], [4], [3, 5]]


@pytest.mark.parametrize("kept", [4 * len(LONG)], indirect=True)
def test_the_prompt_used_longest_ago_gives_way(kept, network):
    for first in range(3):
        kept([first, *LONG])
    kept([0, *LONG, 5])  # used again
    kept([3, *LONG])  # one more: that of 1 gives way
    network.read_ids.clear()
    kept([0, *LONG, 6])
    kept([2, *LONG, 6])
    kept([1, *LONG])
    assert network.read_ids == [[6], [6], [1, *LONG]]


@pytest.mark.parametrize("kept", [len(LONG) // 2], indirect=True)
def test_a_prompt_longer_than_all_that_may_be_kept_is_kept_alone(kept, network):
    kept([1, 2])
    kept([0, *LONG])
    kept([0, *LONG, 1])
    kept([1, 2])
    assert network.read_ids == [[1, 2], [0, *LONG], [1], [1, 2]]


def test_after_an_interruption_nothing_wrong_is_used(kept, network):
    kept([1, 2, 3])
    with pytest.raises(KeyboardInterrupt):
        kept([1, 2, 99])
    kept([1, 2, 3, 4])
    assert network.read_ids == [[1, 2, 3], [3, 4]]


def test_what_was_guessed_wrongly_is_forgotten(kept, network):
    prompt = kept([1, 2])
    prompt.read(network, [3, 8, 9], wanted=3)
    prompt.crop(3)
    kept([1, 2, 3, 4])
    assert network.read_ids == [[1, 2], [3, 8, 9], [4]]


def test_what_is_to_be_read_anew_is_not_taken_from_what_is_kept(kept):
    prompts = KeptPrompts()
    prompts.prompt([1, 2, 3, 4, 5], FakeMemory).read(FakeNetwork(), [1, 2, 3, 4, 5], wanted=1)
    assert prompts.prompt([1, 2, 3, 4, 6], FakeMemory, anew=3).ids == [1, 2]
