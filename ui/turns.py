"""A conversation as the page sees it: turns that grow with events. Knows nothing about HTML or Gradio."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias, assert_never

from rag.types import (
    Answer,
    Citation,
    CitationsEvent,
    DoneEvent,
    Event,
    Message,
    PassagesEvent,
    PassageUse,
    StatusEvent,
    TextEvent,
)

TurnState: TypeAlias = Literal["working", "answered", "refused", "stopped", "failed"]


@dataclass(frozen=True, slots=True)
class Turn:
    """One question and what became of it.

    `text` is a draft until `checked`; `citations` belong to the checked text. `message` and `help` say what
    failed.
    """

    question: str
    state: TurnState = "working"
    status: str = "Taking up the question…"
    text: str = ""
    checked: bool = False
    citations: tuple[Citation, ...] = ()
    passages: tuple[PassageUse, ...] = ()
    answer: Answer | None = None
    message: str = ""
    help: str | None = None

    def after(self, event: Event) -> "Turn":
        """The turn once the event has happened."""
        match event:
            case StatusEvent():
                return replace(self, status=event.text)
            case PassagesEvent():
                return replace(self, passages=event.passages)
            case TextEvent():
                return replace(self, text=self.text + event.text)
            case CitationsEvent():
                return replace(self, text=event.text, checked=True, citations=event.citations)
            case DoneEvent():
                answer = event.answer
                return replace(
                    self,
                    state="refused" if answer.abstained else "answered",
                    text=answer.text,
                    checked=True,
                    citations=answer.citations,
                    passages=answer.passages,
                    answer=answer,
                )
            case _:
                assert_never(event)

    def stopped(self) -> "Turn":
        """The turn once it was stopped; a finished one stays as it is."""
        return replace(self, state="stopped") if self.state == "working" else self

    def failed(self, message: str, help: str | None) -> "Turn":
        """The turn once it went wrong."""
        return replace(self, state="failed", message=message, help=help)

    def citation(self, number: int) -> Citation | None:
        """The citation that readers see as that number, if there is one."""
        return next((citation for citation in self.citations if citation.number == number), None)

    def passage(self, rank: int) -> PassageUse | None:
        """The passage of that rank, if there is one."""
        return next((passage for passage in self.passages if passage.rank == rank), None)


def history_of(turns: Sequence[Turn]) -> tuple[Message, ...]:
    """The finished turns as messages for the next question; stopped and failed ones were never said."""
    messages: list[Message] = []
    for turn in turns:
        if turn.state in ("answered", "refused"):
            messages += [Message("user", turn.question), Message("assistant", turn.text)]
    return tuple(messages)


@dataclass(slots=True)
class Conversation:
    """The state of one browser tab. Changed by its own events only; copied when the tab opens.

    `round` grows with every question and every Clear, so that a generation can tell that it is no longer
    wanted. `opened` counts what was opened in the source panel; `by_hand` is True once the reader has chosen
    a source since the last question, so that an answer does not turn the page under their eyes.
    """

    turns: list[Turn] = field(default_factory=list)
    live: Turn | None = None
    round: int = 0
    stop_wanted: bool = False
    opened: int = 0
    by_hand: bool = False

    def begin(self, question: str) -> int:
        """Take up a question; returns the round that it is answered in."""
        self.live = Turn(question)
        self.round += 1
        self.stop_wanted = False
        self.by_hand = False
        return self.round

    def settle(self) -> None:
        """Put the live turn, now finished, with the others."""
        if self.live is not None:
            self.turns.append(self.live)
            self.live = None

    def clear(self) -> None:
        """Forget everything; what is being generated is no longer wanted."""
        self.turns.clear()
        self.live = None
        self.round += 1
        self.by_hand = False

    def turn(self, number: int) -> Turn | None:
        """Turn by number, counted from 0; the live one is the last."""
        every = [*self.turns, *([self.live] if self.live is not None else [])]
        return every[number] if 0 <= number < len(every) else None
