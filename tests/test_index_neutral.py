import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.neutral import neutral, to_json, typed


@pytest.mark.parametrize(
    ("text", "shown", "taken"),
    [
        ("a\x1b[31mb\x9b2J\x07", "a[31mb2J", "a[31mb2J"),
        ("a\u202eb\u202c", "a⟦U+202E⟧b⟦U+202C⟧", "ab"),
        ("Ali\u200bba\u00adba", "Alibaba", "Alibaba"),
        ("lone \ud800", "lone \ufffd", "lone \ufffd"),
        ("می\u200cخواهم 👩\u200d👧", "می\u200cخواهم 👩\u200d👧", "می\u200cخواهم 👩\u200d👧"),
    ],
)
def test_what_is_shown_and_what_is_taken_as_typed(text, shown, taken):
    assert neutral(text) == shown
    assert typed(text) == taken


@given(
    st.recursive(
        st.text() | st.integers() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_json_says_exactly_what_it_was_given_and_steers_nothing(value):
    text = to_json(value)
    assert json.loads(text) == value
    assert text.isprintable() or not any(ord(letter) < 0x20 or 0x7F <= ord(letter) < 0xA0 for letter in text)


def test_json_carries_lone_surrogates_and_stays_readable():
    text = to_json({"é": "\ud800\u202e\x9b你好"})
    assert text == '{"é": "\\ud800\\u202e\\u009b你好"}'
    assert json.loads(text.encode()) == {"é": "\ud800\u202e\x9b你好"}
