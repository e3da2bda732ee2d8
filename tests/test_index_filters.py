"""Filters: who passes and who does not, in SQLite as in Python, and that a limited search is the same search."""

import json
from contextlib import closing
from dataclasses import replace
from datetime import date as day

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index import Filters, HashingEmbedder, SavedIndex, update_index
from index import search as search_module
from index.errors import IndexDamaged, InputError
from index.filters import (
    count_articles,
    known_authors,
    known_sources,
    known_tags,
    matching_articles,
    may_lie_in,
    name_key,
    newest_date,
    passages_within,
    same_sources,
    tag_key,
)
from index.library import Library
from index.manifest import MANIFEST_NAME
from index.passages import SplitterSettings, split_passages, text_to_embed
from index.readers import RawArticle, prepare_article
from index.status import read_status

# name: (publisher, date, tags, author)
KNOWN = {
    "a": ("CNBC.com", "2018-07-19", ("Climate", "E-commerce"), "Ana Silva and Li Na"),
    "b": ("The Daily Times", "2018-07", (), "Judy Wei"),
    "c": ("FOX News - Health", "2018", ("#climate",), None),
    "d": (None, None, ("energy_policy",), None),
    "e": ("Daily Times", "2019-01-01", (), "José Ortiz"),
    "f": ("Barron’s", "2017-12-31", (), None),
    "g": ("人民日报", "2020-02-29", (), None),
}


def article(name, source=None, date=None, tags=(), author=None, text=None):
    raw = RawArticle(text or f"The story of {name} is short. It has two sentences.")
    made = prepare_article(raw, shown_as=f"{name}.txt", location=f"/{name}.txt", hash_of_content=name)
    return replace(made, id=name, source=source, date=date, tags=tags, author=author)


def library_of(articles, path):
    library = Library.create(path)
    for one in articles:
        passages = split_passages(one, SplitterSettings())
        library.add(one, passages, [text_to_embed(one, passage) for passage in passages])
    library.commit()
    return library


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    made = library_of(
        [article(name, *known) for name, known in KNOWN.items()], tmp_path_factory.mktemp("l") / "l.sqlite"
    )
    with closing(made):
        yield made


@pytest.mark.parametrize(
    ("filters", "passing"),
    [
        ({}, "abcdefg"),
        ({"articles": ("c", "a", "unknown")}, "ac"),
        ({"articles": ()}, ""),
        ({"sources": ("CNBC",)}, "a"),
        ({"sources": ("cnbc.com", "www.cnbc.com")}, "a"),
        ({"sources": ("daily times",)}, "be"),
        ({"sources": ("Times",)}, ""),
        ({"sources": ("Fox News",)}, "c"),
        ({"sources": ("Fox News - Health",)}, "c"),
        ({"sources": ("Fox News - Sports",)}, ""),
        ({"sources": ("Barrons", "CNBC")}, "af"),
        ({"sources": ("人民日报",)}, "g"),
        ({"sources": ("",)}, ""),
        ({"sources": ("'; DROP TABLE articles; --", "%", "\x00", "\ud800")}, ""),
        ({"tags": ("climate",)}, "ac"),
        ({"tags": ("e commerce",)}, "a"),
        ({"tags": ("Energy Policy", "E-Commerce")}, "ad"),
        ({"tags": ("clim",)}, ""),
        ({"since": "2018"}, "abceg"),
        ({"until": "2018"}, "abcf"),
        ({"since": "2018", "until": "2018"}, "abc"),
        ({"since": "2018-07", "until": "2018-07"}, "abc"),  # of "c", only the year is known: it may be of July
        ({"since": "2018-07-20"}, "bceg"),
        ({"until": "2018-07-18"}, "bcf"),
        ({"since": "2018-08", "until": "2018-12-31"}, "c"),
        ({"since": "2019"}, "eg"),
        ({"since": "2020-02-29"}, "g"),
        ({"until": "2017"}, "f"),
        ({"since": "2021"}, ""),
        ({"since": "2021", "undated": True}, "d"),
        ({"since": "2018", "until": "2018", "undated": True}, "abcd"),
        ({"undated": True}, "abcdefg"),
        ({"sources": ("Daily Times",), "since": "2019"}, "e"),
        ({"sources": ("Daily Times",), "tags": ("climate",)}, ""),
        ({"articles": ("a", "b"), "since": "2018-07-20", "sources": ("Daily Times", "CNBC")}, "b"),
    ],
)
def test_which_articles_pass(library, filters, passing):
    wanted = Filters(**filters)
    assert sorted(matching_articles(library, wanted)) == list(passing)
    assert count_articles(library, wanted) == len(passing)


def test_authors_limit_further(library):
    assert matching_articles(library, Filters(), authors=["Judy Wei"]) == ["b"]
    assert matching_articles(library, Filters(since="2019"), authors=["Judy Wei"]) == []
    assert matching_articles(library, Filters(), authors=[]) == []


@pytest.mark.parametrize(
    ("filters", "until", "newest"),
    [
        (Filters(), "2026-11-27", "2020-02-29"),
        (Filters(), "2020-02-28", "2019-01-01"),
        (Filters(), "2018-07-19", "2018-07-19"),
        (Filters(articles=("b", "c", "d")), "2026-11-27", "2018-07-01"),
        (Filters(articles=("c", "d")), "2026-11-27", "2018-01-01"),
        (Filters(articles=("d",)), "2026-11-27", None),
        (Filters(sources=("Daily Times",), undated=True), "2018-12-31", "2018-07-01"),
    ],
)
def test_the_newest_date_is_that_of_an_article_that_passes_and_is_not_to_come(library, filters, until, newest):
    assert newest_date(library, filters, until=day.fromisoformat(until)) == (newest and day.fromisoformat(newest))


def test_what_is_known_comes_once_and_in_order(library):
    assert known_sources(library) == (
        "Barron’s", "CNBC.com", "Daily Times", "FOX News - Health", "The Daily Times", "人民日报",
    )  # fmt: skip
    assert known_authors(library) == ("Ana Silva and Li Na", "José Ortiz", "Judy Wei")
    assert known_tags(library) == ("#climate", "Climate", "E-commerce", "energy_policy")


def test_an_empty_library_knows_nothing(tmp_path):
    with closing(Library.create(tmp_path / "l.sqlite")) as empty:
        assert (known_sources(empty), known_tags(empty), matching_articles(empty, Filters(since="2018"))) == (
            (),
            (),
            [],
        )


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("CNBC", "CNBC.com", True),
        ("The New York Times", "new york times", True),
        ("BBC", "https://www.bbc.co.uk", True),
        ("Le Monde", "LE MONDE", True),
        ("El País", "El Pais", True),
        ("Barron's", "Barron’s", True),
        ("AT&T News", "AT and T News", True),
        ("Tech Crunch", "TechCrunch", True),
        ("CBS Sports", "CBSSports.com", True),
        ("The", "the", True),
        ("BBC", "BBC News", False),
        ("Times", "The Sunday Times", False),
        ("!!!", "???", False),
        ("Ведомости", "ведомости", True),
        ("कखग", "कखगा", False),
    ],
)
def test_publishers_are_compared_by_what_people_hear(one, other, same):
    assert (name_key(one) == name_key(other)) is same


def test_a_section_is_part_of_its_publisher_but_not_the_other_way_round():
    known = [
        "FOX News - Health",
        "FOX News - Travel",
        "FOX News",
        "Cnbc | World Business News Leader",
        "Post (Bangkok)",
    ]
    assert same_sources(known, ["Fox News"]) == known[:3]
    assert same_sources(known, ["FOX News - Travel"]) == ["FOX News - Travel"]
    assert same_sources(known, ["CNBC", "Bangkok Post"]) == ["Cnbc | World Business News Leader"]


def test_tags_differ_by_more_than_case_and_joints():
    assert tag_key("#Green_Energy ") == tag_key("green-energy") == "green energy"
    assert tag_key("C++") != tag_key("C")


DATES = st.one_of(
    st.dates().map(lambda day: day.isoformat()),
    st.dates().map(lambda day: day.isoformat()[:7]),
    st.dates().map(lambda day: day.isoformat()[:4]),
)


@given(
    st.lists(st.one_of(st.none(), DATES), max_size=8),
    st.one_of(st.none(), DATES),
    st.one_of(st.none(), DATES),
    st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_sqlite_and_python_agree_about_dates(tmp_path_factory, dates, since, until, undated):
    try:
        filters = Filters(since=since, until=until, undated=undated)
    except InputError:
        return
    path = tmp_path_factory.mktemp("dates") / "l.sqlite"
    with closing(library_of([article(str(n), date=day) for n, day in enumerate(dates)], path)) as made:
        expected = {
            str(number)
            for number, day in enumerate(dates)
            if (may_lie_in(day, since, until) if day else undated) or not filters.dated
        }
        assert set(matching_articles(made, filters)) == expected


@given(st.dates(), st.dates(), st.dates())
def test_whole_dates_lie_in_a_range_as_calendars_say(day, since, until):
    inside = since <= day <= until
    assert may_lie_in(day.isoformat(), since.isoformat(), until.isoformat()) is inside
    if inside:
        assert may_lie_in(day.isoformat()[:7], since.isoformat(), until.isoformat())
        assert may_lie_in(day.isoformat(), since.isoformat()[:4], until.isoformat()[:7])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"since": "2018-7"}, "'2018-7', which is no day, month or year"),
        ({"since": "July 2018"}, "'July 2018'"),
        ({"until": "2018-02-30"}, "'2018-02-30'"),
        ({"until": "2018-13"}, "'2018-13'"),
        ({"until": "0000"}, "'0000'"),
        ({"until": "２０１８"}, "'２０１８'"),
        ({"since": ""}, "''"),
        ({"since": 2018}, "since is 2018"),
        ({"since": "2019", "until": "2018-12"}, "since 2019 until 2018-12 end before they begin"),
        ({"sources": "CNBC"}, "sources must be a list of texts, not 'CNBC'"),
        ({"tags": (1,)}, "tags must be a list of texts"),
        ({"sources": None}, "sources must be a list of texts"),
        ({"articles": "abc"}, "articles must be a list of texts"),
        ({"undated": "no"}, "undated must be true or false"),
    ],
)
def test_what_is_no_filter_is_an_error(values, message):
    with pytest.raises(InputError) as caught:
        Filters(**values)
    assert message in caught.value.message
    with pytest.raises(InputError):
        Filters.from_dict(values)


def test_an_error_about_a_date_says_how_dates_are_written():
    with pytest.raises(InputError) as caught:
        Filters(since="last year")
    assert caught.value.help == "Dates are written 2018, 2018-07 or 2018-07-19."


def test_plain_values_become_filters():
    assert Filters.from_dict({}) == Filters()
    assert Filters.from_dict(json.loads('{"sources": ["CNBC"], "articles": null, "until": "2018"}')) == Filters(
        sources=("CNBC",), until="2018"
    )
    with pytest.raises(InputError, match=r"Unknown filters: colour, source\.") as caught:
        Filters.from_dict({"source": ["CNBC"], "colour": "red"})
    assert caught.value.help == "Known are articles, sources, tags, since, until, undated."


def test_a_range_may_be_one_day_and_of_two_precisions():
    assert Filters(since="2018-07-19", until="2018-07-19").dated
    assert Filters(since="2018-07-19", until="2018").dated
    assert not Filters(undated=True).limits


def test_filters_are_limited_further_by_ids():
    assert Filters(articles=("a", "b")).limited_to(["b", "c"]).articles == ("b",)
    assert Filters(since="2018").limited_to(["b"]) == Filters(articles=("b",), since="2018")
    assert Filters(articles=("a",)).limited_to(None).articles == ("a",)
    assert Filters().limited_to([]).limits


def test_passages_within_filters(library):
    assert passages_within(library, None) is None
    assert passages_within(library, None, Filters(undated=True)) is None
    every = passages_within(library, list(KNOWN))
    assert every == sorted(every)
    assert len(every) == len(KNOWN)
    assert passages_within(library, ["a", "e"], Filters(since="2019")) == [every[4]]
    assert passages_within(library, [], Filters(since="2019")) == []


@pytest.fixture
def many(tmp_path):
    """120 articles of about the same words, every third one of 2020."""
    folder = tmp_path / "articles"
    folder.mkdir()
    for number in range(120):
        year = 2020 if number % 3 == 0 else 2019
        (folder / f"{number:03}.md").write_text(
            f"---\ndate: {year}-05-01\npublisher: Paper {number % 2}\n---\n\nBoats number {number} carried salt and "
            f"timber past lighthouse {number % 7} to the north.\n",
            encoding="utf-8",
        )
    update_index(tmp_path / "index", [folder], embedder=HashingEmbedder())
    with SavedIndex.open(tmp_path / "index", embedder=HashingEmbedder()) as saved:
        yield saved


def test_a_search_within_filters_finds_what_the_same_ids_would(many):
    question = "Which boats passed lighthouse 3?"
    filters = Filters(sources=("paper 1",), since="2020")
    ids = many.read(lambda library: matching_articles(library, filters))
    assert len(ids) == 20
    found = many.search(question, passages=10, filters=filters)
    assert found == many.search(question, passages=10, articles=ids)
    assert {hit.article.id for hit in found} <= set(ids)
    assert many.search(question, articles=ids[:3], filters=filters) == many.search(question, articles=ids[:3])
    assert many.search(question, articles=ids, filters=Filters(until="2019")) == ()
    words = many.keyword_search(question, passages=50, filters=filters)
    assert words == many.keyword_search(question, passages=50, articles=ids)


def test_a_limit_too_wide_to_be_looked_at_whole_finds_the_same(many, monkeypatch):
    """Stores know no limits, so candidates are fetched deeper and deeper until enough of them are allowed."""
    question = "Which boats passed lighthouse 3?"
    for filters in (Filters(since="2020"), Filters(since="2019", until="2019"), Filters(sources=("Paper 0",))):
        whole = many.search(question, passages=15, filters=filters)
        monkeypatch.setattr(search_module, "LOOKED_AT_WHOLE", 5)
        assert many.search(question, passages=15, filters=filters) == whole
        monkeypatch.undo()


def test_tags_are_read_from_front_matter_and_kept(tmp_path):
    folder = tmp_path / "articles"
    folder.mkdir()
    texts = {
        "list.md": "tags: [Climate, ' Green  energy ', 'Oil, gas', Climate, 2020, null, {a: b}, true]",
        "commas.md": "keywords: oil, gas; wind\ntags: sun",
        "none.md": "title: No tags",
        "half.md": 'title: "\\ud800x"\ntags: ["\\udfffy"]',
        "odd.md": "tags: {a: 1}\nkeywords: '  ,, '",
    }
    for name, front in texts.items():
        (folder / name).write_text(f"---\n{front}\n---\n\nA text about the weather.\n", encoding="utf-8")
    update_index(tmp_path / "index", [folder], embedder=HashingEmbedder())
    with SavedIndex.open(tmp_path / "index", embedder=HashingEmbedder()) as saved:
        articles = {article.path.rsplit("/", 1)[1]: article for article in saved.articles()}
        assert {name: one.tags for name, one in articles.items()} == {
            "list.md": ("Climate", "Green energy", "Oil, gas", "2020"),
            "commas.md": ("sun", "oil", "gas", "wind"),
            "none.md": (),
            "half.md": ("?y",),
            "odd.md": (),
        }
        assert saved.article(articles["commas.md"].id) == articles["commas.md"]
        assert articles["half.md"].title == "?x"
        hits = saved.search("weather", filters=Filters(tags=("GREEN ENERGY",)))
        assert [hit.article for hit in hits] == [articles["list.md"]]
        (folder / "list.md").unlink()
        update_index(tmp_path / "index", [folder], embedder=HashingEmbedder())
        assert saved.search("weather", filters=Filters(tags=("climate",))) == ()
        assert saved.read(known_tags) == ("?y", "gas", "oil", "sun", "wind")


def test_an_index_of_an_earlier_version_is_named_and_made_anew(tiny_index, tiny_corpus):
    path = tiny_index / MANIFEST_NAME
    path.write_text(json.dumps(json.loads(path.read_bytes()) | {"format": 1}), encoding="utf-8")
    for act in (
        lambda: SavedIndex.open(tiny_index, embedder=HashingEmbedder()),
        lambda: update_index(tiny_index, [tiny_corpus], embedder=HashingEmbedder()),
        lambda: read_status(tiny_index),
    ):
        with pytest.raises(IndexDamaged, match="has format 1; this version of Byline reads 3") as caught:
            act()
        assert "byline index add --rebuild" in caught.value.help
    assert update_index(tiny_index, [tiny_corpus], embedder=HashingEmbedder(), rebuild=True).generation == 2
    with SavedIndex.open(tiny_index, embedder=HashingEmbedder()) as saved:
        assert saved.search("harbour", filters=Filters(since="2021"))[0].article.path == "articles/harbour.txt"
