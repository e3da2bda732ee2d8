"""Guesses at what a model writes next, copied from its prompt: answers copy from the evidence."""

from collections import Counter

MOST_DRAFTED = (2, 5, 5, 7)
"""Tokens guessed ahead in one pass after a match of one token, of two, three, and four or more: the longer the match,
the likelier the next guess is right. Each costs up to an eighth of a pass for one token alone (docs/lab-notes.md)."""


def draft(tokens: list[int], prompt_length: int) -> list[int]:
    """A guess at the tokens that follow, copied from the prompt: what follows there after the same last few tokens.

    Answers copy from the evidence, so the guess is often right (prompt lookup decoding, A. Saxena 2023). The longest
    match counts, up to four tokens; of several, what most of them go on with. Empty if there is none.
    """
    for length in range(min(len(MOST_DRAFTED), len(tokens)), 0, -1):
        wanted = tokens[-length:]
        ends = [
            start + length
            for start in range(prompt_length - length)
            if tokens[start] == wanted[0] and tokens[start : start + length] == wanted
        ]
        if ends:
            return _continued(tokens[:prompt_length], ends, most=MOST_DRAFTED[length - 1])
    return []


def _continued(prompt: list[int], places: list[int], *, most: int) -> list[int]:
    """What stands at most of these places, token by token, `most` of them; of equals the first."""
    guess: list[int] = []
    while len(guess) < most and (places := [place for place in places if place < len(prompt)]):
        token = Counter(prompt[place] for place in places).most_common(1)[0][0]
        guess.append(token)
        places = [place + 1 for place in places if prompt[place] == token]
    return guess
