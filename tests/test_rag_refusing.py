import pytest
from rag_material import ARTICLE, sentences

from index.filters import Filters
from rag.citations import SignedSentence
from rag.evidence import Evidence, EvidenceSentence
from rag.refusing import absent_names, doubtful, not_stated, nothing_found, unsupported

SNAPDEAL = EvidenceSentence(sentences()[2], ARTICLE, 0.9)
INDIA = EvidenceSentence(sentences()[3], ARTICLE, 0.4)
CLOSEST = "The closest sentence says: “Jack Ma also met the CEO of Snapdeal.” (Daily Times, 2018-07-19: Malls)"  #


def test_the_closest_sentence_is_quoted_with_its_source():
    assert not_stated(Evidence((INDIA, SNAPDEAL)), ()) == CLOSEST


def test_what_no_article_names_comes_first():
    assert not_stated(Evidence((SNAPDEAL,)), ("Pompeii", "2024")) == (
        f"No article mentions “Pompeii” or “2024”. {CLOSEST}"
    )


def test_a_doubtful_draft_is_said_to_have_been_written():
    assert doubtful(Evidence((SNAPDEAL,)), ()) == f"A draft was written, but was too likely to be wrong. {CLOSEST}"


def test_a_long_sentence_is_cut_at_a_word():
    import dataclasses

    long = dataclasses.replace(SNAPDEAL, sentence=dataclasses.replace(SNAPDEAL.sentence, text="word " * 100))
    said = not_stated(Evidence((long,)), ())
    assert said == f"The closest sentence says: “{'word ' * 48}…” (Daily Times, 2018-07-19: Malls)"


def test_missing_facts_are_named():
    signed = [SignedSentence("It cost $1.5 billion.", (), 0.2, ("1.5 billion",))]
    assert unsupported(signed) == (
        "A draft was written, but the passages do not contain “1.5 billion”, so it was not shown."
    )
    named = [SignedSentence("Based in Hangzhou, Zhejiang, since Oct. 1999.", (), 0.2, ("zhejiang", "oct", "1999"))]
    assert "do not contain “Zhejiang”, “Oct” or “1999”, so" in unsupported(named)
    assert unsupported([]) == "A draft was written, but no passage supports it, so it was not shown."
    repeating = [SignedSentence("Alipay is behind Alipay.", (SNAPDEAL,), 1.0, (), repeats=True)]
    assert unsupported(repeating) == "A draft was written, but it only repeats the question, so it was not shown."


def test_no_article_at_all():
    assert nothing_found(Filters()) == "There is no article in the index that could tell."
    assert nothing_found(Filters(sources=("CNBC",))) == "No article in the index is from CNBC."


@pytest.mark.parametrize(
    ("question", "absent"),
    [
        ("Did Olga Brandt visit Pompeii?", ("Pompeii",)),
        ("What did Brandt's bakery win in 2024?", ("2024",)),
        ("What happened in Porto Claro's harbour?", ()),
        ("who won the prize?", ()),
        ("Who rode from Passau to Parlia?", ()),  # as Pakistan is named where "Pakistani" stands
        ("Who rode from Passau to Par?", ("Par",)),
        ("Who rode from Passau to Parliamo?", ("Parliamo",)),
    ],
)
def test_names_and_numbers_that_stand_in_no_article(tiny_saved_index, question, absent):
    assert absent_names(tiny_saved_index, question) == absent
