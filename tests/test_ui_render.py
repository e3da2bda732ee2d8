"""The HTML of the page: exact for a small answer, harmless for every nasty text."""

from dataclasses import replace
from html.parser import HTMLParser
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from index.neutral import neutral
from index.types import Article, Span
from rag.refusing import NO_TIME
from rag.types import Answer, Citation, Copy, PassageUse, Searched, Timings
from ui import render
from ui.escaping import escape
from ui.render_sources import (
    Highlight,
    article_text,
    cited_article,
    found_article,
    nothing_open,
    passages_found,
    whole_article,
)
from ui.terminal import answer_view
from ui.turns import Turn
from ui.warmup import WarmupState

ARTICLE = Article(
    id="a1",
    path="news/one.txt",
    location="/one.txt",
    text="𝔘 Head\n\nFirst 𝒜𝒷 one. Second two.\nSame paragraph.\n\nLeave a Comment",
    boilerplate=(Span(51, 66),),
    title="One & all",
    source="Daily",
    date="2018-07-19",
)


def citation(**changes) -> Citation:
    start = ARTICLE.text.index("Second two.")
    base = Citation(
        number=1,
        answer_start=0,
        answer_end=4,
        article_id="a1",
        title="One & all",
        source="Daily",
        date="2018-07-19",
        url=None,
        path="news/one.txt",
        start=start,
        end=start + 11,
        quote="Second two.",
        support=0.968,
    )
    return replace(base, **changes)


def passage(**changes) -> PassageUse:
    base = PassageUse(
        "a1", "One & all", "Daily", "2018-07-19", "news/one.txt", 8, 33, ARTICLE.text[8:33], 0.714, 1, True
    )
    return replace(base, **changes)


def answered(text="Two. More.", citations=None, passages=(), **changes) -> Turn:
    citations = (citation(),) if citations is None else citations
    answer = Answer("Q?", text, False, 0.9, None, citations, passages, Timings(0.0, 0.5, 3.14), model="m", index="i")
    turn = Turn(
        "Q?",
        state="answered",
        text=text,
        checked=True,
        citations=citations,
        passages=passages,
        answer=answer,
    )
    return replace(turn, **changes)


CHIP = (
    '<button type="button" class="chip" data-open="citation" data-turn="3" data-number="1" title="Second two." '
    'aria-label="Source 1: Daily, One &amp; all, 19 July 2018">1</button>'
)


def test_a_small_answer_exactly():
    assert render.turn(answered(), 3) == (
        '<article class="turn answered" data-turn="3"><h2 class="question" dir="auto">Q?</h2>'
        f'<div class="answer" dir="auto">Two.<span class="chips">{CHIP}</span> More.</div>'
        '<ol class="footnotes" aria-label="Sources of this answer"><li><button type="button" class="footnote" '
        'data-open="citation" data-turn="3" data-number="1"><span class="number">1</span><span class="work">'
        '<bdi class="title">One &amp; all</bdi> <span class="where">Daily · 19 July 2018</span></span></button>'
        '</li></ol><p class="meta"><span>1 sentence from 1 article · 90% sure · 3.1 s</span>'
        '<button type="button" class="link" '
        'data-copy="Two. [1] More.\n\n[1] Daily, One &amp; all, 19 July 2018: “Second two.”">Copy</button></p>'
        "</article>"
    )


def test_chips_follow_their_sentence_sorted_and_once_each():
    text = "A𝔘. B."
    marks = (
        citation(number=2, answer_end=3),
        citation(number=1, answer_end=3),
        citation(number=1, answer_end=3),
        citation(number=1, answer_start=4, answer_end=99),
    )
    shown = visible(render.signed(text, marks, 0))
    assert shown == "A𝔘.12 B.1"


def test_citations_of_one_article_are_all_marked_and_one_is_active():
    first = ARTICLE.text.index("First")
    other = citation(number=2, start=first, end=first + 13, quote=ARTICLE.text[first : first + 13])
    html = cited_article(answered(citations=(citation(), other)), 3, 2, ARTICLE, opened=5)
    assert '<mark class=active data-target>First 𝒜𝒷 one.</mark><sup aria-hidden="true">2</sup>' in html
    assert '<mark>Second two.</mark><sup aria-hidden="true">1</sup>' in html
    assert html.count("data-target") == 1
    assert '<h2 class="headline" dir="auto">One &amp; all</h2>' in html
    assert '<p class="kicker"><bdi>Daily</bdi> · <bdi>19 July 2018</bdi></p>' in html
    assert '<span class="support">support 97 %</span>' in html
    assert (
        'data-number="2" title="First 𝒜𝒷 one." aria-label="Source 2: Daily, One &amp; all, 19 July 2018" '
        "aria-current=true" in html
    )
    assert 'data-opened="5"' in html


def test_an_article_in_paragraphs_with_its_boilerplate_set_apart():
    second = ARTICLE.text.index("Second")
    html = article_text(ARTICLE, [Highlight(Span(second, second + 27), 7, True)])
    assert html == (
        '<p dir="auto">𝔘 Head</p>'
        '<p dir="auto">First 𝒜𝒷 one. <mark class=active data-target>Second two.\nSame paragraph.</mark>'
        '<sup aria-hidden="true">7</sup></p>'
        '<p dir="auto"><span class="left-out">Leave a Comment</span></p>'
    )


def test_a_highlight_across_paragraphs_has_one_target_and_one_number():
    html = article_text(ARTICLE, [Highlight(Span(0, len(ARTICLE.text)), 1, True)])
    assert html.count("<mark class=active>") + html.count("<mark class=active data-target>") == 3
    assert html.count("data-target") == 1
    assert html.index("data-target") < html.index("First")
    assert html.endswith('<mark class=active>Leave a Comment</mark><sup aria-hidden="true">1</sup></p>')


@given(
    text=st.text(alphabet="ab 𝔘\n\r\t<&\u202e", max_size=60),
    cuts=st.lists(st.integers(0, 60), min_size=6, max_size=6),
)
def test_every_visible_character_of_an_article_is_shown_once(text, cuts):
    marks = [Highlight(Span(*sorted(cuts[0:2])), 1, True), Highlight(Span(*sorted(cuts[2:4])), 2)]
    article = replace(ARTICLE, text=text, boilerplate=(Span(*sorted(cuts[4:6])),))
    html = article_text(article, [Highlight(mark.span, None, mark.active) for mark in marks])
    assert "".join(visible(html).split()) == "".join(neutral(text).split())


def test_a_changed_or_removed_article_says_so_and_shows_the_quote():
    gone = cited_article(answered(), 0, 1, None)
    changed = cited_article(answered(), 0, 1, replace(ARTICLE, text="x" * 90))
    assert "This article is no longer at hand. It said:" in gone
    assert "This article has changed since it was cited. It said:" in changed
    for html in (gone, changed):
        assert '<mark class="active" data-target>Second two.</mark>' in html


def test_the_page_of_a_pdf_is_named_wherever_a_source_is():
    paged = citation(page=7)
    turn = answered(citations=(paged,), passages=(passage(page=6),))
    assert 'aria-label="Source 1: Daily, One &amp; all, 19 July 2018, page 7"' in render.chip(paged, 0)
    assert "Daily · 19 July 2018 · page 7" in render.turn(turn, 0)
    assert '<span class="support">page 7 · support 97 %</span>' in cited_article(turn, 0, 1, ARTICLE)
    assert "<bdi>19 July 2018</bdi> · <bdi>page 6</bdi>" in passages_found(turn, 0)
    assert render.plain(turn).endswith("[1] Daily, One & all, 19 July 2018, page 7: “Second two.”")
    assert printed(turn.answer).splitlines()[2] == "[1] Daily · 2018-07-19 · One & all · news/one.txt · page 7"
    refused = replace(turn.answer, abstained=True, citations=())
    assert "Daily · 2018-07-19 · One & all · news/one.txt · page 6" in printed(refused)


def printed(answer) -> str:
    output = StringIO()
    Console(file=output, width=200, highlight=False).print(answer_view(answer))
    return output.getvalue()


def test_title_publisher_and_date_have_fallbacks():
    html = whole_article(replace(ARTICLE, title=None, source=None, date=None))
    assert '<p class="kicker"><bdi>date unknown</bdi></p><h2 class="headline" dir="auto">one.txt</h2>' in html
    assert '<p class="path">news/one.txt</p>' in html


@pytest.mark.parametrize(
    ("iso", "shown"),
    [
        (None, "date unknown"),
        ("", "date unknown"),
        ("2018-07-19", "19 July 2018"),
        ("2018-07-01T10:20:30Z", "1 July 2018"),
        ("2018-07", "July 2018"),
        ("2018", "2018"),
        ("2018-13", "2018-13"),
        ("<b>", "<b>"),
    ],
)
def test_days(iso, shown):
    assert render.day(iso) == shown


def test_passages_are_listed_by_rank_with_use_and_score():
    found = (passage(rank=2, used=False, score=0.4), passage())
    html = passages_found(answered(passages=found), 3)
    assert [part.split("<")[0] for part in html.split('<span class="score">')[1:]] == [
        "used · 0.71",
        "not used · 0.40",
    ]
    assert (
        'data-open="passage" data-turn="3" data-number="1" aria-label="Passage 1: Daily, One &amp; all, 19 July 2018"'
        in html
    )
    opened = found_article(answered(passages=found), 3, found[1], ARTICLE)
    assert "<mark class=active data-target>First 𝒜𝒷 one. Second two.</mark>" in opened
    assert "Passage 1 of those found, used for the answer" in opened


def test_other_articles_that_say_the_same_are_named():
    copies = (
        Copy("b", "Two < one", "Wire", "2018-07-20", "news/two.txt", 0, 11),
        Copy("c", None, None, None, "news/three.txt", 0, 11),
    )
    html = "also in <bdi>Wire, Two &lt; one, 20 July 2018</bdi>; <bdi>three.txt, date unknown</bdi>"
    turn = answered(citations=(citation(also_in=copies),), passages=(passage(also_in=copies),))
    assert f'<span class="where">Daily · 19 July 2018 · {html}</span>' in render.turn(turn, 0)
    assert f'<p class="note">{html}</p>' in cited_article(turn, 0, 1, ARTICLE)
    assert f'<p class="note">{html}</p>' in found_article(turn, 0, turn.passages[0], ARTICLE)
    assert render.plain(turn).endswith(
        "[1] Daily, One & all, 19 July 2018; also in Wire, Two < one, 20 July 2018; also in three.txt, date unknown: "
        "“Second two.”"
    )
    refused = replace(turn.answer, abstained=True, reason="Nobody says.")
    said = (
        "Daily · 2018-07-19 · One & all · news/one.txt; also in Wire · 2018-07-20 · Two < one · news/two.txt; also in "
        "date unknown · news/three.txt\n"
    )
    assert [printed(one).count(said) for one in (turn.answer, refused)] == [1, 1]


def test_a_refusal_is_calm_and_leads_to_the_nearest_passages():
    answer = Answer(
        "Q?",
        "Not told.",
        True,
        0.1,
        "Nobody says.",
        (),
        (passage(used=False),),
        Timings(0, None, 1),
        "m",
        "i",
    )
    turn = Turn("Q?", state="refused", text="Not told.", checked=True, passages=answer.passages, answer=answer)
    assert render.turn(turn, 0) == (
        '<article class="turn refused" data-turn="0"><h2 class="question" dir="auto">Q?</h2><div class="refusal">'
        '<p class="label">Not in the articles</p><div class="answer" dir="auto">Not told.</div>'
        '<p class="reason" dir="auto">Nobody says.</p><p><button type="button" class="link" data-open="passages" '
        'data-turn="0">Nearest passage</button></p></div></article>'
    )
    html = passages_found(turn, 0)
    assert '<h2 class="label">Nearest passages</h2>' in html
    assert '<span class="score">0.71</span>' in html


def test_what_was_read_from_the_question_is_shown_and_escaped():
    notes = ("Only articles by <b>X</b>, as the question says “by <b>X</b>”", "Preferring the newest articles")
    searched = Searched(("Q?",), notes=notes)
    turn = answered()
    turn = replace(turn, answer=replace(turn.answer, searched=searched))
    shown = (
        '<p class="note"><bdi>Only articles by &lt;b&gt;X&lt;/b&gt;, as the question says “by &lt;b&gt;X&lt;/b&gt;”.'
        "</bdi></p>"
        '<p class="note"><bdi>Preferring the newest articles.</bdi></p>'
    )
    assert f'</ol>{shown}<p class="meta">' in render.turn(turn, 0)
    refused = replace(turn, state="refused", answer=replace(turn.answer, abstained=True, reason="Nobody says."))
    assert f"Nobody says.</p>{shown}" in render.turn(refused, 0)
    said = "\nOnly articles by <b>X</b>, as the question says “by <b>X</b>”.\n"
    assert [printed(one).count(said) for one in (turn.answer, refused.answer)] == [1, 1]


def test_what_there_was_no_time_for_is_shown():
    turn = answered()
    turn = replace(turn, answer=replace(turn.answer, skipped=("read 180 of 420 tokens of evidence", "not <b>")))
    said = "For want of time: read 180 of 420 tokens of evidence; not <b>."
    shown = '<p class="note"><bdi>For want of time: read 180 of 420 tokens of evidence; not &lt;b&gt;.</bdi></p>'
    assert f'{shown}<p class="meta">' in render.turn(turn, 0)
    assert f"\n{said}\n" in printed(turn.answer)
    assert turn.answer.to_dict()["skipped"] == ("read 180 of 420 tokens of evidence", "not <b>")


def test_a_refusal_for_want_of_time_does_not_say_that_the_articles_are_silent():
    reason = "Answering takes at least 4.9 s on this machine; 1 s were given."
    turn = answered()
    refused = replace(turn.answer, abstained=True, text=NO_TIME, reason=reason)
    html = render.turn(replace(turn, state="refused", text=NO_TIME, answer=refused), 0)
    assert '<p class="label">Not enough time</p>' in html
    assert reason in html
    assert "Not in the articles" not in html


def test_a_draft_is_visibly_one_and_a_stopped_draft_was_not_checked():
    working = render.turn(Turn("Q?", text="Half a", status="Reading 5 passages…"), 0)
    assert '<p class="label">Draft, being checked</p><div class="draft" dir="auto">Half a</div>' in working
    assert "<bdi>Reading 5 passages…</bdi>" in working
    stopped = render.turn(Turn("Q?", text="Half a").stopped(), 0)
    assert '<p class="note">Stopped. Nothing of this was checked.</p>' in stopped


@pytest.mark.parametrize(
    ("state", "count", "shown"),
    [
        (WarmupState("loading the language model", 2, 5), None, "Loading the language model, 40 %…"),
        (WarmupState("opening the index"), None, "Opening the index…"),
        (WarmupState("ready", ready=True), 1, "Ready · 1 article"),
        (WarmupState("ready", ready=True), 1204, "Ready · 1,204 articles"),
        (WarmupState("x", error="No model.", help="Run `byline <models>`."), None, "Error"),
    ],
)
def test_the_pill(state, count, shown):
    assert visible(render.pill(state, count)) == shown
    assert f'class="pill {state.name}"' in render.pill(state, count)


def test_a_load_error_is_shown_with_its_command():
    html = render.welcome(WarmupState("x", error="No <model>.", help="Run `byline <m>`."), ("never shown",))
    assert "<p>No &lt;model&gt;.</p>" in html
    assert '<p class="help">Run <code>byline &lt;m&gt;</code>.</p>' in html
    assert "never shown" not in html


def test_long_collections_are_cut_and_counted():
    html = nothing_open([replace(ARTICLE, id=f"a{number}") for number in range(43)])
    assert html.count('data-open="article"') == 40
    assert "43 articles at hand" in html
    assert "and 3 more articles" in html


NASTY = {
    "script": "<script>window.__xss=1</script>",
    "image": '"><img src=x onerror=window.__xss=1>',
    "single quote": "' onmouseover='window.__xss=1",
    "closing": "</div></article></section></textarea></style>",
    "entity": "&lt;b&gt; &amp;#x3c;",
    "markdown": "**bold** [link](javascript:window.__xss=1) ![x](y) [3] # head",
    "templates": "{{constructor.constructor('window.__xss=1')()}} ${window.__xss=1} `x`",
    "svg": "<svg/onload=window.__xss=1>",
    "comment": "<!-- <![CDATA[ ]]> -->",
    "astral": "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 👩‍👩‍👧",
}


def nasty_pages(text: str) -> list[str]:
    article = Article(
        id=text,
        path=f"a/{text}",
        location="/x",
        text=f"{text}\n\n{text}",
        title=text,
        source=text,
        author=text,
        date=text,
        boilerplate=(Span(0, 1),),
    )
    told = {"title": text, "source": text, "date": text, "path": text, "start": 0, "end": len(text)}
    also_in = (Copy(article_id="b", **told),)
    cited = citation(article_id=text, quote=text, also_in=also_in, **told)
    found = passage(text=text, also_in=also_in, **told)
    turn = answered(text=text, citations=(cited,), passages=(found,), question=text, status=text)
    assert turn.answer is not None
    refused = replace(turn, state="refused", answer=replace(turn.answer, reason=f"{text} "))
    return [
        render.turn(turn, 0),
        render.turn(refused, 0),
        render.turn(replace(turn, state="working", checked=False), 0),
        render.turn(replace(turn, state="stopped", checked=False), 0),
        render.turn(turn.failed(text, text), 0),
        render.welcome(WarmupState("ready", ready=True), (text,)),
        render.welcome(WarmupState(text), ()),
        render.welcome(WarmupState(error=text, help=text), ()),
        render.header(WarmupState(text, 1, 2), None),
        nothing_open((article,)),
        passages_found(turn, 0),
        cited_article(turn, 0, 1, article),
        cited_article(turn, 0, 1, None),
        found_article(turn, 0, found, article),
        found_article(turn, 0, found, None),
        whole_article(article),
    ]


class Outline(HTMLParser):
    """Which elements and attributes stand in some HTML, and which text."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data

    def handle_comment(self, data):
        raise AssertionError(f"a comment: {data}")


def outline(html: str) -> Outline:
    found = Outline()
    found.feed(html)
    found.close()
    assert found.open == []
    return found


def visible(html: str) -> str:
    return outline(html).text


@pytest.mark.parametrize("name", NASTY)
def test_nothing_in_a_text_becomes_an_element_or_an_attribute(name):
    for plain, nasty in zip(nasty_pages("harmless"), nasty_pages(NASTY[name]), strict=True):
        assert outline(nasty).names - {"code"} == outline(plain).names  # `commands` of help texts
        assert outline(nasty).attributes == outline(plain).attributes
        if "harmless" in outline(plain).text:
            assert neutral(NASTY[name]).strip() in outline(nasty).text


@given(st.text(max_size=40))
def test_escaped_text_is_text_and_nothing_else(text):
    found = outline(f'<i title="{escape(text)}">{escape(text)}</i>')
    assert (found.names, found.attributes, found.text) == ({"i"}, {"title"}, neutral(text))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("abc\u202edcb\u202c", "abc⟦U+202E⟧dcb⟦U+202C⟧"),
        ("a\u2066b\u2069", "a⟦U+2066⟧b⟦U+2069⟧"),
        ("zero\u200bwidth\ufeff\u2060\u00ad", "zerowidth"),
        ("tag\U000e0041\U000e0042", "tag"),
        ("a\x00b\x1bc\x7fd\x85e", "abcde"),
        ("tab\tnew\nline\r\nold\rmac", "tab\tnew\nline\nold\nmac"),
        ("lone \ud800 one", "lone \ufffd one"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("👩\u200d👧", "👩\u200d👧"),
    ],
)
def test_what_hides_or_reorders_is_removed_or_made_visible(text, shown):
    assert neutral(text) == shown
    assert escape(text) == shown
    shown.encode("utf-8")
