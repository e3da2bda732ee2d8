"""Clear contradictions between a claim and the sentence it cites are found, and nothing else is called one."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rag_material import ARTICLE, hit

from rag.citations import sign
from rag.contradictions import contradictions
from rag.evidence import choose_evidence
from rag.refusing import unsupported


@pytest.mark.parametrize(
    ("claim", "source"),
    [
        (
            "Alibaba shares rose 1.49% to $108.99 on Thursday.",
            "Alibaba shares fell 1.49% to $108.99 at 3:50 PM EST on Thursday.",
        ),
        (
            "Sales of Xinjiang products were down 68.7% from last year.",
            "Products from Xinjiang generated $212 million in sales on Tmall, up 68.7% from last year.",
        ),
        (
            "Walmart surpassed Alibaba as the world's largest retailer.",
            "Alibaba today surpassed Walmart as the world’s largest retailer.",
        ),
        (
            "Alibaba was surpassed by Walmart as the world's largest retailer.",
            "Alibaba today surpassed Walmart as the world’s largest retailer.",
        ),
        (
            "Walmart surpassed Alibaba Group.",
            "Alibaba Group, which was established in 1999, today surpassed Walmart as the world’s largest retailer.",
        ),
        (
            "Its market capitalization stayed below $858 billion.",
            "Days later, its share price hit a record high with its market capitalization exceeding $858 billion.",
        ),
        ("Shares have risen more than 60% this year.", "Shares have quietly risen nearly 60% this year."),
        (
            "The IPO was canceled just two days after Ant Group was scheduled to list.",
            "Just two days before Ant Group was scheduled to list in Shanghai and Hong Kong, the IPO was canceled.",
        ),
        ("The comments were widely picked up on.", "The comments weren’t widely picked up on."),
        ("Alibaba did not open three online malls for Xinjiang.", "Alibaba opens three online malls for Xinjiang"),
        ("Costs did not rise in 2019.", "Costs rose in 2019."),
        ("Arm acquired SoftBank in 2016.", "Arm was acquired by SoftBank in 2016."),
        ("The fund lost less than $5 million.", "The fund lost more than $5 million."),
        ("Microsoft beat Apple.", "Microsoft was beaten by Apple."),
    ],
)
def test_the_opposite_of_the_source_is_a_contradiction(claim, source):
    assert len(contradictions(claim, [source])) == 1


@pytest.mark.parametrize(
    ("claim", "source"),
    [
        (
            "Alibaba shares fell 1.49% to $108.99 on Thursday.",
            "Alibaba shares fell 1.49% to $108.99 at 3:50 PM EST on Thursday.",
        ),
        (
            "Alibaba shares dropped 1.49% to $108.99 on Thursday.",
            "Alibaba shares fell 1.49% to $108.99 at 3:50 PM EST on Thursday.",
        ),
        (
            "Sales of Xinjiang products were up 68.7% from last year.",
            "Products from Xinjiang generated $212 million in sales on Tmall, up 68.7% from last year.",
        ),
        (
            "Walmart was surpassed by Alibaba as the world's largest retailer.",
            "Alibaba today surpassed Walmart as the world’s largest retailer.",
        ),
        (
            "Alibaba surpassed Walmart.",
            "Alibaba Group, which was established in 1999, today surpassed Walmart as the world’s largest retailer.",
        ),
        ("Shares have risen almost 60% this year.", "Shares have quietly risen nearly 60% this year."),
        (
            "The IPO was canceled two days before Ant Group was scheduled to list.",
            "Just two days before Ant Group was scheduled to list in Shanghai and Hong Kong, the IPO was canceled.",
        ),
        ("The comments were not widely picked up.", "The comments weren’t widely picked up on."),
        ("The company reported no growth.", "The company reported growth of 5% in the second quarter of the year."),
        (
            "Growth was stalling.",
            "Growth was stalling amid intensifying competition, management changes were coming thick and fast.",
        ),
        ("Alibaba is not just an e-commerce company.", "Alibaba is an e-commerce company."),
        ("Profit grew although revenue fell.", "Profit grew while revenue fell."),
        ("Profit fell.", "Profit grew while revenue fell."),
        (
            "The number of visitors rose to 5,000.",
            "After years in which the number of visitors fell, it rose to 5,000.",
        ),
        ("SoftBank acquired Arm in 2016.", "Arm was acquired by SoftBank in 2016."),
        (
            "More than 250 million customers use it.",
            "Its popularity is reflected by a base of 250 million customers in China.",
        ),
    ],
)
def test_what_is_not_clearly_opposite_is_left_alone(claim, source):
    assert contradictions(claim, [source]) == ()


@pytest.mark.parametrize(
    ("claim", "source", "said"),
    [
        ("Shares fell 3%.", "Shares rose 3%.", "“fell” where the article has “rose”"),
        ("Costs did not rise in 2019.", "Costs rose in 2019.", "“not rise” where the article has “rise”"),
        ("Costs rose in 2019.", "Costs didn't rise in 2019.", "“rise” where the article has “didn't rise”"),
        ("It lost under $5 million.", "It lost over $5 million.", "“under” where the article has “over”"),
        ("Walmart surpassed Alibaba.", "Alibaba surpassed Walmart.", "“surpassed” where the article has “surpassed”"),
    ],
)
def test_a_contradiction_names_both_words(claim, source, said):
    assert [str(found) for found in contradictions(claim, [source])] == [said]


def test_another_cited_sentence_that_bears_the_claim_out_settles_it():
    sources = ["Shares fell 3% in the morning.", "Shares rose 3% in the end."]
    assert contradictions("Shares rose 3% in the end.", sources) == ()
    assert contradictions("Shares rose 3% in the morning.", sources) != ()


def test_a_contradicted_sentence_does_not_stand():
    evidence = choose_evidence(
        "", [hit((0.1, 0.9, 0.2, 0.15))], tokens=100, count_tokens=lambda text: len(text.split())
    )
    claim = "Products from Xinjiang generated $212 million in sales on Tmall, down 68.7% from last year."
    (signed,) = sign(claim, evidence)
    assert (signed.missing, signed.support > 0.9) == ((), True)
    assert not signed.stands(0.5)
    assert unsupported([signed]) == (
        "A draft was written, but it says “down” where the article has “up”, so it was not shown."
    )
    (signed,) = sign(claim.replace("down", "up"), evidence)
    assert signed.stands(0.5)


SENTENCES = st.lists(
    st.sampled_from(
        "Shares profit Walmart Alibaba rose fell not never before after surpassed was by up down more less "
        "than over under $5 million 3% the of in and , . ; did n't 2018".split()
    ),
    max_size=14,
).map(" ".join)


@given(SENTENCES)
@example("over 2018 under 2018")
@example("Walmart surpassed Alibaba ; Alibaba surpassed Walmart")
def test_no_text_contradicts_itself(text):
    assert contradictions(text, [text]) == ()


@given(st.text(max_size=80), st.text(max_size=80))
def test_any_text_can_be_judged(claim, source):
    assert isinstance(contradictions(claim, [source]), tuple)


def test_no_sentence_of_an_article_contradicts_that_article():
    for sentence in ARTICLE.text.split(". "):
        assert contradictions(sentence, ARTICLE.text.split(". ")) == ()
