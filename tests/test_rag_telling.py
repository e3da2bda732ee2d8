"""The model's part of a question's way: which of what was found it reads."""

import pytest

from index import HashingEmbedder, update_index
from index.search import SavedIndex
from rag.chatbot import Chatbot
from rag.fakes import CopyingGenerator
from rag.settings import Settings

QUESTION = "Who is the president of Portania?"
ARTICLES = {
    "old.md": ("2019-03-01", "The president of Portania is Ana Silva. She was in Linz."),
    "new.md": ("2024-08-28", "Bo Lindt became president of Portania on Monday. He was in Passau."),
    "same.md": ("2024-08-23", "Portania elects a president on Monday."),
}


class Judging(CopyingGenerator):
    """Says how likely the newest reports alone answer, and of all reports that they do. Keeps what it is shown."""

    def __init__(self, newest: float) -> None:
        super().__init__()
        self.newest = newest
        self.judged: list[str] = []
        self.written_from: list[str] = []

    def log_odds(self, messages):
        super().log_odds(messages)  # counted
        self.judged.append(messages[-1].content)
        return 5.0 if "Ana Silva" in messages[-1].content else self.newest

    def generate(self, messages, *, max_tokens):
        self.written_from.append(messages[-1].content)
        list(super().generate(messages, max_tokens=max_tokens))
        yield "The president of Portania is Bo Lindt."


@pytest.fixture
def dated_index(tmp_path):
    folder = tmp_path / "dated"
    folder.mkdir()
    for name, (day, text) in ARTICLES.items():
        (folder / name).write_text(f"---\ndate: {day}\n---\n{text}\n", encoding="utf-8")
    update_index(tmp_path / "index", [folder], embedder=HashingEmbedder())
    with SavedIndex.open(tmp_path / "index", embedder=HashingEmbedder()) as index:
        yield index


def holders(prompt):
    return [name for name in ("Ana Silva", "Bo Lindt", "elects") if name in prompt]


def test_where_the_newest_reports_answer_about_the_present_older_ones_are_not_read(dated_index):
    model = Judging(newest=2.0)
    answer = Chatbot(dated_index, model).answer(QUESTION)
    assert holders(model.judged[0]) == holders(model.written_from[0]) == ["Bo Lindt", "elects"]
    assert {passage.path.rpartition("/")[2] for passage in answer.passages if passage.used} == {"new.md", "same.md"}
    assert "Ana Silva" not in " ".join(item.text for item in answer.explanation.evidence)


def test_where_they_do_not_everything_that_was_found_is_read(dated_index):
    model = Judging(newest=-2.0)
    Chatbot(dated_index, model).answer(QUESTION)
    assert [holders(prompt) for prompt in model.judged[:2]] == [
        ["Bo Lindt", "elects"],
        ["Ana Silva", "Bo Lindt", "elects"],
    ]
    assert holders(model.written_from[0]) == ["Ana Silva", "Bo Lindt", "elects"]


@pytest.mark.parametrize("question", ["Who was the president of Portania?", "When did Portania elect a president?"])
def test_a_question_about_the_past_reads_everything_at_once(dated_index, question):
    model = Judging(newest=2.0)
    Chatbot(dated_index, model).answer(question)
    assert holders(model.judged[0]) == ["Ana Silva", "Bo Lindt", "elects"]


def test_with_a_time_limit_nothing_is_judged_twice(dated_index):
    model = Judging(newest=2.0)
    answer = Chatbot(dated_index, model, settings=Settings(seconds=60.0)).answer(QUESTION)
    assert answer.skipped == ("did not try the newest reports alone",)
    judged = [holders(prompt) for prompt in model.judged]
    assert ["Ana Silva", "Bo Lindt", "elects"] in judged
    assert ["Bo Lindt", "elects"] not in judged
