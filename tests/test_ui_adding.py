"""Articles dropped on the page: kept, brought into the index, and what is said of them."""

import pytest

from index.build import Changes
from index.errors import ArticleError, IndexStateError, InputError
from index.readers import Skipped
from index.types import Article
from ui.adding import add_dropped, remove_dropped, told, was_dropped


class Adding:
    """A chatbot that can only add: it notes what it is given."""

    def __init__(self, result):
        self.result, self.given = result, []

    def add_articles(self, files):
        self.given += [(file.name, file.read_text()) for file in files]
        if isinstance(self.result, Exception):
            raise self.result
        return self.result(files)


def dropped(folder, **texts):
    """Files as a browser leaves them: each in a folder of its own."""
    files = []
    for place, (name, text) in enumerate(texts.items()):
        file = folder / str(place) / f"{name}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        files.append(file)
    return files


def added(files):
    return Changes(added=tuple(f"{file.parent.name}/{file.name}" for file in files))


def test_dropped_files_are_kept_under_their_names(tmp_path):
    chatbot, kept = Adding(added), tmp_path / "kept"
    changes = add_dropped(chatbot, dropped(tmp_path / "one", harbour="Boats left.", bakery="Bread."), folder=kept)
    assert changes.added == ("kept/harbour.txt", "kept/bakery.txt")
    assert chatbot.given == [("harbour.txt", "Boats left."), ("bakery.txt", "Bread.")]
    assert sorted(file.name for file in kept.iterdir()) == ["bakery.txt", "harbour.txt"]


def test_another_file_of_the_same_name_gets_a_number_and_the_same_file_does_not(tmp_path):
    chatbot, kept = Adding(added), tmp_path / "kept"
    for text in ("Boats left.", "Boats came back.", "Boats left."):
        add_dropped(chatbot, dropped(tmp_path / text, harbour=text), folder=kept)
    assert chatbot.given == [
        ("harbour.txt", "Boats left."),
        ("harbour (2).txt", "Boats came back."),
        ("harbour.txt", "Boats left."),
    ]
    assert sorted(file.name for file in kept.iterdir()) == ["harbour (2).txt", "harbour.txt"]


def test_what_cannot_be_read_is_not_kept_and_what_was_kept_before_stays(tmp_path):
    kept = tmp_path / "kept"
    add_dropped(Adding(added), dropped(tmp_path / "one", harbour="Boats left."), folder=kept)
    failing = Adding(ArticleError("harbour.txt is empty."))
    with pytest.raises(ArticleError):
        add_dropped(failing, dropped(tmp_path / "two", harbour="Boats left.", empty=""), folder=kept)
    partly = Adding(
        lambda files: Changes(added=("kept/bakery.txt",), skipped=(Skipped("kept/empty.txt", "empty.txt is empty."),))
    )
    add_dropped(partly, dropped(tmp_path / "three", bakery="Bread.", empty=""), folder=kept)
    assert sorted(file.name for file in kept.iterdir()) == ["bakery.txt", "harbour.txt"]


def test_files_of_other_kinds_are_named_and_the_rest_is_added(tmp_path):
    chatbot, kept, photo = Adding(added), tmp_path / "kept", tmp_path / "photo.jpg"
    photo.write_bytes(b"\xff")
    reason = "photo.jpg: only .docx, .htm, .html, .md, .mht, .mhtml, .pdf, .txt files are read"
    changes = add_dropped(chatbot, [photo, *dropped(tmp_path / "one", harbour="Boats left.")], folder=kept)
    assert (changes.added, changes.skipped) == (("kept/harbour.txt",), (Skipped("photo.jpg", reason),))
    assert add_dropped(chatbot, [photo], folder=kept) == Changes(skipped=(Skipped("photo.jpg", reason),))
    assert [file.name for file in kept.iterdir()] == ["harbour.txt"]


def test_what_was_dropped_is_taken_out_and_its_copy_is_deleted(tmp_path):
    kept = tmp_path / "kept"
    add_dropped(Adding(added), dropped(tmp_path / "one", harbour="Boats left.", bakery="Bread."), folder=kept)
    asked = []

    class Removing:
        def remove_articles(self, names):
            asked.append(names)
            return Changes(removed=("kept/harbour.txt",))

    harbour = Article("h", "kept/harbour.txt", (kept / "harbour.txt").as_posix(), "Boats left.")
    other = Article("o", "seeds/other.txt", (tmp_path / "seeds" / "other.txt").as_posix(), "Rain fell.")
    assert (was_dropped(harbour, kept), was_dropped(other, kept)) == (True, False)
    assert remove_dropped(Removing(), harbour, folder=kept).removed == ("kept/harbour.txt",)
    assert asked == [["h"]]
    assert [file.name for file in kept.iterdir()] == ["bakery.txt"]
    with pytest.raises(InputError, match=r"^seeds/other\.txt was not added in the page") as caught:
        remove_dropped(Removing(), other, folder=kept)
    assert caught.value.help == 'byline index remove "seeds/other.txt"'
    assert asked == [["h"]]


def test_what_cannot_be_taken_out_stays(tmp_path):
    class Failing:
        def remove_articles(self, names):
            raise IndexStateError("Somebody else is writing.")

    add_dropped(Adding(added), dropped(tmp_path / "one", harbour="Boats left."), folder=tmp_path / "kept")
    file = tmp_path / "kept" / "harbour.txt"
    with pytest.raises(IndexStateError):
        remove_dropped(Failing(), Article("h", "h", file.as_posix(), "Boats left."), folder=tmp_path / "kept")
    assert file.read_text() == "Boats left."


def test_what_became_of_them_is_told_a_line_each():
    changes = Changes(
        added=("kept/a.pdf",),
        replaced=("kept/b.txt",),
        removed=("kept/e.txt",),
        unchanged=("kept/c.txt",),
        skipped=(Skipped("kept/d.pdf", "d.pdf holds no text, only pictures of it."),),
    )
    assert told(changes) == (
        "Added: a.pdf",
        "Added: b.txt",
        "Removed: e.txt",
        "There already: c.txt",
        "Not added: d.pdf holds no text, only pictures of it.",
    )
    assert told(Changes()) == ()
