"""Texts in SQLite: what goes in comes out, and questions are never taken for query syntax."""

import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from index.errors import IndexDamaged
from index.library import Library
from index.passages import SplitterSettings, split_passages, text_to_embed
from index.readers import read_article
from index.sentences import split_sentences


@pytest.fixture
def articles(tiny_corpus):
    return [read_article(file, shown_as=f"articles/{file.name}") for file in sorted(tiny_corpus.iterdir())]


@pytest.fixture
def library(articles, tmp_path):
    with closing(Library.create(tmp_path / "articles.sqlite")) as library:
        for article in articles:
            passages = split_passages(article, SplitterSettings())
            library.add(article, passages, [text_to_embed(article, passage) for passage in passages])
        library.commit()
        yield library


def test_articles_come_back_as_they_were(library, articles, tmp_path):
    assert library.articles() == tuple(articles)
    with closing(Library.open(tmp_path / "articles.sqlite")) as reopened:
        assert reopened.articles() == tuple(articles)
        assert reopened.article(articles[1].id) == articles[1]
        assert reopened.article("0" * 12) is None
        assert reopened.counts() == (3, 3, 13)
        assert reopened.content_hashes() == {article.location: article.content_hash for article in articles}


def test_pages_come_back_and_a_library_of_before_has_none_until_it_is_copied(tmp_path, articles):
    paged = replace(articles[0], pages=(0, 0, 7))
    with closing(Library.create(tmp_path / "new.sqlite")) as library:
        library.add(paged, (), ())
        library.add(articles[1], (), ())
        library.commit()
        assert [library.article(one.id) for one in (paged, articles[1])] == [paged, articles[1]]
    with closing(sqlite3.connect(tmp_path / "new.sqlite")) as connection:
        connection.execute("DROP TABLE pages")
    with closing(Library.open(tmp_path / "new.sqlite")) as library:
        assert library.article(paged.id) == articles[0]
    with closing(Library.copy(tmp_path / "new.sqlite", tmp_path / "copy.sqlite")) as library:
        library.remove(paged.id)
        library.add(paged, (), ())
        assert library.article(paged.id) == paged
        library.remove(paged.id)
        assert library.select("SELECT count(*) FROM pages") == [(0,)]


def test_passages_come_back_with_their_sentences(library, articles):
    stored = library.passages([2, 3, 77])
    assert list(stored) == [2, 3]
    passage, sentence_ids = stored[2]
    assert len(set(sentence_ids)) == len(passage.sentences)
    assert passage.article_id == articles[1].id
    assert passage.text == articles[1].text[passage.start : passage.end]
    assert passage.sentences == split_sentences(articles[1])


def test_passages_of_a_long_article_are_cut_out_of_it_wherever_they_stand(tmp_path):
    text = "\n\n".join(
        f"Ünit {number} «costs» {number * 3} € 🙂. So it is said by number {number}." for number in range(400)
    )
    (tmp_path / "long.txt").write_text(f"A long list\n\n{text}", encoding="utf-8")
    article = read_article(tmp_path / "long.txt", shown_as="long.txt")
    drafts = split_passages(article, SplitterSettings())
    assert len(drafts) > 20
    with closing(Library.create(tmp_path / "articles.sqlite")) as library:
        added = library.add(article, drafts, [""] * len(drafts))
        for chosen in ([added[-1]], [added[5], added[3]], added[::7], added):
            found = library.passages([kept.passage.id for kept in chosen])
            assert list(found.values()) == list(chosen)
            for passage, _ in found.values():
                assert passage.text == article.text[passage.start : passage.end]
                assert [s.text for s in passage.sentences] == [article.text[s.start : s.end] for s in passage.sentences]


def test_removing_an_article_removes_all_of_it(library, articles):
    before = library.passages([2])[2]
    gone = library.remove(articles[1].id)
    assert gone == ((2,), before.sentence_ids)
    assert library.counts() == (2, 2, 13 - len(before.sentence_ids))
    assert library.remove(articles[1].id) == ((), ())


def test_numbers_are_never_given_twice(library, articles):
    old = library.remove(articles[2].id)
    passages = split_passages(articles[2], SplitterSettings())
    (stored,) = library.add(articles[2], passages, ["words"])
    assert stored.passage.id > max(old.passages)
    assert min(stored.sentence_ids) > max(old.sentences)


def test_a_copy_is_a_library_of_its_own(library, articles, tmp_path):
    with closing(Library.copy(tmp_path / "articles.sqlite", tmp_path / "copy.sqlite")) as copy:
        copy.remove(articles[0].id)
        copy.commit()
        assert copy.counts() == (2, 2, 10)
    assert library.counts() == (3, 3, 13)


def test_an_unreadable_file_is_damage(tmp_path):
    path = tmp_path / "articles.sqlite"
    path.write_bytes(b"not a database at all" * 100)
    with pytest.raises(IndexDamaged, match="cannot be read"):
        Library.open(path)
    with pytest.raises(IndexDamaged):
        Library.open(tmp_path / "missing.sqlite")
    with pytest.raises(IndexDamaged):
        Library.copy(path, tmp_path / "copy.sqlite")


def test_another_database_is_damage(tmp_path):
    with closing(sqlite3.connect(tmp_path / "other.sqlite")) as other:
        other.execute("CREATE TABLE things (name TEXT)")
    with pytest.raises(IndexDamaged, match="no such table"):
        Library.open(tmp_path / "other.sqlite")
