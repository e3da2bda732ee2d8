"""What an adapter learns from, and that what is trained is what is computed afterwards."""

import importlib
import json
from pathlib import Path

import pytest
import torch
from network_material import MODELS, NEXT, PROMPT, load

from index.paths import Home
from index.progress import silent
from index.weights import ensure_model
from rag.adapter import Adapter

SCRIPTS = Path(__file__).resolve().parent.parent / "scripts"
TASK = "Do the excerpts state the answer to the question? Reply Yes or No."
TEXT = (
    "The lighthouse was built in 1871. It is 40 metres high. Fog hid it for most of the winter of 1902. "
    "Its keeper lived below the lamp. Ships pass it every day."
)


@pytest.fixture(autouse=True)
def scripts(monkeypatch) -> None:
    monkeypatch.syspath_prepend(SCRIPTS)


@pytest.fixture
def pairs(tmp_path):
    questions = [
        {"id": "1", "question": "How high is it?", "is_impossible": False,
         "answers": [{"text": "40 metres", "answer_start": TEXT.index("40")}]},
        {"id": "2", "question": "Who owned the lighthouse?", "is_impossible": True, "answers": [],
         "plausible_answers": [{"text": "Its keeper", "answer_start": TEXT.index("Its keeper")}]},
    ]  # fmt: skip
    page = {"title": "Cape_Grey", "paragraphs": [{"context": TEXT, "qas": questions}]}
    (tmp_path / "half.json").write_text(json.dumps({"data": [page]}), encoding="utf-8")
    draw = importlib.import_module("adapter_pairs").draw_pairs
    # Of forty seeds every kind of pair is drawn.
    return [pair for seed in range(40) for pair in draw("squad2", tmp_path, seed=seed)]


def excerpts(pair) -> str:
    return pair.messages[-1].content.split("\n\nQuestion: ")[0].split("\n\nEarlier in ")[0]


def asks_how_high(pair) -> bool:
    return "how high" in pair.messages[-1].adapted.lower()


def test_pairs_state_the_answer_or_they_do_not(pairs):
    assert {pair.group for pair in pairs} == {"Cape Grey"}
    for pair in pairs:
        high = asks_how_high(pair)
        assert pair.messages[-1].content.endswith(f"\n\n{TASK}")
        assert pair.states == (high and "It is 40 metres high." in excerpts(pair))
        if not high:  # what somebody could take for the answer, though another sentence has more of the words
            assert "Its keeper lived below the lamp." in excerpts(pair)
    beside = [pair for pair in pairs if asks_how_high(pair) and not pair.states]
    assert 0 < len(beside) < sum(pair.states for pair in pairs)
    assert len({excerpts(pair) for pair in pairs}) >= 8


def test_some_questions_follow_others_or_are_asked_in_a_hurry(pairs):
    asked = {pair.messages[-1].adapted.split("\n")[0] for pair in pairs}
    assert asked == {"Question: How high is it?", "Question: how high is it", "Question: Who owned the lighthouse?",
                     "Question: who owned the lighthouse"}  # fmt: skip
    following = [pair for pair in pairs if "Earlier in this conversation" in pair.messages[-1].content]
    assert 0.05 < len(following) / len(pairs) < 0.3
    said = {pair.messages[-1].content.split("conversation:\n")[1].split("\n\n")[0] for pair in following}
    assert said == {
        "Question: Who owned the lighthouse?\nAnswer: The articles do not tell.",
        "Question: How high is it?\nAnswer: It is 40 metres high.",
        "Question: How high is it?\nAnswer: 40 metres.",
    }


@pytest.mark.parametrize(
    ("question", "before", "expected"),
    [
        ("When was Cape Grey's lamp lit?", "How high is Cape Grey?", "When was its lamp lit?"),
        ("Who lives at Cape Grey?", "How high is Cape Grey?", "Who lives at it?"),
        ("Who lives in the Cape Grey of today?", "How high is Cape Grey?", "Who lives in it of today?"),
        ("Who lives at Cape Grey?", "How high is Cape Horn?", "Who lives at Cape Grey?"),
        ("Who saw the Cape Grey lighthouse?", "How high is Cape Grey?", "Who saw the Cape Grey lighthouse?"),
        ("When was it lit?", "When was it built?", "When was it lit?"),
    ],
)
def test_names_of_an_earlier_question_become_pronouns(question, before, expected):
    class First:
        def choice(self, words):
            return words[1] if words[0] == "he" else words[0]

    assert importlib.import_module("adapter_turns").referring(question, before, First()) == expected


def test_questions_in_a_hurry():
    hasty = importlib.import_module("adapter_turns").hasty
    assert hasty("What is the height of Cape Grey?") == "the height of cape grey"
    assert hasty("Who owned the lighthouse? ") == "who owned the lighthouse"


def test_news_questions_are_drawn_with_the_sentence_of_a_linked_article(tmp_path):
    articles = {"0": "The premiere took place in Oslo. Guests praised the film. Snow fell.", "1": "Rain fell."}
    lines = {
        "20220715_qa": [
            {"question_id": f"20220715_{n}", "question_date": "2022/07/15", "question_source": "CNN", "answer": ["1"],
             "question_url": "u", "question_sentence": f"Where did the premiere for guests of film {n} take place?",
             "choices": ["Rome", "Oslo"], "evidence": ""} for n in articles
        ],
        "20220715_gold": [
            {"question_id": f"20220715_{n}", "search_result": [
                {"url": f"https://a.example/{n}", "text": text, "title": "Film", "authors": [],
                 "publish_date": "2022/07/14"}
            ]} for n, text in articles.items()
        ],
    }  # fmt: skip
    for name, rows in lines.items():
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    draw = importlib.import_module("adapter_pairs").draw_pairs
    drawn = [pair for seed in range(10) for pair in draw("realtimeqa", tmp_path, seed=seed)]
    assert {"film 0" in pair.messages[-1].adapted for pair in drawn} == {True}  # the other article does not say it
    assert {pair.states for pair in drawn} == {True, False}
    assert all(pair.states == ("in Oslo" in excerpts(pair)) for pair in drawn)


def test_the_same_seed_draws_the_same_pairs(pairs, tmp_path):
    draw = importlib.import_module("adapter_pairs").draw_pairs
    assert draw("squad2", tmp_path, seed=3) == draw("squad2", tmp_path, seed=3)


@pytest.fixture
def learner(tmp_path, monkeypatch):
    module = importlib.import_module("adapter_learning")
    monkeypatch.setattr(module, "KIND", torch.float32)
    torch.manual_seed(5)
    MODELS["qwen2"]().save_pretrained(tmp_path / "model")
    return module.Learner(tmp_path / "model", neurons=4)


def memory_of(network, kept):
    memory = network.empty()
    network.read(PROMPT[:kept], memory, wanted=1)
    return memory.copy(kept)


def judgements(folder, given):
    make, network = importlib.import_module("adapter_learning").Judgement, load(folder, "float32")
    return [make(memory_of(network, kept), PROMPT[kept:] + NEXT, states, "squad2") for kept, states in given]


def replies(folder, given):
    make, network = importlib.import_module("adapter_learning").Reply, load(folder, "float32")
    return [make(memory_of(network, kept), PROMPT[kept:], reply, "squad2") for kept, reply in given]


def test_what_is_trained_is_what_a_network_computes(learner, tmp_path):
    torch.nn.init.normal_(learner.outward, std=0.3)
    batch = judgements(tmp_path / "model", [(5, True), (2, False)])
    with torch.no_grad():
        found = learner.log_odds(batch, [4, 8], [11])
    network, adapter = load(tmp_path / "model", "float32"), learner.adapter()
    assert isinstance(adapter, Adapter)
    for example, odds in zip(batch, found, strict=True):
        memory = example.before.copy(len(example.before))
        last = network.read(example.asked, memory, wanted=1, adapter=adapter, adapted=len(example.asked))
        logits = network.logits(last)[0]
        assert float(odds) == pytest.approx(float(logits[[4, 8]].logsumexp(0) - logits[11]), abs=1e-3)


def test_what_is_lost_of_replies_is_what_a_network_computes(learner, tmp_path):
    torch.nn.init.normal_(learner.outward, std=0.3)
    batch = replies(tmp_path / "model", [(5, [12, 30, 7]), (2, [7])])
    with torch.no_grad():
        found, all_in_all = learner.losses(batch).tolist(), learner.loss(batch).item()
    network, adapter = load(tmp_path / "model", "float32"), learner.adapter()
    expected = []
    for example in batch:
        memory, read = example.before.copy(len(example.before)), [*example.asked, *example.reply[:-1]]
        seen = network.read(read, memory, wanted=len(example.reply), adapter=adapter, adapted=len(read))
        logits = network.logits(seen).log_softmax(-1)
        expected += [-float(row[token]) for row, token in zip(logits, example.reply, strict=True)]
    assert found == pytest.approx(expected, abs=1e-3)
    # Three tokens count 1 / √3 each, one counts 1.
    root = 3**0.5
    assert all_in_all == pytest.approx((sum(expected[:3]) / root + expected[3]) / (3 / root + 1), abs=1e-3)


def test_only_the_neurons_learn_and_they_learn_to_judge(learner, tmp_path):
    learn = importlib.import_module("adapter_learning").learn
    batch = judgements(tmp_path / "model", [(5, True), (2, False)])

    def loss_of(some):
        right = torch.tensor([float(example.states) for example in some])
        return torch.nn.functional.binary_cross_entropy_with_logits(learner.log_odds(some, [4, 8], [11]), right)

    before, steps = loss_of(batch).item(), []
    learn(learner, batch, loss_of, rounds=40, batch=2, rate=0.02, at_times=steps.append)
    assert loss_of(batch).item() < 0.2 * before
    assert steps == [40]
    assert not any(weight.requires_grad for layer in learner._layers for weight in layer.values())


def test_they_learn_to_write(learner, tmp_path):
    learn = importlib.import_module("adapter_learning").learn
    batch = replies(tmp_path / "model", [(5, [12, 30, 7]), (2, [7])])
    before = learner.loss(batch).item()
    learn(learner, batch, learner.loss, rounds=120, batch=2, rate=0.02, at_times=lambda _: None)
    assert learner.loss(batch).item() < 0.2 * before


@pytest.fixture
def lessons(tmp_path, pairs):
    draw = importlib.import_module("adapter_answers").draw_lessons
    return [lesson for seed in range(20) for lesson in draw("squad2", tmp_path, seed=seed)]


def test_lessons_are_of_questions_with_an_answer_alone_and_hold_the_sentence_that_states_it(lessons):
    assert {lesson.reply for lesson in lessons} == {"40 metres"}
    for lesson in lessons:
        asked = lesson.messages[-1]
        assert "It is 40 metres high." in asked.content
        assert "how high" in asked.adapted.lower()
        assert asked.content.endswith(f"\n\n{asked.adapted}")
        assert ("one or two short, complete sentences" in asked.adapted) == bool(lesson.told)
    assert {bool(lesson.told) for lesson in lessons} == {True, False}


@pytest.mark.parametrize(
    ("written", "learnt"),
    [
        ("The lighthouse is 40 metres high.", False),  # "lighthouse" stands nowhere here
        ("It is 40 metres high.", True),
        ("It is 41 metres high.", False),
        ("It is 40 metres high, since 1871.", False),
        ("40 metres.", False),  # no sentence
        ("It is 40 metres high.\nIt is.", False),
        ("It is 40 metres high", False),
    ],
)
def test_sentences_that_say_more_than_the_text_or_something_else_are_not_learnt_from(lessons, written, learnt):
    lesson = next(lesson for lesson in lessons if lesson.told)
    prompts = []

    def write(messages):
        prompts.append(messages)
        return f" {written}\n"

    made = importlib.import_module("adapter_answers").in_a_sentence(lesson, write)
    given = "Sentence: It is 40 metres high.\n\nQuestion: How high is it?\n\nAnswer: 40 metres\n\n"
    assert prompts[0][-1].content.startswith(given)
    assert (made is not None) == learnt
    if made is not None:
        assert (made.reply, made.told, made.messages) == (written, (), lesson.messages)


def test_phrases_are_learnt_as_they_are(lessons):
    phrase = next(lesson for lesson in lessons if not lesson.told)
    assert importlib.import_module("adapter_answers").in_a_sentence(phrase, lambda _: "") is phrase


@pytest.fixture
def asked(tmp_path, pairs):
    draw = importlib.import_module("adapter_drafts").draw_asked
    return [one for seed in range(20) for one in draw("squad2", tmp_path, seed=seed)]


def test_drafts_are_asked_for_where_there_is_an_answer_and_where_there_is_none(asked):
    assert {(one.question.answerable, one.style) for one in asked} == {
        (answerable, style) for answerable in (True, False) for style in ("sentence", "phrase")
    }
    for one in asked:
        read = {item.sentence.text for item in one.evidence.sentences}
        assert ("It is 40 metres high." if one.question.answerable else "Its keeper lived below the lamp.") in read
        assert ("shortest exact phrase" in one.messages()[-1].content) == (one.style == "phrase")


@pytest.mark.parametrize(
    ("answerable", "style", "draft", "right"),
    [
        (True, "sentence", "It is 40 metres high.", True),
        (True, "sentence", "It was built in 1871.", False),
        (True, "sentence", "It is 140 metres high.", False),
        (True, "phrase", "40 metres high", True),
        (True, "phrase", "40 lamps high", None),  # some of the words: nobody can tell
        (True, "phrase", "1871", False),
        (False, "sentence", "Its keeper owned it.", False),
        (False, "phrase", "Its keeper", False),
    ],
)
def test_a_draft_is_right_if_it_says_what_the_set_accepts(asked, answerable, style, draft, right):
    one = next(one for one in asked if (one.question.answerable, one.style) == (answerable, style))
    made = importlib.import_module("adapter_drafts").with_draft(one, f" {draft}\n")
    assert (made.right if made else None) is right
    if made is not None:
        *_, prompt = made.messages
        task = (
            f"Question: {one.words}\n\nAnswer: {draft}\n\nIs this the answer that the excerpts state to the question? "
        )
        assert prompt.adapted == f"{task}Reply Yes or No."
        assert prompt.content.endswith(prompt.adapted)
        assert prompt.skill == "checking"


def test_drafts_are_written_once(asked, tmp_path):
    recorded = importlib.import_module("adapter_drafts").recorded
    written = []

    def write(messages):
        written.append(messages[-1].content)
        return f"Draft {len(written)}"

    prompts = list(dict.fromkeys(one.messages()[-1].content for one in asked[:12]))
    drafts = recorded(asked[:12], tmp_path / "drafts.jsonl", write)
    assert drafts == [f"Draft {prompts.index(one.messages()[-1].content) + 1}" for one in asked[:12]]
    assert written == prompts
    assert recorded(asked[:12], tmp_path / "drafts.jsonl", write) == drafts
    assert written == prompts


@pytest.mark.model
def test_questions_about_the_same_excerpts_share_what_is_read(pairs):
    home = Home.from_environment()
    model = ensure_model("default", role="generator", home=home, progress=silent)
    reader = importlib.import_module("adapter_learning").Reader(model.path)
    two = [next(pair for pair in pairs if excerpts(pair) == of and pair.states == said) for of, said in shared(pairs)]
    (before, high), (also_before, _) = (reader.read(pair.messages) for pair in two)
    assert before is also_before
    whole = len(reader.tokens(two[0].messages[-1].adapted))
    assert whole < len(high) < whole + 12  # and what the template says behind it
    assert reader.reply("It is.") == [*reader.tokens("It is."), *reader.tokens("<|im_end|>")]


def shared(pairs) -> list[tuple[str, bool]]:
    """The same excerpts twice, of a pair that states the answer and of one that does not."""
    stating, silent = ({excerpts(pair) for pair in pairs if pair.states == said} for said in (True, False))
    found = min(stating & silent)
    return [(found, True), (found, False)]
