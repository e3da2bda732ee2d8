import dataclasses

import pytest
from rag_material import ARTICLE, sentences

from rag.citations import SignedSentence, compose, sign, sign_phrase, without_empty_leads, without_loose_ties
from rag.evidence import Evidence, EvidenceSentence, choose_evidence


def evidence(*, article=ARTICLE) -> Evidence:
    return Evidence(tuple(EvidenceSentence(sentence, article, 0.5) for sentence in sentences(article)))


def cited(signed):
    return [[item.sentence.text.split()[0] for item in one.cited] for one in signed]


def test_a_sentence_cites_the_sentence_that_states_it():
    signed = sign("Xinjiang products generated $212 million in sales on Tmall.", evidence())
    assert cited(signed) == [["Products"]]
    assert signed[0].stands(0.5)
    assert signed[0].support == 1.0


def test_an_invented_figure_does_not_stand():
    (signed,) = sign("Products from Xinjiang generated $1.5 billion in sales on Tmall.", evidence())
    assert signed.missing == ("1.5 billion",)
    assert not signed.stands(0.5)


def test_an_invented_name_does_not_stand():
    (signed,) = sign("The CEO of Snapdeal is Kunal Bahl.", evidence())
    assert signed.missing == ("kunal", "bahl")
    assert not signed.stands(0.5)


def test_two_sentences_are_cited_where_one_does_not_say_it_all():
    (signed,) = sign("Jack Ma said that he would invest more in India.", evidence())
    assert cited([signed]) == [["Jack", "He"]]
    assert signed.missing == ()


def test_words_of_the_question_alone_call_for_no_further_citation():
    text = (
        "Big firms have dominated the trade in pearls for 50 years. Dealers of the island elect a council. "
        "Foreign companies opened markets that rule commerce abroad."
    )
    article = dataclasses.replace(ARTICLE, text=text)
    claim = "Giant companies have ruled commerce for 50 years."
    (signed,) = sign(claim, evidence(article=article), question="For how long have giant companies ruled commerce?")
    assert cited([signed]) == [["Big"]]
    assert signed.stands(0.5)
    (unasked,) = sign(claim, evidence(article=article))
    assert cited([unasked]) == [["Big", "Foreign"]]


def test_each_sentence_is_signed_by_itself_and_the_unsupported_one_falls():
    signed = sign("Alibaba opened three malls for Xinjiang. Bananas are yellow and sweet.", evidence())
    assert [one.stands(0.5) for one in signed] == [True, False]
    assert cited(signed)[1] == []


def test_publisher_and_date_may_be_said_though_the_sentence_does_not_hold_them():
    (signed,) = sign("On July 19, 2018 Daily Times said Alibaba opened three online malls for Xinjiang.", evidence())
    assert signed.missing == ()
    assert signed.stands(0.5)


def test_markers_that_the_model_wrote_are_dropped_unless_the_articles_have_such():
    (signed,) = sign("Alibaba opened three online malls for Xinjiang [3].", evidence())
    assert signed.text == "Alibaba opened three online malls for Xinjiang."
    marked = dataclasses.replace(ARTICLE, text="Alibaba opened three malls [3].")
    (signed,) = sign("Alibaba opened three malls [3].", evidence(article=marked))
    assert signed.text == "Alibaba opened three malls [3]."


def test_composed_text_and_citations_point_at_each_other():
    text, citations = compose(
        sign(
            "Products generated $212 million on Tmall. Alibaba opened three malls. Products sold for $212 million.",
            evidence(),
        )
    )
    assert [citation.number for citation in citations] == [1, 2, 1]
    assert [text[one.answer_start : one.answer_end] for one in citations] == [
        "Products generated $212 million on Tmall.",
        "Alibaba opened three malls.",
        "Products sold for $212 million.",
    ]
    assert [ARTICLE.text[one.start : one.end] == one.quote for one in citations] == [True, True, True]
    assert citations[0].source == "Daily Times"


def test_offsets_hold_for_characters_outside_the_basic_plane():
    article = dataclasses.replace(ARTICLE, text="🚀🚀 Rockets rose. The 🐉 dragon cost $5 million.")
    text, citations = compose(sign("The 🐉 dragon cost $5 million.", evidence(article=article)))
    assert text == "The 🐉 dragon cost $5 million."
    assert article.text[citations[0].start : citations[0].end] == citations[0].quote == "The 🐉 dragon cost $5 million."


@pytest.mark.parametrize("draft", ["", "   ", "\n\n"])
def test_an_empty_draft_is_no_sentence(draft):
    assert sign(draft, evidence()) == ()


def test_no_evidence_signs_nothing():
    (signed,) = sign("Alibaba opened malls.", choose_evidence("", [], tokens=9, count_tokens=len))
    assert signed.cited == ()
    assert not signed.stands(0.0)


def test_items_of_a_list_are_signed_without_their_marks_and_keep_their_lines():
    draft = "Jack Ma met or invested in:\n1. The CEO of Snapdeal\n2. India\n"
    lead, *items = sign(draft, evidence())
    assert [(item.text, item.missing) for item in items] == [("1. The CEO of Snapdeal", ()), ("2. India", ())]
    text, citations = compose([lead, *items])
    assert text == "Jack Ma met or invested in:\n1. The CEO of Snapdeal\n2. India"
    assert "2. India" in [text[c.answer_start : c.answer_end] for c in citations]


def test_a_lead_without_its_list_goes():
    lead, item, other = (SignedSentence(text, (), 1.0, ()) for text in ("It covers:", "- taxis", "It is big."))
    assert without_empty_leads([lead, item]) == (lead, item)
    assert without_empty_leads([lead, other]) == (other,)
    assert without_empty_leads([lead]) == ()


def test_a_sentence_that_gives_the_question_back_does_not_stand():
    (signed,) = sign(
        "Products from Xinjiang generated sales on Tmall.",
        evidence(),
        question="Which products generated sales on Tmall from Xinjiang?",
    )
    assert signed.repeats
    assert not signed.stands(0.5)
    assert not sign_phrase("Tmall", evidence(), question="What is Tmall?").stands(0.5)


def test_a_phrase_for_a_long_question_cites_what_fits_its_clauses():
    asked = (
        "Who said that sellers will have the opportunity to sell to the world, while products from Xinjiang generated "
        "sales on Tmall, and talks with Snapdeal went on?"
    )
    signed = sign_phrase("Jack Ma", evidence(), question=asked)
    assert cited([signed]) == [["Jack", "Products"]]  # no sentence is about Snapdeal
    assert cited([sign_phrase("Jack Ma", evidence(), question="Who said that sellers may sell?")]) == [["Jack"]]


@pytest.mark.parametrize(
    ("text", "alone"),
    [
        ("However, the IPO was canceled.", "The IPO was canceled."),
        ("On the other hand, eBay grew.", "eBay grew."),
        ("But it fell.", "It fell."),
        ("Also known as Ant, it grew.", "Also known as Ant, it grew."),
        ("And Then There Were None sold best.", "And Then There Were None sold best."),
    ],
)
def test_a_sentence_whose_predecessor_fell_is_not_tied_to_it(text, alone):
    first, second = (SignedSentence(said, (), 1.0, ()) for said in ("It rose.", text))
    assert [item.text for item in without_loose_ties([second], [first, second])] == [alone]
    assert [item.text for item in without_loose_ties([second], [second])] == [alone]
    assert without_loose_ties([first, second], [first, second]) == (first, second)
