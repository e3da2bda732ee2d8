"""What an adapter learns from, and that what is trained is what is computed afterwards."""

import importlib
import json
import random
from pathlib import Path

import pytest
import torch
from network_material import MODELS, NEXT, PROMPT, load

from eval.suites.reading import make_article
from index.paths import Home
from index.progress import silent
from index.sentences import split_sentences
from index.weights import ensure_model
from rag.adapter import Adapter
from rag.evidence import Evidence, EvidenceSentence

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


def claims_module():
    return importlib.import_module("adapter_claims")


def test_claims_about_abstracts_are_supported_by_the_sentences_that_were_marked(tmp_path):
    sentences = ["Fog was measured for a year.", "Lamps saved 40 ships.", "Horns saved none.", "Boats were counted."]
    printed = "[" + "\n ".join(map(repr, sentences)) + "]"
    (tmp_path / "corpus_half.csv").write_text(f'doc_id,title,abstract\n7,Fog,"{printed}"\n', encoding="utf-8")
    rows = [
        "1,Lamps save ships.,7,SUPPORT,[1],[7]",
        "2,Horns save ships.,7,CONTRADICT,[2],[7]",
        "3,Tea warms.,,,[],[7]",
    ]
    header = "id,claim,evidence_doc_id,evidence_label,evidence_sentences,cited_doc_ids\n"
    (tmp_path / "claims_half.csv").write_text(header + "\n".join(rows), encoding="utf-8")
    drawn = [claim for seed in range(40) for claim in claims_module().abstract_claims(tmp_path, seed=seed)]
    assert {claim.text for claim in drawn} == {"Lamps save ships.", "Horns save ships.", "Tea warms."}
    lamps = [claim for claim in drawn if claim.text == "Lamps save ships."]
    for claim in drawn:
        read = {item.sentence.text for item in claim.evidence.sentences}
        assert claim.states == (claim in lamps and "Lamps saved 40 ships." in read)
        assert claim.messages[-1].adapted.startswith(f"Sentence: {claim.text}\n\n")
    assert 0 < sum(not claim.states for claim in lamps) < 12  # shown without the sentence that supports it
    assert all("Horns saved none." in excerpts_of(claim) for claim in drawn if claim.text.startswith("Horns"))


def excerpts_of(claim) -> str:
    return claim.messages[-1].content.split("\n\nSentence: ")[0]


def test_answers_as_sentences_are_supported_if_they_are_right_and_their_premise_stands(pairs, tmp_path):
    prompts = []

    def write(messages):
        prompts.append(messages[-1].content)
        phrase = messages[-1].content.split("\n\nAnswer: ")[1].split("\n")[0]
        return f" The one that is asked for is {phrase}."

    told = claims_module().told_claims("squad2", tmp_path, write, most=9, seed=1)
    assert {(claim.text, claim.states) for claim in told} == {
        ("The one that is asked for is 40 metres.", True),
        ("The one that is asked for is Its keeper.", False),
    }
    assert all("It is 40 metres high." in prompt for prompt in prompts)
    assert len(claims_module().told_claims("squad2", tmp_path, write, most=1, seed=1)) == 1
    assert claims_module().told_claims("squad2", tmp_path, lambda _: "It is so and no otherwise.", most=9, seed=1) == []


REPORT = "\n".join(
    f"The harbour of town {place} was reopened by Mayor Rita {name} in the spring of 19{place}."
    for place, name in enumerate("Abel Burke Costa Dunne Evans Faber Gomez Haas Ives Jones Klein Lopez".split(), 60)
)


def test_of_a_report_the_model_writes_what_is_true_and_what_is_not():
    replies = iter(
        (
            "A dozen harbours were opened again by their mayors.",  # what happened
            "Mayor Rita opened the harbour of a town.",  # a sentence in other words
            "A dozen harbours were flooded on Friday.",  # made up from its beginning on
            "A dozen harbours were opened again by their mayors.",  # as it was
            "Mayor Rita opened the letter of a soldier.",
        )
    )
    prompts = []

    def write(messages):
        prompts.append(messages[-1].content)
        return next(replies)

    article = eval_article(REPORT)
    made = claims_module().report_claims(article, write, random.Random(3))
    told = {claim.text: claim.states for claim in made}
    assert told["A dozen harbours were opened again by their mayors."] is True
    assert told["Mayor Rita opened the harbour of a town."] is True
    assert told["Mayor Rita opened the letter of a soldier."] is False
    assert told["A dozen harbours were flooded on Friday."] is False
    verbatim = [text for text in told if text in REPORT]
    assert sorted(told[text] for text in verbatim) == [False, True]
    assert {text: excerpts_of(made[0]).count(text) for text in verbatim} == {text: told[text] for text in verbatim}
    assert len({claim.evidence for claim in made}) == 1
    begun = [prompt.split(" …")[0] for prompt in prompts[2:]]
    assert ["A dozen harbours were opened again by their mayors.".startswith(one) for one in begun] == [
        True,
        True,
        False,
    ]
    assert "Mayor Rita opened the harbour of a town.".startswith(begun[2])
    assert len(begun[0]) < len(begun[1]) < len("A dozen harbours were opened again by")
    assert claims_module().report_claims(eval_article("It is short. So it is."), write, random.Random(3)) == []


def eval_article(text):
    return importlib.import_module("adapter_pairs").as_article(make_article(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It was opened by Rita Abel.", {"It was opened by Bo Burke."}),
        ("It was opened in 1961.", {"It was opened in 1975."}),
        ("By Rita Abel in 1961.", {"By Bo Burke in 1961.", "By Rita Abel in 1975."}),
        ("It was opened late.", {None}),
    ],
)  # fmt: skip
def test_a_name_or_a_number_is_exchanged_for_another_one_of_the_article(text, expected):
    article = "It was seen by Rita Abel, Bo Burke and others in 1961 or 1975."
    swap = claims_module().with_other_name
    assert {swap(text, article, random.Random(seed)) for seed in range(20)} == expected


def test_claims_in_small_letters():
    article = eval_article("Rita Abel opened it. Bo Burke left.")
    evidence = Evidence(tuple(EvidenceSentence(one, article, 1.0) for one in split_sentences(article)))
    claim = claims_module().Claim("reports", "Bo Burke left Rita Abel.", evidence, False)
    small = claims_module().in_small_letters(claim)
    assert (small.text, small.states) == ("Bo burke left rita abel.", False)
    assert "Rita abel opened it. Bo burke left." in excerpts_of(small)
