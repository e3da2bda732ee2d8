"""Questions about the collection are read to the last word, counted in the index, and never guessed."""

import json
import time
from contextlib import closing
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index import Filters, HashingEmbedder, SavedIndex, update_index
from rag import Chatbot, DoneEvent
from rag.exact import ExactQuestion, may_be_exact, parse_exact
from rag.fakes import CopyingGenerator
from rag.listing import MOST_LISTED
from rag.refusing import REFUSAL

TODAY = date(2026, 11, 25)
SOURCES = ("CNBC", "Daily Times", "The Age")
AUTHORS = ("Judy Wei", "Ana Silva and Li Na")


def parse(question):
    return parse_exact(question, sources=SOURCES, authors=AUTHORS, today=TODAY)


def count(mentions=None, *, author=None, literal=True, **filters):
    return ExactQuestion("count", mentions, author, Filters(**filters), literal)


def listing(mentions=None, *, author=None, literal=True, **filters):
    return ExactQuestion("list", mentions, author, Filters(**filters), literal)


IN_2018 = {"since": "2018", "until": "2018"}
CNBC = {"sources": ("CNBC",)}


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Which articles mention Snapdeal?", listing("Snapdeal")),
        ("which articles mention snapdeal", listing("snapdeal")),
        ("WHICH ARTICLES MENTION SNAPDEAL??", listing("SNAPDEAL")),
        ("Which articles mention Jack Ma?", listing("Jack Ma")),
        ("what articles mention jack ma?", listing("jack ma", literal=False)),
        ("Which article mentions Snapdeal?", listing("Snapdeal")),
        ("Which articles mentioned “Jack Ma”?", listing("Jack Ma")),
        ("Which articles mention 'stock rally'?", listing("stock rally")),
        ('Which articles mention "who and what, why?"', listing("who and what, why?")),
        ("Which of the articles mention Snapdeal?", listing("Snapdeal")),
        ("Which of the 4 articles mention Yahoo!?", listing("Yahoo")),
        ('Which articles contain the word "Snapdeal"?', listing("Snapdeal")),
        ('Which articles contain "lead"?', listing("lead")),
        ("Which articles contain the phrase stock rally?", listing("stock rally")),
        ("Which articles refer to Yahoo?", listing("Yahoo")),
        ("Which articles mention inflation?", listing("inflation")),
        ("Which articles mention 阿里巴巴?", listing("阿里巴巴")),
        ("Which articles mention the CEO of Snapdeal?", listing("CEO of Snapdeal")),
        ("Which articles mention the company Snapdeal by name?", listing("Snapdeal")),
        ("Which articles mention Jack Ma's return?", listing("Jack Ma's return", literal=False)),
        ("Which articles are about Alibaba?", listing("Alibaba")),
        ("Which articles from 2018 mention Alibaba?", listing("Alibaba", **IN_2018)),
        ("Which CNBC articles mention Alibaba?", listing("Alibaba", **CNBC)),
        ("Which articles by CNBC mention Alibaba?", listing("Alibaba", **CNBC)),
        ("Which articles by 'The Age' mention Alibaba?", listing("Alibaba", sources=("The Age",))),
        ("Which articles published by CNBC in 2018 mention Alibaba?", listing("Alibaba", **CNBC, **IN_2018)),
        ("Which articles mention Alibaba and were published in 2018?", listing("Alibaba", **IN_2018)),
        ("Which articles mention Alibaba from 2018?", listing("Alibaba", **IN_2018)),
        ('Which articles mention "Alibaba" and are from CNBC?', listing("Alibaba", **CNBC)),
        ("In which articles is Snapdeal mentioned?", listing("Snapdeal")),
        ("Which articles is Snapdeal mentioned in?", listing("Snapdeal")),
        ("Is Snapdeal mentioned in any article?", listing("Snapdeal")),
        ("Do any articles mention Tesla?", listing("Tesla")),
        ("Are there any articles about Tesla?", listing("Tesla")),
        ("Tell me which articles mention Snapdeal", listing("Snapdeal")),
        ("Find articles mentioning Taobao", listing("Taobao")),
        ("Give me a list of the articles that mention Snapdeal.", listing("Snapdeal")),
        ("Please list the articles in which Snapdeal is mentioned.", listing("Snapdeal")),
        ("List the articles about Jack Ma", listing("Jack Ma")),
        ("List the articles", listing()),
        ("List all articles.", listing()),
        ("Show me all articles from 2018, please", listing(**IN_2018)),
        ("List the articles from 2018", listing(**IN_2018)),
        ("List articles from last year", listing(since="2025", until="2025")),
        ("Which articles are from between 2016 and 2018?", listing(since="2016", until="2018")),
        ("Are there any articles from 2018?", listing(**IN_2018)),
        ("List the articles by Judy Wei", listing(author="Judy Wei")),
        ("list the articles by Zoe Unknown", listing(author="Zoe Unknown")),
        ("Which articles were written by Li Na?", listing(author="Li Na")),
        ("List all the CNBC articles.", listing(**CNBC)),
        ("list articles from cnbc", listing(sources=("cnbc",))),
        ("Can you show me the articles published by Daily Times?", listing(sources=("Daily Times",))),
        ("List the articles by CNBC or The Age", listing(sources=("CNBC", "The Age"))),
        ("What articles do you have?", listing()),
        ("What articles do you have by CNBC?", listing(**CNBC)),
        ("Which articles are there?", listing()),
        ("Which articles are in the index?", listing()),
        ('List the articles tagged "green energy"', listing(tags=("green energy",))),
        ("How many articles mention Snapdeal?", count("Snapdeal")),
        ("In how many articles is Jack Ma mentioned?", count("Jack Ma")),
        ("How many news articles mention Tmall?", count("Tmall")),
        ("How many articles are about Alibaba?", count("Alibaba")),
        ("How many articles are there about Alibaba?", count("Alibaba")),
        ("How many articles are there?", count()),
        ("how many articles", count()),
        ("How many articles do you have?", count()),
        ("How many articles are in the index?", count()),
        ("How many articles are there in your collection?", count()),
        ("What is the total number of articles?", count()),
        ("How many articles are from 2018?", count(**IN_2018)),
        ("How many articles are dated 2018?", count(**IN_2018)),
        ("How many articles were published in July 2018?", count(since="2018-07", until="2018-07")),
        ("How many articles are there from before 2019?", count(until="2018")),
        ("How many articles have been published since 2018?", count(since="2018")),
        ("How many articles are from CNBC?", count(**CNBC)),
        ("How many CNBC articles are there?", count(**CNBC)),
        ("How many articles did CNBC publish in 2018?", count(**CNBC, **IN_2018)),
        ("How many articles did Judy Wei write?", count(author="Judy Wei")),
        ("How many articles are tagged climate?", count(tags=("climate",))),
    ],
)
def test_questions_about_the_collection(question, expected):
    assert parse(question) == expected
    assert may_be_exact(question)


@pytest.mark.parametrize(
    "question",
    [
        "How many articles of clothing did she buy?",
        "How many articles of clothing are there?",
        "How many articles does the constitution have?",
        "How many articles are in the treaty?",
        "How many articles are on Wikipedia?",
        "How many articles did Jack Ma write?",
        "How many articles has she written?",
        "How many articles were published by women?",
        "How many articles are from China?",
        "How many articles from CNBC and how many from Daily Times?",
        "How many articles per day does CNBC publish?",
        "How many articles can I add?",
        "How many articles don't mention Alibaba?",
        "How many articles mention Alibaba in 2018?",
        "How many times is Alibaba mentioned?",
        "How many people does the article mention?",
        "How many companies mention Alibaba?",
        "How many stories does the tower have?",
        "How many malls did Alibaba open for Xinjiang?",
        "Which articles of the constitution mention slavery?",
        "Which article of the GDPR mentions consent?",
        "What article was published in 1937?",
        "Which articles mention that Jack Ma retired?",
        "Which articles mention how Alibaba grew?",
        "Which articles mention Jack Ma and Snapdeal?",
        "Which articles mention Jack Ma or Snapdeal?",
        "Which articles mention Alibaba but not Tmall?",
        "Which articles mention Snapdeal, and what do they say?",
        "Which articles mention Snapdeal? What do they say?",
        "Which articles mention it?",
        "Which articles mention him?",
        "Which of them mention Snapdeal?",
        "Which articles mentioned above are from 2018?",
        "Which articles mention Alibaba in 2018?",
        'Which articles mention "Alibaba" in 2018?',
        "Which articles mention an investment in India?",
        "Which articles mention the founding of a small company?",
        "Which articles mention Alibaba the most?",
        "Which articles mention Alibaba more than once?",
        "Which articles mention Alibaba positively?",
        "Which articles do not mention Alibaba?",
        "Which articles name the CEO of Snapdeal?",
        "Which articles discuss the impact of AI on jobs?",
        "Which articles are about the growth of online shopping in rural China?",
        "Which articles contain asbestos?",
        "Which articles support the claim that Alibaba grew?",
        "Which articles from 2018 and 2019 were the longest?",
        "Which articles from 2018 from 2019 mention Alibaba?",
        "Which articles were stolen?",
        "Which articles are true?",
        "Which articles?",
        "Which article is the newest?",
        "What is the latest article?",
        "What are the articles about?",
        "What do the articles say about Jack Ma?",
        "What does the article about Alibaba say?",
        "Who wrote the article about eWTP?",
        "When was the article about Siemens published?",
        "Summarise the articles about Jack Ma",
        "List the articles of incorporation",
        "List the articles and their authors",
        "List the companies that the articles mention",
        "Show me the article",
        "Show me what the articles say",
        "Name the CEO of Snapdeal",
        "Is Snapdeal mentioned?",
        "Is Jack Ma the founder of Alibaba?",
        "Why do the articles mention Snapdeal?",
        "articles",
        "articles articles articles",
        "How many",
        'Which articles mention ""?',
        "Which articles mention ?",
        "",
        "?",
        "\ud800\x00",
    ],
)
def test_ordinary_questions_are_never_taken_for_one(question):
    assert parse(question) is None


PIECES = st.sampled_from(
    "how many which what list articles article mention mentioned about from by in of the are there CNBC Judy Wei 2018 "
    "since before published written did and or that is Snapdeal “Jack Ma” \" ' , . ? tagged climate do "
    "you have 阿里".split()
)


@given(st.lists(PIECES, max_size=12).map(" ".join))
def test_no_order_of_words_breaks_the_grammar(question):
    read = parse(question)
    assert read is None or (read.mentions is None or read.mentions.strip())


@given(st.text(max_size=60))
def test_no_text_breaks_the_grammar(text):
    assert parse(f"Which articles mention {text}") is None or parse(f"Which articles mention {text}").mentions


@pytest.mark.parametrize(
    "question",
    [
        "Which articles mention " + "Ma from " * 240,
        "How many articles " + "and that are " * 150,
        "Please " * 280 + "list the articles",
        "List the articles by " + "Ab-" * 650,
        'Which articles mention "' + "'" * 1900,
    ],
)
def test_long_questions_are_read_quickly(question):
    started = time.process_time()
    parse(question[:2000])
    assert time.process_time() - started < 1.0


ARTICLES = {
    "snapdeal.md": "---\ntitle: Talks in India\npublisher: CNBC\ndate: 2018-07-19\nauthor: Judy Wei\ntags: deals\n---\n"
    "\nMarkets were calm. Jack Ma met Snapdeal’s chief. Snapdeal said nothing.\n",
    "malls.md": "---\ntitle: Three malls\npublisher: Daily Times\ndate: 2019\n---\n\n"
    "Alibaba opened three malls. Jack\nMa was there.\n",
    "title.md": "---\ntitle: Snapdeal\n---\n\nThe firm has a new home.\n\nLeave a Comment\n",
    "chinese.txt": "阿里巴巴集团今天宣布新计划。马云没有出席。",
}


@pytest.fixture
def chatbot(tmp_path):
    folder = tmp_path / "articles"
    folder.mkdir()
    for name, text in ARTICLES.items():
        (folder / name).write_text(text, encoding="utf-8")
    update_index(tmp_path / "index", [folder], embedder=HashingEmbedder())
    with SavedIndex.open(tmp_path / "index", embedder=HashingEmbedder()) as index:
        yield Chatbot(index, CopyingGenerator(), today=lambda: TODAY)


LINES = {
    "snapdeal.md": "• Talks in India (CNBC, 19 July 2018)",
    "malls.md": "• Three malls (Daily Times, 2019)",
    "title.md": "• Snapdeal (publisher unknown, date unknown)",
    "chinese.txt": "• chinese.txt (publisher unknown, date unknown)",
}


@pytest.mark.parametrize(
    ("question", "statement", "cited"),
    [
        (
            "Which articles mention Snapdeal?",
            "2 of the 4 articles mention Snapdeal.",
            {"snapdeal.md": "Jack Ma met Snapdeal’s chief.", "title.md": "The firm has a new home."},
        ),
        (
            "Which articles mention Snapdeal's chief?",
            "1 of the 4 articles mentions Snapdeal's chief.",
            {"snapdeal.md": "Jack Ma met Snapdeal’s chief."},
        ),
        (
            "How many articles mention jack ma?",
            "2 of the 4 articles mention “jack ma”.",
            {"malls.md": "Jack\nMa was there.", "snapdeal.md": "Jack Ma met Snapdeal’s chief."},
        ),
        ("Which articles mention 马云?", "1 of the 4 articles mentions 马云.", {"chinese.txt": "马云没有出席。"}),
        ("Which articles mention Tesla?", "None of the 4 articles mentions Tesla.", {}),
        (
            "How many articles are there?",
            "There are 4 articles.",
            {
                "malls.md": "Alibaba opened three malls.",
                "snapdeal.md": "Markets were calm.",
                "chinese.txt": "阿里巴巴集团今天宣布新计划。",
                "title.md": "The firm has a new home.",
            },
        ),
        (
            "List the articles from 2018",
            "1 of the 4 articles is from 2018. For 2 more the date is unknown.",
            {"snapdeal.md": "Markets were calm."},
        ),
        (
            "Which articles from 2018 mention Snapdeal?",
            "1 of the 4 articles is from 2018 and mentions Snapdeal. For 1 more the date is unknown.",
            {"snapdeal.md": "Jack Ma met Snapdeal’s chief."},
        ),
        (
            "How many articles are there since July 2018?",
            "2 of the 4 articles are from July 2018 or later. For 2 more the date is unknown.",
            {"malls.md": "Alibaba opened three malls.", "snapdeal.md": "Markets were calm."},
        ),
        (
            "How many articles are from CNBC?",
            "1 of the 4 articles is from CNBC.",
            {"snapdeal.md": "Markets were calm."},
        ),
        (
            "How many articles did Judy Wei write?",
            "1 of the 4 articles is by Judy Wei.",
            {"snapdeal.md": "Markets were calm."},
        ),
        ("List the articles by Zoe Unknown", "None of the 4 articles is by Zoe Unknown.", {}),
        (
            "List the articles tagged Deals",
            "1 of the 4 articles is tagged Deals.",
            {"snapdeal.md": "Markets were calm."},
        ),
        ("How many articles are from CNBC and from 2019?", "None of the 4 articles is from CNBC and from 2019.", {}),
    ],
)  # fmt: skip
def test_the_answer_counts_lists_and_cites(chatbot, question, statement, cited):
    answer = chatbot.answer(question)
    names = list(cited)
    assert answer.text == "\n".join([statement, *(LINES[name] for name in names)])
    assert (answer.abstained, answer.reason, answer.confidence) == (False, None, 1.0)
    assert (answer.usage.passes, answer.usage.tokens_read, answer.timings.first_token_s) == (0, 0, None)
    assert [citation.path.rsplit("/", 1)[1] for citation in answer.citations] == names
    assert [citation.number for citation in answer.citations] == list(range(1, len(names) + 1))
    for citation, passage in zip(answer.citations, answer.passages, strict=True):
        name = citation.path.rsplit("/", 1)[1]
        assert citation.quote == cited[name]
        assert chatbot.article(citation.article_id).text[citation.start : citation.end] == citation.quote
        assert answer.text[citation.answer_start : citation.answer_end] == LINES[name]
        assert (passage.article_id, passage.used) == (citation.article_id, True)
        assert passage.start <= citation.start < citation.end <= passage.end


@pytest.mark.parametrize("question", ["Which articles mention new plans?", "which articles mention elon musk"])
def test_a_phrase_that_need_not_be_literal_and_stands_nowhere_is_asked_the_ordinary_way(chatbot, question):
    assert parse(question).literal is False
    answer = chatbot.answer(question)
    assert answer.usage.passes > 0
    assert answer.abstained


def test_its_events_and_what_was_searched(chatbot):
    events = list(chatbot.stream("Which articles from CNBC mention Jack Ma?"))
    assert [event.type for event in events] == ["status", "passages", "citations", "done"]
    assert events[0].text == "Looking through 4 articles"
    answer = events[-1].answer
    assert (events[1].passages, events[2].text, events[2].citations) == (answer.passages, answer.text, answer.citations)
    assert answer.searched.questions == ("Which articles from CNBC mention Jack Ma?",)
    assert answer.searched.inferred == Filters(sources=("CNBC",))
    json.dumps([event.to_dict() for event in events])


def test_it_counts_within_the_limits_of_the_caller(chatbot):
    question = "Which articles mention Jack Ma?"
    answer = chatbot.answer(question, filters=Filters(since="2018", undated=True))
    assert answer.text.splitlines()[0] == "2 of the 4 articles searched mention Jack Ma."
    assert answer.searched.filters == Filters(since="2018", undated=True)
    ids = {article.path.rsplit("/", 1)[1]: article.id for article in chatbot.articles()}
    only = chatbot.answer(question, articles=[ids["malls.md"]])
    assert only.text == "The only article searched mentions Jack Ma.\n• Three malls (Daily Times, 2019)"
    none = chatbot.answer(question, articles=[ids["chinese.txt"]])
    assert none.text == "No article searched mentions Jack Ma."
    assert chatbot.answer("How many articles are there?", articles=[]).text == "0 articles pass the filters."
    both = chatbot.answer(question, articles=[ids["malls.md"], ids["snapdeal.md"]])
    assert both.text.splitlines()[0] == "All 2 articles searched mention Jack Ma."


def test_a_long_list_is_cut_and_the_count_is_not(tmp_path):
    folder = tmp_path / "articles"
    folder.mkdir()
    for number in range(MOST_LISTED + 12):
        (folder / f"{number:03}.md").write_text(f"---\ndate: 2020-01-{1 + number % 28:02}\n---\n\nBoats sailed.\n")
    update_index(tmp_path / "index", [folder], embedder=HashingEmbedder())
    with closing(SavedIndex.open(tmp_path / "index", embedder=HashingEmbedder())) as index:
        answer = Chatbot(index, CopyingGenerator()).answer("How many articles mention boats?")
    lines = answer.text.splitlines()
    assert lines[0] == f"All {MOST_LISTED + 12} articles mention “boats”."
    assert lines[-1] == "… and 12 more."
    assert (len(lines), len(answer.citations), len(answer.passages)) == (MOST_LISTED + 2, MOST_LISTED, MOST_LISTED)
    dates = [citation.date for citation in answer.citations]
    assert dates == sorted(dates, reverse=True)


def test_an_empty_index_has_no_articles(tiny_index, tiny_corpus):
    for file in tiny_corpus.iterdir():
        file.unlink()
    update_index(tiny_index, [tiny_corpus], embedder=HashingEmbedder())
    with closing(SavedIndex.open(tiny_index, embedder=HashingEmbedder())) as index:
        chatbot = Chatbot(index, CopyingGenerator())
        assert chatbot.answer("How many articles are there?").text == "There are no articles."
        assert chatbot.answer("Which articles mention Tesla?").text == "No article mentions Tesla."
        assert chatbot.answer("Who is Tesla?").text == REFUSAL


def test_a_title_with_line_breaks_and_markup_stays_one_line(tmp_path):
    (tmp_path / "odd.md").write_text(
        '---\ntitle: "A\\nB <b>[3]</b> \\u202egnp"\npublisher: "C\\n\\nD"\ndate: 2020\n---\n\nBoats sailed.\n',
        encoding="utf-8",
    )
    update_index(tmp_path / "index", [tmp_path / "odd.md"], embedder=HashingEmbedder())
    with closing(SavedIndex.open(tmp_path / "index", embedder=HashingEmbedder())) as index:
        events = list(Chatbot(index, CopyingGenerator()).stream("List all articles"))
    assert isinstance(events[-1], DoneEvent)
    assert events[-1].answer.text == "There is 1 article.\n• A B <b>[3]</b> gnp (C D, 2020)"
