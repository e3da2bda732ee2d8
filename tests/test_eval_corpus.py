"""The articles of a suite: written with what is known about them, indexed once, found by name."""

from eval.corpus import index_articles
from eval.suites import SUITES, SuiteArticle
from index import HashingEmbedder, SavedIndex
from index.on_demand import load_entry
from index.paths import Home
from index.status import list_articles

ARTICLES = (
    SuiteArticle(
        "one",
        "The harbour reopened on Monday.",
        title="Harbour: “open”\n---\nagain",
        source="Town Gazette",
        author="A. Silva",
        date="2021-03-03",
        url="https://example.org/a?b=c#d",
    ),
    SuiteArticle("two", "---\ntitle: not front matter\n---\nRepairs cost 12 million euros."),
)


def test_articles_keep_their_text_and_what_is_known_about_them(tmp_path):
    folder = index_articles("suite", ARTICLES, home=Home(tmp_path), embedder=HashingEmbedder())
    one, two = list_articles(folder)
    assert (one.path, one.title, one.source) == ("articles/one.md", "Harbour: “open” --- again", "Town Gazette")
    assert (one.author, one.date, one.url) == ("A. Silva", "2021-03-03", "https://example.org/a?b=c#d")
    assert one.text.endswith("---\nThe harbour reopened on Monday.\n")
    assert two.text.endswith("---\n---\ntitle: not front matter\n---\nRepairs cost 12 million euros.\n")
    with SavedIndex.open(folder, embedder=HashingEmbedder()) as index:
        hits = index.search("What did repairs cost?", articles=[two.id])
        assert [hit.article.path for hit in hits] == ["articles/two.md"]


def test_the_same_articles_are_not_indexed_again_and_others_elsewhere(tmp_path):
    home, embedder = Home(tmp_path), HashingEmbedder()
    first = index_articles("suite", ARTICLES, home=home, embedder=embedder)
    manifest = (first / "manifest.json").stat().st_mtime_ns
    assert index_articles("suite", ARTICLES, home=home, embedder=embedder) == first
    assert (first / "manifest.json").stat().st_mtime_ns == manifest
    assert index_articles("suite", ARTICLES[:1], home=home, embedder=embedder) != first


def test_what_a_stopped_run_left_is_begun_anew(tmp_path):
    home, embedder = Home(tmp_path), HashingEmbedder()
    folder = index_articles("suite", ARTICLES, home=home, embedder=embedder).parent
    (folder / "written").unlink()
    (folder / "articles" / "left.md").write_text("Half a text")
    index_articles("suite", ARTICLES, home=home, embedder=embedder)
    assert sorted(path.name for path in (folder / "articles").iterdir()) == ["one.md", "two.md"]


def test_every_suite_has_its_loader():
    assert list(SUITES) == (
        "scifact squad2 xquad clapnq realtimeqa multihop rgb evotemp hotpotqa mtrag mtrag-retrieval financebench "
        "timeqa qags".split()
    )
    assert all(callable(load_entry(SUITES, name, kind="suite")) for name in SUITES)
