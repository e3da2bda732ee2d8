"""Sentences that excerpts support or do not: what the adapter that checks claims learns from.

Used by `scripts/train_supporting.py`. Three kinds, so that nothing but support tells them apart: claims that people
wrote of abstracts (SciFact), answers of question sets made into sentences, right and wrong ones, and what the model
writes of news: sums, and the same with another name or number, or with an end that is made up, which is how summaries
go wrong.
"""

import dataclasses
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from adapter_pairs import as_article, by_overlap, gold_groups, linked, many, plain, ranked_for, stating, tempting_quotes

from eval.questions import EvidenceQuote, Question
from eval.suites import load_suite
from eval.suites.reading import find_records, make_article
from eval.suites.scifact import printed_texts
from eval.suites.squad2 import squad_paragraphs
from index.sentences import split_sentences
from index.types import Article
from rag.evidence import Evidence, EvidenceSentence
from rag.prompt import asks_whether, supported_messages, told_messages
from rag.types import Message

Write = Callable[[Sequence[Message]], str]
"""What a model replies."""

READ = 9
"""Sentences of a report that are read."""
_UNSUPPORTED = 0.1
"""The share of supported abstracts that are shown without the sentences that support."""
_WRONG = 0.5
"""The share of questions with an answer of which a wrong one is said, too."""
_NAME = re.compile(r"(?<=[a-z,;] )[A-Z][\w’'-]+(?: [A-Z][\w’'-]+)*")
_NUMBER = re.compile(r"(?<![\w.,])\d[\d,.]*(?<![.,])(?!\w)")
_SUM = "Say in one short sentence, in words of your own, what happened."
_OTHERWISE = "Say this in one sentence, in other words and as shortly as you can."
_CONTINUED = "A sentence of a news report begins like this. Write the whole sentence, and make up how it ends."


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence, excerpts, and whether these state everything in it."""

    suite: str
    text: str
    evidence: Evidence
    states: bool

    @property
    def messages(self) -> tuple[Message, ...]:
        """What asks whether they do."""
        return supported_messages(self.text, self.evidence)


def abstract_claims(folder: Path, *, seed: int) -> list[Claim]:
    """Claims of SciFact with the abstracts that they cite, in random order: supported, contradicted, or neither."""
    chance = random.Random(f"{seed} scifact claims")
    abstracts = {
        record.text("doc_id"): record
        for _, records in find_records(folder, "corpus_*.csv*", "doc_id", "title", "abstract")
        for record in records
    }
    marked: dict[tuple[str, str, str], set[int]] = {}
    for _, records in find_records(folder, "claims_*.csv*", "id", "claim", "cited_doc_ids"):
        for record in records:
            cited = record.text("evidence_doc_id", "") or re.findall(r"\d+", record.text("cited_doc_ids"))[0]
            numbers = map(int, re.findall(r"\d+", record.text("evidence_sentences", "")))
            marked.setdefault((record.text("claim"), cited, record.text("evidence_label", "")), set()).update(numbers)
    claims = []
    for (text, cited, label), numbers in marked.items():
        sentences = printed_texts(abstracts[cited].text("abstract"))
        article = as_article(make_article(" ".join(one.strip() for one in sentences)))
        ranked = by_overlap(text, [article])
        quotes = [EvidenceQuote(article.path, sentences[number], group=str(number)) for number in sorted(numbers)]
        core = [item for group in stating(quotes, Question("", text), ranked) for item in group]
        if label and not core:
            continue
        states = label == "SUPPORT"
        if states and chance.random() < _UNSUPPORTED:
            ranked, core, states = [item for item in ranked if item not in core], [], False
        chosen = many(core or ranked[:1], ranked, chance) if ranked else []
        claims.append(Claim("scifact", text, Evidence(tuple(chosen)), states))
    chance.shuffle(claims)
    return claims


def told_claims(name: str, folder: Path, write: Write, *, most: int, seed: int) -> list[Claim]:
    """Answers of a question set as sentences, no more than `most`: right ones, wrong ones, and those to questions whose
    premise the text does not state. Written by the model, each from an answer that it is given."""
    chance = random.Random(f"{seed} {name} claims")
    suite = load_suite(name, folder)
    articles = {given.file: as_article(given) for given in suite.articles}
    tempting = tempting_quotes(folder) if name == "squad2" else {}
    phrases = _tempting_phrases(folder) if name == "squad2" else {}
    wrong = _wrong_choices(folder) if name == "realtimeqa" else {}
    pages: dict[str, list[Question]] = {}
    for question in linked(suite) if name == "realtimeqa" else suite.questions:
        if question.part in ("", "given", "gold") and question.answerable is not None and question.articles:
            pages.setdefault(question.articles[0], []).append(question)
    order = sorted(pages)
    chance.shuffle(order)
    claims: list[Claim] = []
    for page in order:
        evidence: Evidence | None = None
        for question in pages[page]:
            ranked = ranked_for(question, articles)
            if asks_whether(question.question) or not ranked:
                continue
            groups = gold_groups(question, ranked) or stating(tempting.get(question.id, ()), question, ranked)
            if evidence is None or name == "realtimeqa":
                evidence = Evidence(tuple(many([group[0] for group in groups], ranked, chance)))
            own = [part[0] for part in question.answers or ()][:1]
            others = wrong.get(question.id.split(":")[0]) or [
                part[0] for other in pages[page] for part in (other.answers or ())[:1] if other.id != question.id
            ]
            seen = {item.sentence for item in evidence.sentences}
            held = bool(groups) and all(any(item.sentence in seen for item in group) for group in groups)
            given = [(phrase, held) for phrase in own if question.answerable]
            given += [(phrase, False) for phrase in phrases.get(question.id, ())]
            if question.answerable and others and chance.random() < _WRONG:
                other = chance.choice(others)
                if not set(plain(other).split()) & set(plain(" ".join(own)).split()):
                    given.append((other, False))
            for phrase, states in given:
                text = write(told_messages(question.question, evidence, phrase)).strip()
                if is_sentence(text) and plain(phrase) in plain(text):
                    claims.append(Claim(name, text, evidence, states))
        if len(claims) >= most:
            return claims[:most]
    return claims


def report_claims(article: Article, write: Write, chance: random.Random) -> list[Claim]:
    """What the model writes of a report, supported or not; none of one that is too short."""
    sentences = [sentence for sentence in split_sentences(article) if 6 <= len(sentence.text.split()) <= 45]
    if len(sentences) < READ + 3:
        return []
    start = chance.randrange(3)
    read, unread = sentences[start : start + READ], sentences[start + READ :]
    evidence = Evidence(tuple(EvidenceSentence(sentence, article, 1.0) for sentence in read))
    seen = " ".join(sentence.text for sentence in read)
    told = write((Message("user", f"{seen}\n\n{_SUM}"),)).strip()
    drawn = chance.choice(read[1:])
    restated = write((Message("user", f"{drawn.text}\n\n{_OTHERWISE}"),)).strip()
    made: list[tuple[str, bool]] = [(drawn.text, True), (chance.choice(unread).text, False)]
    for true in (told, restated):
        if not is_sentence(true):
            continue
        made.append((true, True))
        swapped = with_other_name(true, article.text, chance)
        if swapped is not None:
            made.append((swapped, False))
    eighths = chance.choice((3, 4, 5))
    for true, share in ((told, eighths), (told, eighths + 2), (restated, eighths)):
        if not is_sentence(true):
            continue
        words = true.split()
        begun = " ".join(words[: max(3, len(words) * share // 8)])
        continued = write((Message("user", f"{begun} …\n\n{_CONTINUED}"),)).strip()
        if is_sentence(continued) and says_other(continued, true, seen):
            made.append((continued, False))
    return [Claim("reports", text, evidence, states) for text, states in dict(made).items()]


def with_other_name(text: str, article: str, chance: random.Random) -> str | None:
    """The sentence with one name or number of it exchanged for another one of the article; None if there is none."""
    for kind in chance.sample((_NAME, _NUMBER), 2):
        own = list(kind.finditer(text))
        others = sorted({found[0] for found in kind.finditer(article) if plain(found[0]) not in plain(text)})
        if own and others:
            place, other = chance.choice(own), chance.choice(others)
            return text[: place.start()] + other + text[place.end() :]
    return None


def says_other(text: str, true: str, seen: str) -> bool:
    """Whether a sentence has a word or number that neither the true one nor the excerpts have."""
    known = {word[:5] for word in plain(f"{true} {seen}").split()}
    return any(word[:5] not in known for word in plain(text).split() if len(word) > 3 or word.isdigit())


def is_sentence(text: str) -> bool:
    """Whether it is one sentence of some length."""
    return "\n" not in text and 5 <= len(text.split()) <= 40 and text.endswith((".", ".”", '."'))


def in_small_letters(claim: Claim) -> Claim:
    """The same claim of the same excerpts in small letters but for the first of each sentence, without a title."""
    items = tuple(
        dataclasses.replace(
            item,
            sentence=dataclasses.replace(item.sentence, text=item.sentence.text.capitalize()),
            article=dataclasses.replace(item.article, title=None),
        )
        for item in claim.evidence.sentences
    )
    return dataclasses.replace(claim, text=claim.text.capitalize(), evidence=Evidence(items))


def _tempting_phrases(folder: Path) -> dict[str, tuple[str, ...]]:
    """For each impossible question of SQuAD what somebody could take for its answer."""
    return {
        f"{record.text('id')}:given": tuple(answer.text("text") for answer in record.records("plausible_answers")[:1])
        for paragraph in squad_paragraphs(folder, "*.json", impossible=True)
        for record in paragraph.questions
        if record.has("plausible_answers")
    }


def _wrong_choices(folder: Path) -> dict[str, list[str]]:
    """For each quiz question the choices that are wrong, without quotation marks around them."""
    return {
        record.text("question_id"): [
            choice.strip("“”\"' ")
            for number, choice in enumerate(record.texts("choices"))
            if str(number) not in record.texts("answer")
        ]
        for _, records in find_records(folder, "*_qa.jsonl", "question_id", "choices", "answer")
        for record in records
    }
