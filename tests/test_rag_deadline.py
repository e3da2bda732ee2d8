"""Answers within a time: a generator that moves a clock of its own by what it reads and writes, so nothing waits."""

import dataclasses
import re

import pytest
from rag_material import Ticking

from index import HashingEmbedder, SavedIndex, update_index
from index.errors import SettingsError
from rag import Chatbot, Settings, StatusEvent
from rag.confidence import load_calibration
from rag.deadline import NO_OTHER_FIGURES, NOT_LOOKED_AGAIN, NOT_READ_AGAIN, STOPPED_WRITING, TimeLimit
from rag.refusing import NO_TIME
from rag.speed import Speed, Speedometer

QUESTION = "How much did repairs of the harbour of Porto Claro cost?"
TWO = "How much did repairs of the harbour cost, and who drew the plans for the breakwater?"
HARBOUR = (
    "The harbour of Porto Claro reopened on Monday after a hard winter. "
    "Repairs of the harbour of Porto Claro cost 12 million euros, the mayor said at the feast. "
    "Half of the money for the harbour came from the region and half from a loan of the national bank. "
    "Divers found that the storm had moved more than forty of the great stones at the mouth of the harbour. "
    "Fishing boats had waited for six weeks in the smaller bay of Santa Rita, where there is no ice house. "
    "The fish market of Porto Claro sold frozen herring from abroad while the boats lay idle. "
    "Engineers from Lisbon drew the plans for the new breakwater of Porto Claro in only nine days. "
    "The lighthouse at the end of the pier got a lamp that can be seen from thirty kilometres. "
    "Two cranes had to be brought by sea, because the bridge on the coast road bears no more than twenty tons. "
    "Children of the school beside the harbour painted the wall of the cold store with whales and gulls. "
    "The insurance pays for nets and engines, but not for the weeks in which nobody could go out to fish. "
    "The next storm will show whether the harbour of Porto Claro is safe, the captain of the port said."
)
OTHER = (
    "Repairs of the harbour of Porto Claro cost 19 million euros, according to the opposition in the town council. "
    "It asked for an inquiry into the contracts."
)
PREFILL, DECODE = 100.0, 10.0
WAITING = StatusEvent("1 question before this one")
MEASURING = StatusEvent("Finding out how fast this machine is")
RUNGS = [
    "",
    NO_OTHER_FIGURES,
    NOT_READ_AGAIN,
    f"evidence + {NOT_READ_AGAIN}",
    f"evidence + {STOPPED_WRITING} + {NOT_READ_AGAIN}",
    f"evidence + {NOT_READ_AGAIN} + {NO_OTHER_FIGURES}",
    f"evidence + {STOPPED_WRITING} + {NOT_READ_AGAIN} + {NO_OTHER_FIGURES}",
    f"evidence + {STOPPED_WRITING} + {NOT_LOOKED_AGAIN}",
    "no time",
]
"""What is skipped, from much time to little."""


@pytest.fixture
def index(tmp_path):
    folder = tmp_path / "articles"
    folder.mkdir()
    (folder / "harbour.txt").write_text(f"Harbour reopens\n\n{HARBOUR}\n", encoding="utf-8")
    (folder / "council.txt").write_text(f"Council asks\n\n{OTHER}\n", encoding="utf-8")
    update_index(tmp_path / "index", [folder], embedder=HashingEmbedder())
    with SavedIndex.open(tmp_path / "index", embedder=HashingEmbedder()) as index:
        yield index


def made(index, *, kind=Ticking, times=1.0, settings=None):
    """A chatbot whose machine is `times` as slow as it was when it was measured."""
    generator = kind(prefill=PREFILL, decode=DECODE)
    meter = Speedometer(generator, clock=generator.clock)
    meter.speed()
    generator.prefill, generator.decode = PREFILL / times, DECODE / times
    settings = settings or Settings(wrong_per_hundred=100.0)
    return Chatbot(index, generator, settings=settings, speedometer=meter), generator


def timed(index, seconds, **more):
    """The answer, and the seconds that it took by the model's own clock."""
    chatbot, generator = made(index, **more)
    begun = generator.now
    answer = chatbot.answer(QUESTION, seconds=seconds)
    return answer, generator.now - begun


def test_without_a_limit_nothing_is_different(index):
    plain = Chatbot(index, Ticking(prefill=PREFILL, decode=DECODE), settings=Settings(wrong_per_hundred=100.0))
    chatbot, generator = made(index)
    before = generator.usage()
    one, other = plain.answer(QUESTION), chatbot.answer(QUESTION)
    assert plain.generator.usage() == generator.usage().since(before)
    assert dataclasses.replace(one, timings=other.timings, explanation=other.explanation) == other
    assert other.skipped == ()


def test_with_time_enough_nothing_is_different_either(index):
    free, took = timed(index, 0)
    enough, _ = timed(index, 100 * took)
    assert enough.skipped == ()
    assert (enough.text, enough.citations, enough.signals) == (free.text, free.citations, free.signals)
    assert enough.usage == free.usage


class Wordy(Ticking):
    """Says two whole sentences, forty words."""

    def generate(self, messages, *, max_tokens):
        self._read(messages)
        for piece in re.findall(r"\s*\S+", ". ".join(HARBOUR.split(". ")[1:3]) + ".")[:max_tokens]:
            self._usage = dataclasses.replace(self._usage, tokens_written=self._usage.tokens_written + 1)
            self.now += 1 / self.decode
            yield piece


def test_the_less_time_there_is_the_more_is_skipped_and_said(index):
    free, took = timed(index, 0, kind=Wordy)
    assert free.text.startswith("The articles give different figures")
    seen, read = [], []
    for tenths in range(int(10 * took) + 20, 0, -1):
        answer, _ = timed(index, tenths / 10, kind=Wordy)
        if answer.text == NO_TIME:
            assert answer.skipped == ()
            seen.append("no time")
            continue
        read.append(next((int(text.split()[1]) for text in answer.skipped if text.startswith("read ")), 285))
        kinds = [text if not text.startswith("read ") else "evidence" for text in answer.skipped]
        seen.append(" + ".join(kinds))
    assert read == sorted(read, reverse=True)
    assert (read[0], read[-1]) == (285, 62)
    assert seen == sorted(seen, key=RUNGS.index)
    assert set(seen) == set(RUNGS)


@pytest.mark.parametrize("times", [0.5, 1.0, 1.15, 1.5])
@pytest.mark.parametrize("seconds", [0.5, 1, 2, 3, 4, 5, 6, 8, 10, 15])
def test_the_time_is_never_overrun_by_more_than_a_fifth(index, seconds, times):
    answer, took = timed(index, seconds, times=times)
    assert took <= 1.2 * seconds
    assert answer.text != NO_TIME or took < seconds or times > 1


class Rambling(Ticking):
    """Never comes to an end: sentence after sentence, each of ten words."""

    def generate(self, messages, *, max_tokens):
        self._read(messages)
        for number in range(max_tokens):
            self._usage = dataclasses.replace(self._usage, tokens_written=self._usage.tokens_written + 1)
            self.now += 1 / self.decode
            words = "Repairs of the harbour of Porto Claro cost 12 million euros.".split()
            yield (" " if number else "") + words[number % len(words)]


class Endless(Ticking):
    """The same without a full stop."""

    def generate(self, messages, *, max_tokens):
        self._read(messages)
        for _ in range(max_tokens):
            self.now += 1 / self.decode
            yield " repairs"


@pytest.mark.parametrize("kind", [Rambling, Endless])
@pytest.mark.parametrize("times", [1.0, 1.3])
@pytest.mark.parametrize("seconds", [4, 6, 8, 10, 12])
def test_writing_ends_when_time_is_up(index, seconds, kind, times):
    _, took = timed(index, seconds, kind=kind, times=times)
    assert took <= 1.2 * seconds


def test_what_was_written_is_cut_at_the_last_whole_sentence(index):
    answer, _ = timed(index, 12, kind=Rambling)
    assert STOPPED_WRITING in answer.skipped
    whole = "Repairs of the harbour of Porto Claro cost 12 million euros."
    assert set(answer.text.replace(whole, "").split()) == set()
    assert answer.signals.answers is not None


def test_a_fragment_is_never_the_answer(index):
    for seconds in (5, 6, 8):
        answer, _ = timed(index, seconds, kind=Endless)
        assert "repairs repairs" not in answer.text
        assert answer.abstained or all(f"“{item.quote}”" in answer.text for item in answer.citations)


def test_without_a_second_look_the_confidence_is_that_before_writing(index):
    answers = [timed(index, tenths / 10, kind=Wordy)[0] for tenths in range(40, 120)]
    unlooked = [answer for answer in answers if NOT_LOOKED_AGAIN in answer.skipped and not answer.abstained]
    assert unlooked
    for answer in unlooked:
        assert answer.signals.answers is None
        # `covered` was another then; the chance before writing is made of the other signals.
        chance = load_calibration("copying").before.probability(answer.signals)
        assert answer.confidence == pytest.approx(chance, abs=1e-4)


class Unsupported(Ticking):
    """Invents a figure."""

    def generate(self, messages, *, max_tokens):
        self._read(messages)
        yield "Repairs cost 99 million dollars."


def test_facts_are_checked_however_little_time_there_is(index):
    for tenths in range(30, 200, 5):
        answer, _ = timed(index, tenths / 10, kind=Unsupported)
        assert "99" not in answer.text
        # A quote in its place needs the second look, which says whether it answers the question.
        assert answer.abstained or NOT_LOOKED_AGAIN not in answer.skipped


def test_what_cannot_be_done_is_refused_at_once_with_what_it_would_take(index):
    answer, took = timed(index, 1)
    assert (answer.text, answer.abstained, answer.citations, answer.skipped, took) == (NO_TIME, True, (), (), 0.0)
    assert answer.usage.passes == 0
    assert answer.passages
    assert not any(passage.used for passage in answer.passages)
    needed = float(answer.reason.removeprefix("Answering takes at least ").split(" s ")[0])
    assert answer.reason.endswith(" s on this machine; 1 s were given.")
    assert timed(index, needed)[0].text != NO_TIME
    assert timed(index, needed - 0.11)[0].text == NO_TIME


def test_the_parts_of_a_question_share_the_time(index):
    for seconds in (4, 8, 12, 16, 24):
        chatbot, generator = made(index)
        begun = generator.now
        answer = chatbot.answer(TWO, seconds=seconds)
        assert generator.now - begun <= 1.2 * seconds
        assert answer.question == TWO
    assert made(index)[0].answer(TWO, seconds=1).text == NO_TIME


def test_a_part_without_time_is_named(index):
    texts = [made(index, kind=Wordy)[0].answer(TWO, seconds=tenths / 10).text for tenths in range(80, 120)]
    late = [text for text in texts if text != NO_TIME and "There was no time for: “" in text]
    assert late
    parts = ("“How much did repairs of the harbour cost?”", "“Who drew the plans for the breakwater?”")
    assert {text.split("There was no time for: ")[1] for text in late} <= set(parts)
    assert all("The articles do not tell" not in text for text in late)


def test_waiting_for_another_question_is_not_counted(index):
    chatbot, generator = made(index)
    meter = chatbot._speedometer
    limit = TimeLimit(generator, meter, seconds=5.0, speed=meter.speed())
    deadline = limit.share_of(2)
    arrived = deadline.now()
    generator.now += 100.0
    deadline.excuse(arrived)
    assert deadline.lets_look([]) is True
    generator.now += 1.0
    # 4 of 5 seconds are left for the other part.
    assert limit.share_of(1)._left_s() == pytest.approx(4.0 - 0.05)


def served_another(chatbot):
    """The place of another question, which is being answered until it leaves."""
    place = chatbot._turns.arrive()
    assert list(place.wait()) == []
    return place


@pytest.mark.parametrize("question", [QUESTION, TWO])
def test_the_line_is_waited_in_without_loss_of_time(index, question):
    alone = made(index)[0].answer(question, seconds=16.0)
    chatbot, generator = made(index)
    other, events = served_another(chatbot), chatbot.stream(question, seconds=16.0)
    assert next(event for event in events if event == WAITING)
    generator.now += 100.0
    other.leave()
    *_, done = events
    assert (done.answer.text, done.answer.skipped) == (alone.text, alone.skipped)
    assert done.answer.text != NO_TIME


def test_the_speed_is_measured_when_nobody_else_has_the_model(index):
    generator = Ticking(prefill=PREFILL, decode=DECODE)
    meter = Speedometer(generator, clock=generator.clock)
    chatbot = Chatbot(index, generator, settings=Settings(wrong_per_hundred=100.0), speedometer=meter)
    other, stop = served_another(chatbot), []
    stopping = chatbot.stream(QUESTION, seconds=9.0, stop=lambda: bool(stop))
    assert next(stopping) == WAITING
    stop.append(True)
    assert list(stopping) == []
    first, second = (chatbot.stream(QUESTION, seconds=9.0) for _ in range(2))
    assert next(first) == WAITING
    assert (meter.known, generator.usage().passes) == (None, 0)
    other.leave()
    assert next(first) == MEASURING
    assert list(first)[-1].answer.text != NO_TIME
    assert MEASURING not in list(second)
    assert len(chatbot._turns) == 0


def test_the_settings_give_the_time_and_a_question_may_change_it(index):
    settings = Settings(wrong_per_hundred=100.0, seconds=1.0)
    assert made(index, settings=settings)[0].answer(QUESTION).text == NO_TIME
    assert made(index, settings=settings)[0].answer(QUESTION, seconds=0).skipped == ()
    with pytest.raises(SettingsError, match=r"seconds is -1; it must be 0"):
        made(index)[0].answer(QUESTION, seconds=-1)


def test_the_first_question_with_a_limit_measures_and_says_so(index):
    generator = Ticking(prefill=PREFILL, decode=DECODE)
    meter = Speedometer(generator, clock=generator.clock)
    chatbot = Chatbot(index, generator, settings=Settings(wrong_per_hundred=100.0), speedometer=meter)
    events = list(chatbot.stream(QUESTION, seconds=9.0))
    assert events[0] == MEASURING
    assert events[-1].answer.text != NO_TIME  # what measuring took is not of the nine seconds
    assert meter.speed() == Speed(pytest.approx(PREFILL), pytest.approx(DECODE))
    assert next(iter(chatbot.stream(QUESTION, seconds=9.0))) != events[0]


def test_what_is_seen_while_answering_is_learnt(index):
    chatbot, _ = made(index, times=2.0)
    chatbot.answer(QUESTION, seconds=20.0)
    speed = chatbot._speedometer.speed()
    assert PREFILL / 2 < speed.prefill_tokens_s < PREFILL
    assert DECODE / 2 < speed.decode_tokens_s < DECODE
