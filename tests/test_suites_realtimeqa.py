"""The RealTimeQA loader, on an invented quiz."""

import json

import pytest

from eval.questions import EvidenceQuote, Question
from eval.suites import load_suite
from eval.suites.realtimeqa import publisher, states
from index.errors import InputError

HARBOUR = "The harbour of Porto Claro reopened on Monday.\n\nRepairs cost €12m."
BAKERY = "Olga Brandt won the bread prize."
FORM = "We use cookies. Do you agree?"


def quiz(name, sentence, *answers, choices=("Porto Claro", "“Rye” loaf", "Ana Silva")):
    return {
        "question_id": name,
        "question_date": "2021/03/05",
        "question_source": "CNN",
        "question_sentence": sentence,
        "choices": list(choices),
        "answer": [str(place) for place in answers],
    }


def result(text, url="https://edition.cnn.com/a?x=1", **extra):
    return {"url": url, "publish_date": "2021/03/04", "authors": [], "text": text, **extra}


def write(folder, name, *rows):
    (folder / name).write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return folder


def write_week(folder, week="20210305"):
    write(
        folder,
        f"{week}_qa.jsonl",
        quiz(f"{week}_0", " Which harbour reopened? ", 0),
        quiz(f"{week}_1", "What won, and who told us?", 1, 2),
        quiz(f"{week}_2", "All of these reopened, except:", 2),
        quiz(f"{week}_3", "Who has no article?", 2),
    )
    write(folder, f"{week}_qa_nota.jsonl", quiz(f"{week}_0_nota", "Which harbour reopened?", 0))
    harbour = result(HARBOUR, title="Harbour reopens - CNN", authors=["Ana Silva Bo Ray", "Ana Silva", "Bo Ray"])
    bakery = result(BAKERY, url="https://www.town-gazette.example/b", publish_date="", title=None, authors=None)
    write(
        folder,
        f"{week}_gcs.jsonl",
        {"question_id": f"{week}_0", "search_result": [harbour, {"url": "https://x.example", "title": "No text"}]},
        {"question_id": f"{week}_1", "search_result": [bakery, harbour, bakery, result(" \n")]},
        {"question_id": f"{week}_2", "search_result": [bakery]},
        {"question_id": f"{week}_3", "search_result": []},
    )
    write(
        folder,
        f"{week}_gold.jsonl",
        {"question_id": f"{week}_0", "search_result": [result(HARBOUR)]},
        {"question_id": f"{week}_1", "search_result": [{"url": "https://www.cnn.com/gone"}]},
        {"question_id": f"{week}_2", "search_result": [result(BAKERY)]},
        {"question_id": f"{week}_3", "search_result": []},
    )
    return folder


def test_articles_have_their_publisher_date_and_authors(tmp_path):
    suite = load_suite("realtimeqa", write_week(tmp_path))
    shown = [(item.text, item.title, item.source, item.author, item.date, item.url) for item in suite.articles]
    cnn = "https://edition.cnn.com/a?x=1"
    assert shown == [
        (HARBOUR, "Harbour reopens - CNN", "CNN", "Ana Silva and Bo Ray", "2021-03-04", cnn),
        (BAKERY, None, "town-gazette.example", None, None, "https://www.town-gazette.example/b"),
        (HARBOUR, None, "CNN", None, "2021-03-04", cnn),
        (BAKERY, None, "CNN", None, "2021-03-04", cnn),
    ]


def test_a_question_is_answered_from_its_pool_and_its_linked_article_searched_among_all(tmp_path):
    suite = load_suite("realtimeqa", write_week(tmp_path))
    harbour, bakery, linked_harbour, linked_bakery = (article.file for article in suite.articles)
    assert suite.questions == (
        Question(
            "20210305_0:pool",
            "Which harbour reopened?",
            answers=(("Porto Claro",),),
            answerable=True,
            kind="CNN",
            part="pool",
            articles=(harbour,),
        ),
        # Two right choices are two parts; the pool states neither "rye loaf" nor its teller.
        Question(
            "20210305_1:pool",
            "What won, and who told us?",
            answers=(("“Rye” loaf",), ("Ana Silva",)),
            answerable=False,
            kind="CNN",
            part="pool",
            articles=(bakery, harbour),
        ),
        Question(
            "20210305_0:gold",
            "Which harbour reopened?",
            answers=(("Porto Claro",),),
            evidence=(EvidenceQuote(linked_harbour),),
            kind="CNN",
            part="gold",
            articles=(linked_harbour, linked_bakery),
            task="search",
        ),
    )
    assert suite.metrics[:4] == ("f1", "em", "hit@1", "hit@5")
    assert dict(suite.settings) == {"answer_style": "phrase"}
    assert suite.notes[-1].startswith("1 questions")


def test_without_linked_articles_there_is_no_part_gold_and_without_pools_no_part_pool(tmp_path):
    half = tmp_path / "later"
    half.mkdir()
    write_week(half, "20210604")
    (half / "20210604_gold.jsonl").unlink()
    assert {item.part for item in load_suite("realtimeqa", tmp_path).questions} == {"pool"}
    write_week(half, "20210604")
    (half / "20210604_gcs.jsonl").unlink()
    assert [item.id for item in load_suite("realtimeqa", tmp_path).questions] == ["20210604_0:gold"]


def test_a_text_that_stands_at_three_addresses_is_no_article(tmp_path):
    write_week(tmp_path)
    forms = [result(FORM, url=f"https://www.cnn.com/{page}") for page in ("a", "b", "c", "c?again")]
    twice = [result("Reprinted twice.", url=f"https://www.cnn.com/{page}") for page in ("d", "e")]
    write(
        tmp_path,
        "20210312_gold.jsonl",
        {"question_id": "20210305_3", "search_result": [*forms[:2], *twice]},
        {"question_id": "20210305_1", "search_result": forms[2:]},
    )
    suite = load_suite("realtimeqa", tmp_path)
    assert FORM not in [article.text for article in suite.articles]
    addresses = {article.file: article.url for article in suite.articles}
    gold = {item.id: [addresses[quote.article] for quote in item.evidence] for item in suite.questions if item.evidence}
    assert gold == {
        "20210305_0:gold": ["https://edition.cnn.com/a?x=1"],
        "20210305_3:gold": ["https://www.cnn.com/d", "https://www.cnn.com/e"],
    }


@pytest.mark.parametrize(
    ("parts", "stated"),
    [
        ((("porto claro",),), True),
        ((("claro harbour",),), False),
        ((("Port",),), False),  # only part of a word
        ((("“Monday.”",),), True),
        ((("€12m",),), True),
        ((("2m",),), False),
        ((("Porto Claro",), ("Olga Brandt",)), True),  # in two texts
        ((("Porto Claro",), ("Ana Silva",)), False),
        ((("Ana Silva", "Olga Brandt"),), True),  # one of two spellings
    ],
)
def test_a_pool_states_an_answer_if_it_has_every_part_as_words_of_its_own(parts, stated):
    assert states([HARBOUR, BAKERY], parts) is stated


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://edition.cnn.com/x", "CNN"),
        ("https://www.usatoday.com:443/x", "USA TODAY"),
        ("http://notcnn.com/x", "notcnn.com"),
        ("https://www.theweek.co.uk", "The Week"),
        ("no address", None),
        ("http://[broken/x", None),
    ],
)
def test_the_publisher_follows_from_the_host(url, name):
    assert publisher(url) == name


def test_wrong_files_are_errors_that_name_file_line_and_field(tmp_path):
    with pytest.raises(InputError, match=r"There is no file \*_qa\.jsonl"):
        load_suite("realtimeqa", tmp_path)
    write(tmp_path, "x_qa.jsonl", quiz("q", "Which?", 0))
    with pytest.raises(InputError, match=r"there is no \*_gcs\.jsonl and no \*_gold\.jsonl"):
        load_suite("realtimeqa", tmp_path)
    write(tmp_path, "x_gcs.jsonl", {"question_id": "q", "search_result": [{"text": "No address."}]})
    with pytest.raises(InputError, match=r"x_gcs\.jsonl, search_result 1: the field 'url' is missing"):
        load_suite("realtimeqa", tmp_path)
    write(tmp_path, "x_gcs.jsonl", {"question_id": "q", "search_result": [result(HARBOUR)]})
    write(tmp_path, "x_qa.jsonl", quiz("p", "Which?", 0), quiz("q", "Which?", 3))
    with pytest.raises(InputError, match=r"x_qa\.jsonl, line 2: the field 'answer' does not name choices"):
        load_suite("realtimeqa", tmp_path)
