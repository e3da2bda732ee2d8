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


def report(number, *texts):
    return dataclasses.replace(ARTICLE, id=f"r{number}", text=". ".join(texts) + ".")


def test_a_sentence_that_holds_what_is_asked_for_comes_before_one_that_does_not():
    article = report(1, "Alibaba sold its shares then", "Alibaba sold 25 million shares then")
    hits = [hit((0.5, 0.45), article=article)]
    counts = choose_evidence("How many shares were sold?", hits, tokens=6, count_tokens=words)
    assert [item.parts.kind for item in counts.sentences] == [0.1]
    assert counts.sentences[0].sentence.text == "Alibaba sold 25 million shares then."
    other = choose_evidence("Were shares sold?", hits, tokens=6, count_tokens=words)
    assert [(item.parts.kind, item.sentence.text) for item in other.sentences] == [
        (0.0, "Alibaba sold its shares then.")
    ]


def test_once_enough_is_chosen_only_what_fits_nearly_as_well_is_read():
    article = report(1, "Zero", "One", "Two", "Three", "Four", "Five")
    scores = (0.9, 0.3, 0.3, 0.8, 0.3, 0.35)  # and 0.25 each, half the score of their passage

    def read(tokens_each):
        found = choose_evidence("", [hit(scores, article=article)], tokens=10_000, count_tokens=lambda _: tokens_each)
        return [item.sentence.text for item in found.sentences]

    everything = ["Zero.", "One.", "Two.", "Three.", "Four.", "Five."]
    assert read(26) == everything  # 135 tokens before Five
    # The best two bring One, Two and Four; Five has 0.6 of what Zero has, and a fit of 0.8 is asked for then.
    assert scores[5] + 0.25 < 0.8 * (scores[0] + 0.25)
    assert read(40) == everything[:-1]  # 205 tokens before it


def test_a_long_neighbour_does_not_take_the_place_of_what_fits():
    long = "one two three four five six seven eight nine ten eleven twelve"
    article = report(1, long, "Alpha beta", "Gamma delta", "Epsilon zeta", "Eta theta")
    scores = (0.0, 0.9, 0.1, 0.2, 0.7)
    evidence = choose_evidence("", [hit(scores, article=article)], tokens=20, count_tokens=words)
    assert [(item.sentence.text, item.parts.reason) for item in evidence.sentences] == [
        ("Alpha beta.", "score"),
        ("Gamma delta.", "neighbour"),
        ("Epsilon zeta.", "neighbour"),
        ("Eta theta.", "score"),
    ]


def test_a_sentence_that_was_passed_over_brings_no_neighbours():
    first = report(1, "Yahoo invested $1 billion in Alibaba")
    rest = " ".join(f"word{number}" for number in range(21))
    second = report(2, "Zero zero", "Yahoo invested $1 billion in Alibaba", "One one", "Two two", rest)
    hits = [hit((0.9,), article=first), hit((0.0, 0.8, 0.0, 0.1, 0.2), article=second, rank=2, number=2)]
    evidence = choose_evidence("", hits, tokens=30, count_tokens=words)
    # Beside the repeated sentence stand two short ones that would have taken the place of the last.
    assert [item.sentence.text for item in evidence.sentences] == ["Yahoo invested $1 billion in Alibaba.", f"{rest}."]


def test_where_the_question_compares_the_best_of_each_article_is_read():
    hits = [
        hit((0.9, 0.88), article=report(1, "Sales rose quickly in May", "Sales rose quickly in June"), number=1),
        hit((0.8, 0.1), article=report(2, "Sales fell slowly in July", "Nothing else"), number=2, rank=2),
        hit((0.1,), article=report(3, "Bread is baked in Linz"), number=3, rank=3),
    ]

    def read(question):
        found = choose_evidence(question, hits, tokens=12, count_tokens=words)
        return {(item.article.id, item.parts.reason) for item in found.sentences}

    # The third article fits the question so much worse that it is not worth the place.
    assert read("What differs between the reports?") == {("r1", "article"), ("r2", "article")}
    assert read("What do the reports tell?") == {("r1", "score")}
