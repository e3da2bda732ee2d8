"""Guesses at what a model writes next, copied from its prompt: answers copy from the evidence."""

from collections import Counter

MOST_DRAFTED = 10
"""Tokens guessed ahead in one pass. Up to about 16 rows cost a product no more than one (docs/lab-notes.md)."""

_LONGEST_MATCH = 4


def draft(tokens: list[int], prompt_length: int) -> list[int]:
    """A guess at the tokens that follow, copied from the prompt: what follows there after the same last few tokens.

    Answers copy from the evidence, so the guess is often right (prompt lookup decoding, A. Saxena 2023). The longest
    match counts, up to four tokens; of several, what most of them go on with. Empty if there is none.
    """
    for length in range(min(_LONGEST_MATCH, len(tokens)), 0, -1):
        wanted = tokens[-length:]
        ends = [
            start + length
            for start in range(prompt_length - length)
            if tokens[start] == wanted[0] and tokens[start : start + length] == wanted
        ]
        if ends:
            return _continued(tokens[:prompt_length], ends)
    return []


def _continued(prompt: list[int], places: list[int]) -> list[int]:
    """What stands at most of these places, token by token; of equals the first."""
    guess: list[int] = []
    while len(guess) < MOST_DRAFTED and (places := [place for place in places if place < len(prompt)]):
        token = Counter(prompt[place] for place in places).most_common(1)[0][0]
        guess.append(token)
        places = [place + 1 for place in places if prompt[place] == token]
    return guess
