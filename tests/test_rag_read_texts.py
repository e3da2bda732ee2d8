"""Texts that were read ahead, and prompts put together from them. A token is a word with the space before it."""

import re

import pytest

from index.types import Span
from rag.kept_prompts import KeptPrompt
from rag.read_texts import Piece, ReadTexts, bring
from rag.types import Extract

WORDS = {}


def tokens(text: str) -> list[int]:
    return [WORDS.setdefault(word, len(WORDS)) for word in re.findall(r"\s*\S+", text)]


def spans(text: str) -> tuple[list[int], list[Span]]:
    return tokens(text), [Span(*found.span()) for found in re.finditer(r"\s*\S+", text)]


class Memory:
    """Holds the very tokens."""

    def __init__(self):
        self.room, self.ids = 0, []

    def __len__(self):
        return len(self.ids)

    def make_room(self, length):
        self.room = length

    def crop(self, length):
        del self.ids[length:]


class Network:
    """Notes what is read and what is taken over."""

    def __init__(self):
        self.steps = []

    def read(self, ids, memory, *, wanted, adapter=None, adapted=0):
        self.steps.append(("read", ids))
        memory.ids += ids

    def recall(self, memory, source, places):
        self.steps.append(("recall", places))
        memory.ids += [source.ids[place] for place in places]


START = "<system> "
WHOLE = "Excerpts: alpha beta gamma delta"


def begun(texts: ReadTexts, whole: str = WHOLE, *, read: bool = True, most_tokens: int = 1000):
    text = START + whole
    found = texts.begin(text, len(START), spans(text), Memory, most_tokens=most_tokens)
    if found and read:
        found.prompt.ids += found.ids
        found.prompt.memory.ids += found.ids
    return found


def extract(content: str, part: str, *words: str, whole: str = WHOLE) -> Extract:
    start = content.index(part)
    places = [Span(whole.index(word), whole.index(word) + len(word)) for word in words]
    return Extract(Span(start, start + len(part)), whole, tuple(places))


def said(pieces: list[Piece]) -> list[str]:
    names = {number: word for word, number in WORDS.items()}
    return ["".join(names[number] for number in piece.ids) for piece in pieces]


def test_the_tokens_of_an_extract_are_found_in_what_was_read():
    texts = ReadTexts()
    read = begun(texts)
    content = "Excerpts: gamma delta alpha\n\nQuestion: who?"
    text = START + content
    pieces = texts.pieces(text, len(START), [extract(content, "gamma delta alpha", "gamma delta", "alpha")], tokens)
    assert said(pieces) == ["<system> Excerpts:", " gamma delta alpha", "\n\nQuestion: who?"]
    assert [(piece.source, piece.places) for piece in pieces] == [(None, []), (read, [4, 5, 2]), (None, [])]


def test_what_a_prompt_and_the_text_begin_with_is_taken_over_too():
    texts = ReadTexts()
    read = begun(texts)
    content = "Excerpts: alpha delta\n\nQuestion: who?"
    pieces = texts.pieces(START + content, len(START), [extract(content, "alpha delta", "alpha", "delta")], tokens)
    assert said(pieces) == ["<system> Excerpts: alpha delta", "\n\nQuestion: who?"]
    assert [(piece.source, piece.places) for piece in pieces] == [(read, [0, 1, 2, 5]), (None, [])]


def test_white_space_between_two_extracts_is_left_out_and_other_text_is_not():
    texts = ReadTexts()
    begun(texts)
    begun(texts, "Excerpts: one two")
    content = "Excerpts: beta\n\ntwo\n\nread anew\n\nalpha\n\nQuestion: who?"
    extracts = [
        extract(content, "beta", "beta"),
        extract(content, "two", "two", whole="Excerpts: one two"),
        extract(content, "alpha", "alpha"),
    ]
    pieces = texts.pieces(START + content, len(START), extracts, tokens)
    assert said(pieces) == ["<system> Excerpts:", " beta", " two", "\n\nread anew", " alpha", "\n\nQuestion: who?"]


def test_what_was_not_read_to_its_end_is_read_with_the_rest():
    texts = ReadTexts()
    begun(texts, read=False)
    content = "Excerpts: beta\n\nQuestion: who?"
    some = [extract(content, "beta", "beta"), extract(content, "beta", "beta", whole="Excerpts: unknown beta")]
    assert texts.pieces(START + content, len(START), some, tokens) == [Piece(tokens(START + content))]


def test_a_token_counts_with_any_of_its_characters():
    read = begun(ReadTexts())
    assert read.places([Span(11, 12), Span(17, 22)]) == [2, 3, 4]  # in alpha; the end of beta with gamma's beginning
    assert read.places([Span(0, 9)]) == [1]
    assert read.places([Span(0, len(WHOLE))]) == [1, 2, 3, 4, 5]


def test_the_text_used_longest_ago_gives_way():
    texts = ReadTexts()
    for whole in ("Excerpts: one", "Excerpts: two", "Excerpts: three"):
        begun(texts, whole, most_tokens=9)
    assert texts.get(f"{START}Excerpts: one").whole  # used again
    begun(texts, "Excerpts: four", most_tokens=9)
    known = [one for one in ("one", "two", "three", "four") if texts.get(f"{START}Excerpts: {one}")]
    assert (known, len(texts)) == (["one", "three", "four"], 3)
    assert [texts.holds(f"{START}Excerpts: {one}") for one in ("one", "two")] == [True, False]
    begun(texts, "Excerpts: five", read=False, most_tokens=9)
    assert not texts.holds(f"{START}Excerpts: five")


def test_what_is_longer_than_half_of_the_room_or_has_no_known_characters_is_not_kept():
    texts = ReadTexts()
    assert begun(texts, most_tokens=11) is None
    assert texts.begin(START, 0, None, Memory, most_tokens=100) is None
    assert len(texts) == 0
    read = begun(texts, most_tokens=12)
    assert read.prompt.memory.room == 6


@pytest.mark.parametrize(
    ("held", "steps", "left", "read"),
    [
        (0, [("read", [100, 101]), ("recall", [2, 4]), ("read", [102]), ("recall", [1])], [103, 104], 3),
        (1, [("read", [101]), ("recall", [2, 4]), ("read", [102]), ("recall", [1])], [103, 104], 2),
        (3, [("recall", [4]), ("read", [102]), ("recall", [1])], [103, 104], 1),
        (5, [("recall", [1])], [103, 104], 0),
        (7, [], [104], 0),
    ],
)
def test_what_a_prompt_holds_already_is_neither_read_nor_taken_over_again(held, steps, left, read):
    text, network = begun(ReadTexts()), Network()
    pieces = [
        Piece([100, 101]),
        Piece([text.ids[2], text.ids[4]], text, [2, 4]),
        Piece([102]),
        Piece([text.ids[1]], text, [1]),
        Piece([103, 104]),
    ]
    every = [token for piece in pieces for token in piece.ids]
    prompt = KeptPrompt(Memory())
    prompt.ids, prompt.memory.ids = every[:held], every[:held]
    assert bring(prompt, pieces, network) == (left, read)
    assert network.steps == steps
    assert prompt.ids == prompt.memory.ids == every[: len(every) - len(left)]
