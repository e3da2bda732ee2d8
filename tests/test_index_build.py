"""Adding, replacing, removing; and that nothing changes when nothing changed."""

import threading
from dataclasses import replace

import filelock
import pytest

from index import (
    HashingEmbedder,
    SavedIndex,
    SplitterSettings,
    list_articles,
    read_manifest,
    remove_articles,
    update_index,
)
from index.build import LOCK_NAME
from index.errors import ArticleError, EmbedderMismatch, IndexMissing, InputError, ResourceError
from index.readers import Skipped, article_id

EMBEDDER = HashingEmbedder()


class OtherEmbedder(HashingEmbedder):
    """Another embedder by name alone."""

    name = "other"


def paths_in(index):
    return [article.path for article in list_articles(index)]


def files_in(index):
    return {path.name: path.stat().st_mtime_ns for path in index.iterdir() if path.name != LOCK_NAME}


def test_a_first_run_adds_everything(tiny_corpus, tmp_path):
    changes = update_index(tmp_path / "index", [tiny_corpus], embedder=EMBEDDER)
    assert changes.added == ("articles/bakery.md", "articles/harbour.txt", "articles/railway.txt")
    assert (changes.replaced, changes.unchanged, changes.removed, changes.skipped) == ((), (), (), ())
    assert changes.generation == 1
    harbour = list_articles(tmp_path / "index")[1]
    assert (harbour.title, harbour.author, harbour.date) == ("Harbour reopens after storm", "Ana Silva", "2021-03-03")
    assert harbour.id == article_id("articles/harbour.txt")


def test_unchanged_files_change_nothing_on_disk(tiny_index, tiny_corpus):
    before = files_in(tiny_index)
    changes = update_index(tiny_index, [tiny_corpus], embedder=EMBEDDER)
    assert changes.unchanged == ("articles/bakery.md", "articles/harbour.txt", "articles/railway.txt")
    assert (changes.added, changes.replaced, changes.removed, changes.generation) == ((), (), (), 1)
    assert files_in(tiny_index) == before


def test_a_changed_file_replaces_its_article(tiny_index, tiny_corpus):
    (tiny_corpus / "harbour.txt").write_text(
        "Harbour closes again\n\nIce blocks the harbour of Porto Claro.", encoding="utf-8"
    )
    changes = update_index(tiny_index, [tiny_corpus], embedder=EMBEDDER)
    assert (changes.replaced, changes.generation) == (("articles/harbour.txt",), 2)
    with SavedIndex.open(tiny_index, embedder=EMBEDDER) as saved:
        assert [article.title for article in saved.articles()] == [
            "Bakery wins prize",
            "Harbour closes again",
            "New railway line approved",
        ]
        assert saved.search("Which month did the harbour reopen after repairs?")[0].passage.text.endswith(
            "Porto Claro."
        )
        assert saved.manifest.passage_count == 3
        assert saved.articles()[1].id == article_id("articles/harbour.txt")


def test_what_vanished_from_a_folder_is_removed_when_the_folder_is_given_again(tiny_index, tiny_corpus):
    (tiny_corpus / "railway.txt").unlink()
    (tiny_corpus / "new.txt").write_text("Lighthouse sold\n\nThe lighthouse was sold to a painter.", encoding="utf-8")
    assert update_index(tiny_index, [tiny_corpus / "bakery.md"], embedder=EMBEDDER).removed == ()
    changes = update_index(tiny_index, [tiny_corpus], embedder=EMBEDDER)
    assert (changes.added, changes.removed) == (("articles/new.txt",), ("articles/railway.txt",))
    assert paths_in(tiny_index) == ["articles/bakery.md", "articles/harbour.txt", "articles/new.txt"]


def test_all_articles_may_go_and_come_back(tiny_index, tiny_corpus):
    texts = {file: file.read_bytes() for file in tiny_corpus.iterdir()}
    for file in texts:
        file.unlink()
    assert len(update_index(tiny_index, [tiny_corpus], embedder=EMBEDDER).removed) == 3
    with SavedIndex.open(tiny_index, embedder=EMBEDDER) as saved:
        assert (saved.articles(), saved.search("harbour?")) == ((), ())
        for file, data in texts.items():
            file.write_bytes(data)
        update_index(tiny_index, [tiny_corpus], embedder=EMBEDDER)
        assert saved.search("harbour?")[0].article.path == "articles/harbour.txt"


def test_one_bad_file_among_good_ones_is_reported(tiny_corpus, tmp_path):
    (tiny_corpus / "broken.txt").write_bytes(b"\x00\x01\x02")
    (tiny_corpus / "table.csv").write_text("a,b", encoding="utf-8")
    changes = update_index(tmp_path / "index", [tiny_corpus], embedder=EMBEDDER)
    assert len(changes.added) == 3
    assert changes.skipped == (
        Skipped("articles/table.csv", "only .docx, .htm, .html, .md, .mht, .mhtml, .pdf, .txt files are read"),
        Skipped("articles/broken.txt", "articles/broken.txt is not a text file: it holds binary data."),
    )


def test_a_file_that_went_bad_keeps_its_earlier_version(tiny_index, tiny_corpus):
    (tiny_corpus / "harbour.txt").write_bytes(b"")
    for rebuild in (False, True):
        changes = update_index(tiny_index, [tiny_corpus], embedder=EMBEDDER, rebuild=rebuild)
        assert changes.skipped == (
            Skipped("articles/harbour.txt", "articles/harbour.txt is empty. Its earlier version is kept."),
        )
        assert list_articles(tiny_index)[1].title == "Harbour reopens after storm"


def test_nothing_readable_is_an_error_and_leaves_no_index(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"")
    with pytest.raises(ArticleError, match=r"None of the files could be read as an article:\n.*a\.txt is empty\."):
        update_index(tmp_path / "index", [tmp_path / "a.txt"], embedder=EMBEDDER)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ArticleError, match=r"No articles were found: expected \.docx, .*\.md, .*\.txt files\."):
        update_index(tmp_path / "index", [tmp_path / "empty"], embedder=EMBEDDER)
    with pytest.raises(IndexMissing):
        read_manifest(tmp_path / "index")


def test_another_embedder_is_refused_with_both_names_and_the_command(tiny_index, tiny_corpus):
    for act in (
        lambda: update_index(tiny_index, [tiny_corpus], embedder=OtherEmbedder()),
        lambda: SavedIndex.open(tiny_index, embedder=OtherEmbedder()),
    ):
        with pytest.raises(EmbedderMismatch) as caught:
            act()
        assert (caught.value.indexed_with, caught.value.asked_with) == ("hashing", "other")
        assert "hashing (hashing-256-" in str(caught.value)
        assert "other (hashing-256-" in str(caught.value)
        assert "byline index add --rebuild" in str(caught.value)


def test_other_weights_under_the_same_name_are_another_embedder(tiny_index):
    changed = HashingEmbedder()
    changed.fingerprint = "hashing-256-v2"
    with pytest.raises(EmbedderMismatch):
        SavedIndex.open(tiny_index, embedder=changed)


def test_a_rebuild_takes_another_embedder_and_reads_known_articles_again(tiny_index, tiny_corpus):
    (tiny_corpus / "harbour.txt").unlink()
    (tiny_corpus / "railway.txt").write_text("Railway line cancelled\n\nParliament cancelled it.", encoding="utf-8")
    changes = update_index(tiny_index, [], embedder=OtherEmbedder(), rebuild=True)
    assert (changes.unchanged, changes.replaced) == (
        ("articles/bakery.md", "articles/harbour.txt"),
        ("articles/railway.txt",),
    )
    assert [article.title for article in list_articles(tiny_index)] == [
        "Bakery wins prize",
        "Harbour reopens after storm",
        "Railway line cancelled",
    ]
    assert read_manifest(tiny_index).embedder == "other"


def test_other_splitter_settings_renew_the_index(tiny_index, tiny_corpus):
    settings = SplitterSettings(words_per_passage=20)
    changes = update_index(tiny_index, [tiny_corpus], embedder=EMBEDDER, splitter=settings)
    assert (len(changes.unchanged), changes.generation) == (3, 2)
    assert read_manifest(tiny_index).splitter["words_per_passage"] == 20
    assert read_manifest(tiny_index).passage_count > 3


def test_the_generation_before_stays_for_its_readers_and_older_ones_go(tiny_index, tiny_corpus):
    for number in range(2, 5):
        (tiny_corpus / "extra.txt").write_text(f"Extra number {number}\n\nText.", encoding="utf-8")
        assert update_index(tiny_index, [tiny_corpus], embedder=EMBEDDER).generation == number
    names = {
        "articles-{}.sqlite",
        "passages-{}.vectors",
        "sentences-{}.vectors",
        "passages-{}.faiss",
        "words-{}.keywords",
    }
    expected = {name.format(f"{number:06d}") for name in names for number in (3, 4)}
    assert set(files_in(tiny_index)) == {"manifest.json", *expected}


def test_equal_names_in_two_folders_get_two_ids(tmp_path):
    for parent in ("one", "two"):
        (tmp_path / parent / "news").mkdir(parents=True)
        (tmp_path / parent / "news" / "a.txt").write_text(f"News from {parent}\n\nText.", encoding="utf-8")
    update_index(tmp_path / "index", [tmp_path / "one/news", tmp_path / "two/news"], embedder=EMBEDDER)
    articles = list_articles(tmp_path / "index")
    assert {article.title: article.id for article in articles} == {
        "News from one": article_id("news/a.txt"),
        "News from two": article_id((tmp_path / "two/news/a.txt").as_posix()),
    }
    with pytest.raises(InputError, match=r"a\.txt means several articles: news/a\.txt, news/a\.txt\."):
        remove_articles(tmp_path / "index", ["a.txt"])


@pytest.mark.parametrize("how", ["id", "path", "name", "location"])
def test_removing_by_any_name(tiny_index, tiny_corpus, how):
    name = {
        "id": article_id("articles/harbour.txt"),
        "path": "articles/harbour.txt",
        "name": "harbour.txt",
        "location": str(tiny_corpus / "harbour.txt"),
    }[how]
    changes = remove_articles(tiny_index, [name])
    assert (changes.removed, changes.generation) == (("articles/harbour.txt",), 2)
    assert paths_in(tiny_index) == ["articles/bakery.md", "articles/railway.txt"]
    with SavedIndex.open(tiny_index, embedder=EMBEDDER) as saved:
        assert [hit.article.path for hit in saved.search("harbour Porto Claro")] == [
            "articles/railway.txt",
            "articles/bakery.md",
        ]


def test_removing_an_unknown_article_removes_nothing(tiny_index, tmp_path):
    with pytest.raises(InputError, match=r"No article of the index is called zebra\.txt\.") as caught:
        remove_articles(tiny_index, ["harbour.txt", "zebra.txt"])
    assert caught.value.help == "`byline index status` lists them."
    assert len(paths_in(tiny_index)) == 3
    with pytest.raises(IndexMissing):
        remove_articles(tmp_path / "nowhere", ["a"])
    assert not (tmp_path / "nowhere").exists()


def test_a_second_run_waits_and_says_so_then_gives_up(tiny_index, tiny_corpus):
    said = []
    with (
        filelock.FileLock(tiny_index / LOCK_NAME),
        pytest.raises(ResourceError, match="Another run has been changing the index"),
    ):
        update_index(
            tiny_index,
            [tiny_corpus],
            embedder=EMBEDDER,
            progress=lambda what, done, total: said.append((what, done, total)),
            wait_s=0.1,
        )
    assert said == [("waiting for another run that changes this index", 0, 0)]


def test_two_runs_at_once_both_count(tiny_index, tmp_path):
    folders = []
    for number in range(4):
        folder = tmp_path / f"folder{number}"
        folder.mkdir()
        (folder / "a.txt").write_text(f"Article number {number}\n\nText of it.", encoding="utf-8")
        folders.append(folder)
    threads = [
        threading.Thread(target=update_index, args=(tiny_index, [folder]), kwargs={"embedder": EMBEDDER})
        for folder in folders
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert read_manifest(tiny_index).generation == 5
    assert paths_in(tiny_index)[3:] == [f"folder{number}/a.txt" for number in range(4)]


def test_an_error_while_embedding_leaves_the_old_state_and_no_new_files(tiny_index, tiny_corpus):
    class FailingEmbedder(HashingEmbedder):
        def embed_passages(self, texts):
            raise ResourceError("Not enough memory.")

    before = files_in(tiny_index)
    (tiny_corpus / "extra.txt").write_text("Extra\n\nText.", encoding="utf-8")
    with pytest.raises(ResourceError, match="Not enough memory"):
        update_index(tiny_index, [tiny_corpus], embedder=FailingEmbedder())
    assert files_in(tiny_index) == before


def test_leftovers_of_a_killed_run_are_cleared_away(tiny_index, tiny_corpus):
    for name in (
        "articles-000002.sqlite",
        "passages-000002.faiss",
        "sentences-000002.vectors",
        ".manifest.json.123.tmp",
    ):
        (tiny_index / name).write_bytes(b"half")
    (tiny_corpus / "extra.txt").write_text("Extra\n\nText.", encoding="utf-8")
    assert update_index(tiny_index, [tiny_corpus], embedder=EMBEDDER).generation == 2
    assert len(paths_in(tiny_index)) == 4
    assert not (tiny_index / ".manifest.json.123.tmp").exists()


def test_generations_that_a_killed_run_did_not_clear_away_go_even_if_nothing_is_to_be_done(tiny_index, tiny_corpus):
    for number in (2, 3):
        (tiny_corpus / "extra.txt").write_text(f"Extra number {number}\n\nText.", encoding="utf-8")
        update_index(tiny_index, [tiny_corpus], embedder=EMBEDDER)
    before = set(files_in(tiny_index))
    (tiny_index / "articles-000001.sqlite").write_bytes(b"left")
    assert update_index(tiny_index, [tiny_corpus], embedder=EMBEDDER).generation == 3
    assert set(files_in(tiny_index)) == before


def test_progress_reaches_its_end(tiny_corpus, tmp_path):
    said = []
    update_index(tmp_path / "index", [tiny_corpus], embedder=EMBEDDER, progress=lambda *state: said.append(state))
    assert said[0] == ("reading articles", 0, 3)
    assert ("reading articles", 3, 3) in said
    assert ("embedding passages and sentences", 16, 16) in said
    assert said[-1] == ("saving the index", 1, 1)


def test_seeds_become_an_index(seeds, tmp_path):
    update_index(tmp_path / "index", [seeds], embedder=EMBEDDER)
    manifest = read_manifest(tmp_path / "index")
    assert (manifest.article_count, manifest.passage_count, manifest.sentence_count) == (4, 23, 104)
    for article in list_articles(tmp_path / "index"):
        file = seeds / article.path.removeprefix("seeds/")
        assert article.text == file.read_text(encoding="utf-8")
        assert replace(article, text="").location == file.as_posix()
