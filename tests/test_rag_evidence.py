import dataclasses

from rag_material import ARTICLE, hit

from rag.evidence import choose_evidence


def words(text: str) -> int:
    return len(text.split())


def chosen(evidence):
    return [item.sentence.text[:12] for item in evidence.sentences]


def test_evidence_is_in_reading_order_with_the_neighbours_of_the_best():
    evidence = choose_evidence("", [hit((0.1, 0.9, 0.2, 0.15))], tokens=100, count_tokens=words)
    assert chosen(evidence) == ["Alibaba open", "Products fro", "Jack Ma also", "He said that"]


def test_the_budget_keeps_the_best_sentences():
    evidence = choose_evidence("", [hit((0.1, 0.9, 0.2, 0.15))], tokens=24, count_tokens=words)
    assert chosen(evidence) == ["Alibaba open", "Products fro"]


def test_a_sentence_that_opens_with_a_pronoun_brings_the_one_before_it():
    text = "Zero zero. One one. Two two. Three three. Four four. He went."
    article = dataclasses.replace(ARTICLE, text=text)
    scores = (0.9, 0.1, 0.8, 0.05, 0.0, 0.7)
    evidence = choose_evidence("", [hit(scores, article=article)], tokens=18, count_tokens=words)
    # By rank: Zero with One beside it, Two with Three beside it, then He, which brings Four although it scores least.
    assert [item.sentence.text for item in evidence.sentences] == text.replace(". ", ".|").split("|")


def test_the_same_statement_is_taken_once_but_another_figure_is_not_the_same():
    text = "Yahoo invested $1 billion in Alibaba in 2005. Yahoo invested $1 billion in Alibaba. "
    text += "Yahoo invested $2 billion in Alibaba."
    first = dataclasses.replace(
        ARTICLE,
        text=text,
    )
    evidence = choose_evidence("", [hit((0.9, 0.8, 0.7), article=first)], tokens=100, count_tokens=words)
    assert [item.sentence.text for item in evidence.sentences] == [
        "Yahoo invested $1 billion in Alibaba in 2005.",
        "Yahoo invested $2 billion in Alibaba.",
    ]


def test_the_article_with_the_best_sentence_comes_first():
    other = dataclasses.replace(ARTICLE, id="a0", text="Ant Group cancelled its listing. Nobody knew why.")
    evidence = choose_evidence(
        "",
        [hit((0.1, 0.2, 0.3, 0.2)), hit((0.9, 0.1), article=other, rank=2, number=2)],
        tokens=100,
        count_tokens=words,
    )
    assert [item.article.id for item in evidence.sentences] == ["a0", "a0", "a1", "a1", "a1", "a1"]


def test_nothing_found_is_no_evidence():
    assert choose_evidence("", [], tokens=100, count_tokens=words).sentences == ()
