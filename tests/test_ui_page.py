"""The page in a real Chromium, over a chatbot that answers by a script: what is seen, clicked, stopped, escaped."""

import re
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import pytest
from browser import Visit, chromium, opened, served
from playwright.sync_api import Browser, expect
from ui_scripted import EXAMPLES, HOSTILE, NEARLY, PEAK, SCRIPTS, TMALL, WORTH, Script, ScriptedChatbot
from waiting import eventually

from index.errors import ModelError
from index.types import Article
from ui.server import PageServer
from ui.warmup import Warmup

pytestmark = [
    pytest.mark.browser,
]

WORTH_QUESTION = "How much is Alibaba worth?"
PEAK_QUESTION = "How big was Alibaba at its peak?"
CEO_QUESTION = "Who is the CEO of Snapdeal?"
DROPPED = """() => {
  const files = new DataTransfer();
  for (const [name, text] of [["bakery.txt", "The bakery sells bread."], ["photo.jpg", "x"]])
    files.items.add(new File([text], name));
  return files;
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def chatbot() -> ScriptedChatbot:
    return ScriptedChatbot(pause=0.06)


@pytest.fixture(scope="module")
def server(chatbot: ScriptedChatbot) -> Iterator[PageServer]:
    with served(Warmup(lambda progress: chatbot)) as server:
        yield server


@pytest.fixture
def visit(browser: Browser, server: PageServer) -> Iterator[Visit]:
    with opened(browser, server.url) as visit:
        yield visit.ready()


def test_the_empty_page_says_what_it_is_and_what_to_ask(visit):
    page = visit.page
    assert page.title() == "Byline"
    expect(page.locator(".wordmark")).to_have_text("Byline")
    expect(page.locator(".pill")).to_have_text("Ready · 4 articles")
    assert page.locator(".example bdi").all_inner_texts() == list(EXAMPLES)
    assert page.locator("#panel .list .title").all_inner_texts() == [
        "000_09326a6efd6d9981.txt",
        "Alibaba Group Holding Ltd (BABA) Taps The Economic Potential Of Xinjiang",
        "Alibaba $100 billion stock rally fueled by AI, Jack Ma return",
        "003_61a9a8bb3076d462.txt",
    ]
    expect(page.locator("footer")).to_have_count(0)
    assert page.evaluate("document.activeElement.tagName") == "TEXTAREA"


def test_articles_are_added_by_the_button_or_dropped_and_a_file_that_is_none_is_named(visit, chatbot, tmp_path):
    page, chatbot.kept_articles = visit.page, tmp_path / "kept"
    article, empty = tmp_path / "harbour.txt", tmp_path / "empty.txt"
    article.write_text("Harbour reopens\n\nThe harbour of Porto Claro reopened on Monday.")
    empty.write_text("")
    try:
        visit.add(article)
        expect(page.locator("#panel .news")).to_have_text("Added: harbour.txt")
        expect(page.locator(".pill")).to_have_text("Ready · 5 articles")
        expect(page.locator("#panel .list .title").last).to_have_text("Harbour reopens")
        page.locator("#panel .list .listed").first.click()
        expect(page.locator("#panel .cited button")).to_have_text("All articles")  # no page takes those out
        page.locator("#panel .cited button").click()
        page.locator("#panel .list .listed").last.click()
        expect(page.locator("#panel")).to_contain_text("The harbour of Porto Claro reopened on Monday.")
        visit.add(empty)
        expect(page.locator("#panel .news").first).to_have_text("kept/empty.txt is empty.")
        files = page.evaluate_handle(DROPPED)
        page.dispatch_event("#stage", "drop", {"dataTransfer": files})
        expect(page.locator("#panel .news").first).to_have_text("Added: bakery.txt")
        expect(page.locator("#panel .news").last).to_contain_text("Not added: photo.jpg: only .docx")
        expect(page.locator(".pill")).to_have_text("Ready · 6 articles")
        assert sorted(file.name for file in chatbot.kept_articles.iterdir()) == ["bakery.txt", "harbour.txt"]
        page.locator("#panel .list .listed").last.click()
        remove = page.locator("#panel [data-remove]")
        remove.click()
        expect(remove).to_have_text("Remove? Click again")
        assert len(chatbot.given) == 2
        remove.click()
        expect(page.locator("#panel .news")).to_have_text("Removed: bakery.txt")
        expect(page.locator(".pill")).to_have_text("Ready · 5 articles")
        assert [file.name for file in chatbot.kept_articles.iterdir()] == ["harbour.txt"]
    finally:
        chatbot.given.clear()


def test_a_failure_of_adding_is_told_and_the_page_goes_on(visit, chatbot, tmp_path, monkeypatch):
    def fail(files):
        raise RuntimeError("out of order")

    monkeypatch.setattr(chatbot, "kept_articles", tmp_path / "kept")
    monkeypatch.setattr(chatbot, "add_articles", fail)
    (tmp_path / "harbour.txt").write_text("The harbour reopened.")
    visit.add(tmp_path / "harbour.txt")
    failed = "Byline failed unexpectedly: RuntimeError: out of order"
    expect(visit.page.locator("#panel .news").first).to_have_text(failed)
    assert list(chatbot.kept_articles.iterdir()) == []
    visit.ask(PEAK_QUESTION)
    visit.answered()


def test_from_question_over_draft_to_the_signed_answer(visit):
    page = visit.page
    visit.ask(WORTH_QUESTION)
    expect(page.locator(".turn.working .question")).to_have_text(WORTH_QUESTION)
    expect(page.locator(".status")).to_contain_text("Reading 4 passages")
    expect(page.locator("#panel .panel-head")).to_have_text("Passages found")
    expect(page.locator(".draft")).to_contain_text("The articles give")
    expect(page.locator(".turn .label")).to_have_text("Draft, being checked")
    expect(page.locator("#stop")).to_be_visible()
    expect(page.locator("#send")).to_be_hidden()
    visit.answered()
    expect(page.locator(".draft")).to_have_count(0)
    expect(page.locator("#send")).to_be_visible()
    expect(page.locator("#stop")).to_be_hidden()
    assert page.locator("#finished .answer").text_content() == (
        "The articles give three figures, at different times. Daily Times put it at almost $476 billion in July "
        "2018.1 Another article, of unknown date, calls it a nearly $300 billion enterprise, and CNBC says that it "
        "exceeded $858 billion at its record high.23"
    )
    # The first citation opens by itself, highlighted and in view.
    expect(page.locator("mark.active")).to_have_text(WORTH)
    expect(page.locator("mark.active")).to_be_in_viewport()
    assert page.get_by_label("Your question").input_value() == ""


def test_each_chip_opens_its_article_at_the_sentence_quickly(visit):
    page = visit.page
    visit.ask(WORTH_QUESTION)
    visit.answered()
    wanted = {
        2: (
            NEARLY,
            "Alibaba Group Holding Ltd (BABA) Taps The Economic Potential Of Xinjiang",
            "date unknown",
        ),
        3: (PEAK, "Alibaba $100 billion stock rally fueled by AI, Jack Ma return", "CNBC · 28 August 2024"),
        1: (WORTH, "000_09326a6efd6d9981.txt", "Daily Times · 19 July 2018"),
    }
    for number, (sentence, title, byline) in wanted.items():
        milliseconds = page.evaluate(
            """([number, sentence]) => new Promise((resolve) => {
                const begin = performance.now();
                const shown = () => document.querySelector("mark.active")?.textContent === sentence;
                const look = () => shown() ? resolve(performance.now() - begin) : requestAnimationFrame(look);
                document.querySelector(`#finished .chip[data-number="${number}"]`).click();
                look();
            })""",
            [number, sentence],
        )
        assert milliseconds < 1000  # 200 ms on an idle machine; tests share theirs
        expect(page.locator("mark.active")).to_be_in_viewport()
        expect(page.locator("#panel .headline")).to_have_text(title)
        expect(page.locator("#panel .panel-head .kicker")).to_have_text(byline)
        expect(page.locator("#finished .chip.active")).to_have_text(str(number))
    # From the panel to another citation of the same answer, and to a passage.
    page.locator("#panel .cited .chip").nth(2).click()
    expect(page.locator("mark.active")).to_have_text(PEAK)
    page.locator("#panel .drawer summary").click()
    page.locator("#panel .drawer .unused .listed").click()
    expect(page.locator("mark.active")).to_have_text(TMALL)
    expect(page.locator("#panel .cited")).to_have_text("Passage 4 of those found, not used for the answer")


def test_boilerplate_is_set_apart(visit):
    visit.page.locator("#panel .listed").nth(1).click()
    expect(visit.page.locator(".left-out")).to_have_text(["Updated on", "Leave a Comment"])
    visit.page.get_by_text("All articles").click()
    expect(visit.page.locator("#panel .list .title")).to_have_count(4)


def test_chips_of_older_turns_work_also_while_an_answer_is_made(visit):
    page = visit.page
    visit.ask(PEAK_QUESTION)
    visit.answered(turns=1)
    visit.ask(CEO_QUESTION)
    visit.answered(turns=2)
    expect(page.locator("#panel .panel-head")).to_have_text("Nearest passages")
    page.locator('.turn[data-turn="0"] .chip').click()
    expect(page.locator("mark.active")).to_have_text(PEAK)
    visit.ask(WORTH_QUESTION)
    expect(page.locator(".turn.working .draft")).to_be_visible()
    page.locator('.turn[data-turn="0"] .chip').click()
    expect(page.locator("mark.active")).to_have_text(PEAK)
    visit.answered(turns=3)
    page.wait_for_timeout(300)
    expect(page.locator("mark.active")).to_have_text(PEAK)  # the page is not turned under the reader's eyes
    page.locator('.turn[data-turn="2"] .chip').first.click()
    expect(page.locator("mark.active")).to_have_text(WORTH)


def test_a_follow_up_carries_the_conversation(visit, chatbot):
    visit.ask(PEAK_QUESTION)
    visit.answered(turns=1)
    visit.ask("And before?")
    visit.answered(turns=2)
    answer = "Alibaba’s market capitalization exceeded $858 billion at its record high in 2020."
    assert [(message.role, message.content) for message in chatbot.histories[-1]] == [
        ("user", PEAK_QUESTION),
        ("assistant", answer),
    ]


def test_a_time_limit_goes_with_the_question_and_a_bad_one_is_explained(visit, chatbot):
    limit = visit.page.get_by_label("Seconds it may take")
    limit.fill("2.5s")
    visit.ask(PEAK_QUESTION)
    visit.answered()
    assert chatbot.seconds[-1] == 2.5
    limit.fill("soon")
    visit.ask(CEO_QUESTION)
    expect(visit.page.locator(".failure")).to_contain_text("The time limit is 'soon'; it must be a number of seconds.")
    expect(visit.page.get_by_label("Your question")).to_have_value(CEO_QUESTION)
    limit.fill("")
    visit.page.get_by_role("button", name="Send").click()
    visit.page.locator(".turn.refused").wait_for()
    assert chatbot.seconds[-1] is None


def test_a_refusal_is_calm_and_shows_the_nearest_passages(visit):
    page = visit.page
    page.locator(".example", has_text=CEO_QUESTION).click()
    visit.answered()
    expect(page.locator(".refusal .label")).to_have_text("Not in the articles")
    expect(page.locator(".refusal .answer")).to_have_text(SCRIPTS[CEO_QUESTION].sentences[0][0])
    expect(page.locator(".turn .chip")).to_have_count(0)
    expect(page.locator('.turn [role="alert"]')).to_have_count(0)
    assert page.locator("#panel .excerpt").all_inner_texts() == [NEARLY, WORTH, PEAK, TMALL]
    page.locator("#panel .listed").nth(1).click()
    expect(page.locator("mark.active")).to_have_text(WORTH)
    page.get_by_role("button", name="4 nearest passages").click()
    expect(page.locator("#panel .panel-head")).to_have_text("Nearest passages")


def test_stop_really_stops(visit, chatbot):
    page = visit.page
    before = len(chatbot.stopped)
    visit.ask(WORTH_QUESTION)
    page.locator(".draft").wait_for()
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#finished .turn.stopped .note")).to_have_text("Stopped. Nothing of this was checked.")
    expect(page.locator("#send")).to_be_visible()
    eventually(lambda: len(chatbot.stopped) > before)  # the page says so at once, the model ends its word first
    assert chatbot.stopped[before:] == [WORTH_QUESTION]
    visit.ask(PEAK_QUESTION)
    visit.answered(turns=2)
    expect(page.locator(".turn.answered")).to_have_count(1)


def test_clear_forgets_also_what_is_being_made(visit, chatbot):
    page = visit.page
    visit.ask(PEAK_QUESTION)
    visit.answered()
    visit.ask(WORTH_QUESTION)
    page.locator(".draft").wait_for()
    page.get_by_role("button", name="Clear").click()
    expect(page.locator(".turn")).to_have_count(0)
    expect(page.locator(".example")).to_have_count(4)
    page.wait_for_timeout(600)
    expect(page.locator(".turn")).to_have_count(0)
    visit.ask(PEAK_QUESTION)
    visit.answered()
    assert chatbot.histories[-1] == ()
    expect(page.locator(".turn")).to_have_count(1)


def test_two_tabs_have_two_conversations_and_wait_for_each_other(browser, server, visit, chatbot):
    with opened(browser, server.url) as other:
        other.ready()
        with chatbot.turns.alone():
            visit.ask(WORTH_QUESTION)
            expect(visit.page.locator(".status")).to_contain_text("1 question before this one")
            other.ask(CEO_QUESTION)
            expect(other.page.locator(".status")).to_contain_text("2 questions before this one")
            # What was found can be looked at meanwhile.
            expect(other.page.locator("#panel")).to_contain_text("Passage")
        visit.answered()
        other.answered()
        expect(visit.page.locator(".turn .question")).to_have_text([WORTH_QUESTION])
        expect(other.page.locator(".turn .question")).to_have_text([CEO_QUESTION])


def test_keyboard_alone_is_enough(visit):
    page = visit.page
    box = page.get_by_label("Your question")
    box.fill("How big was Alibaba")
    box.press("Shift+Enter")
    box.press_sequentially("x")
    assert box.input_value() == "How big was Alibaba\nx"
    box.fill(PEAK_QUESTION)
    box.press("Enter")
    visit.answered()
    chip = page.locator("#finished .chip")
    expect(chip).to_have_attribute(
        "aria-label",
        "Source 1: CNBC, Alibaba $100 billion stock rally fueled by AI, Jack Ma return, 28 August 2024",
    )
    chip.focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    expect(page.locator("mark.active")).to_have_text(PEAK)


def test_the_answer_can_be_copied_with_its_sources(browser, server):
    with opened(browser, server.url) as visit:
        visit.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        visit.ready().ask(PEAK_QUESTION)
        visit.answered()
        visit.page.get_by_role("button", name="Copy").click()
        expect(visit.page.get_by_role("button", name="Copied")).to_be_visible()
        copied = visit.page.evaluate("navigator.clipboard.readText()")
    assert copied == (
        "Alibaba’s market capitalization exceeded $858 billion at its record high in 2020. [1]\n\n[1] CNBC, Alibaba "
        f"$100 billion stock rally fueled by AI, Jack Ma return, 28 August 2024: “{PEAK}”"
    )


def test_nothing_from_question_answer_or_article_is_interpreted(visit):
    page = visit.page
    question = "<img src=x onerror=window.__xss=1> **b** [3] {{1+1}} ${window.__xss=1} \u202eevil"
    visit.ask(question)
    visit.answered(turns=1)
    expect(page.locator(".question")).to_have_text(question.replace("\u202e", "⟦U+202E⟧"))
    visit.ask("Attack")
    visit.answered(turns=2)
    expect(page.locator(".turn.answered .answer")).to_have_text(
        "An answer with <script>window.__xss=1</script>, [3] and **stars**.1"
    )
    expect(page.locator("#panel .headline")).to_have_text(HOSTILE.title)
    expect(page.locator("#panel .article")).to_contain_text("${window.__xss=1} `x` [3] **bold** <b onmouseover")
    page.locator("#panel .article p").nth(1).hover()
    assert page.locator("#stage, #right").locator("img, script, svg, b, i").count() == 0
    assert page.evaluate("window.__xss") is None


def test_too_long_a_question_is_explained_and_kept(visit):
    page = visit.page
    visit.ask("x" * 2001)
    visit.answered()
    expect(page.locator(".failure")).to_contain_text("The question has 2,001 characters; Byline takes up to 2,000.")
    assert page.get_by_label("Your question").input_value() == "x" * 2001


def test_an_article_that_is_gone_is_said_to_be(visit, chatbot):
    page = visit.page
    visit.ask(PEAK_QUESTION)
    visit.answered()
    chatbot.removed.add("002")
    try:
        page.locator("#finished .chip").click()
        expect(page.locator("#panel .note")).to_have_text("This article is no longer at hand. It said:")
        expect(page.locator("#panel mark")).to_have_text(PEAK)
    finally:
        chatbot.removed.clear()


def test_a_question_asked_while_loading_is_answered_afterwards(browser):
    go = threading.Event()

    def load(progress):
        progress("loading the language model", 2, 5)
        assert go.wait(60)
        return ScriptedChatbot()

    with served(Warmup(load)) as server, opened(browser, server.url) as visit:
        expect(visit.page.locator(".pill")).to_have_text("Loading the language model, 40 %…")
        expect(visit.page.locator(".warming")).to_contain_text("You can ask already")
        visit.ask(PEAK_QUESTION)
        expect(visit.page.locator(".status")).to_have_text("Loading the language model, 40 %…")
        go.set()
        visit.answered()
        expect(visit.page.locator("mark.active")).to_have_text(PEAK)
        expect(visit.page.locator(".pill")).to_have_text("Ready · 4 articles")


def test_a_load_error_is_shown_with_the_command_that_helps(browser):
    def load(progress):
        raise ModelError("The generator is not here.", help="Run `byline models fetch`.")

    with served(Warmup(load)) as server, opened(browser, server.url) as visit:
        expect(visit.page.locator(".pill")).to_have_text("Error")
        expect(visit.page.locator(".welcome .failure")).to_contain_text("The generator is not here.")
        expect(visit.page.locator(".welcome .failure code")).to_have_text("byline models fetch")
        visit.ask(PEAK_QUESTION)
        expect(visit.page.locator(".turn.failed")).to_contain_text("Run byline models fetch.")


def test_a_closed_tab_stops_its_answer(browser, server, chatbot):
    before = len(chatbot.stopped)
    with opened(browser, server.url) as visit:
        visit.ready().ask(WORTH_QUESTION)
        visit.page.locator(".draft").wait_for()
    eventually(lambda: len(chatbot.stopped) > before)
    assert chatbot.stopped[before:] == [WORTH_QUESTION]


def test_a_large_article_opens_quickly(browser):
    paragraphs = [f"Paragraph {number} says something about nothing in particular." for number in range(6000)]
    quote = "Paragraph 5000 says something about nothing in particular."
    large = Article(id="large", path="large.txt", location="/large.txt", text="\n\n".join(paragraphs))
    assert len(large.text) > 300_000
    chatbot = ScriptedChatbot(extra=(large,))
    SCRIPTS["Large"] = Script((("It is large.", (("large", quote),)), ("And wide.", (("001", TMALL),))))
    try:
        with served(Warmup(lambda progress: chatbot)) as server, opened(browser, server.url) as visit:
            visit.ready().ask("Large")
            visit.answered()
            visit.page.locator("#finished .chip").nth(1).click()
            expect(visit.page.locator("mark.active")).to_have_text(TMALL)
            begin = time.monotonic()
            visit.page.locator("#finished .chip").nth(0).click()
            expect(visit.page.locator("mark.active")).to_have_text(quote)
            assert time.monotonic() - begin < 3
            expect(visit.page.locator("mark.active")).to_be_in_viewport()
    finally:
        del SCRIPTS["Large"]


CONTRAST = """() => {
  const parse = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
    .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const colour = parse(getComputedStyle(e).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const seen = {};
  for (const element of document.querySelectorAll("#top *, #columns *")) {
    const own = [...element.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || !element.checkVisibility() || element.closest("[aria-hidden=true], .sr-only, style")) continue;
    const [a, b] = [light(parse(getComputedStyle(element).color)), light(ground(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const name = element.tagName + "." + element.className;
    seen[name] = Math.min(seen[name] ?? 99, ratio);
  }
  return seen;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark_are_readable(browser, server, scheme):
    with opened(browser, server.url, scheme=scheme) as visit:
        page = visit.ready().page
        ratios = page.evaluate(CONTRAST)
        visit.ask(WORTH_QUESTION)
        page.locator(".draft").wait_for()
        ratios |= page.evaluate(CONTRAST)
        visit.answered(turns=1)
        visit.ask(CEO_QUESTION)
        visit.answered(turns=2)
        ratios |= page.evaluate(CONTRAST)
        page.locator(".chip").nth(1).click()
        expect(page.locator("mark.active")).to_have_text(NEARLY)
        page.locator(".drawer summary").click()
        ratios |= page.evaluate(CONTRAST)
        assert {name: ratio for name, ratio in ratios.items() if ratio < 4.5} == {}
        assert len(ratios) > 25
        paper = page.evaluate("getComputedStyle(document.querySelector('.gradio-container')).backgroundColor")
        assert paper == {"light": "rgb(251, 248, 242)", "dark": "rgb(22, 21, 19)"}[scheme]
        page.emulate_media(color_scheme="light" if scheme == "dark" else "dark")
        expect(page.locator("body")).to_have_class(re.compile("^$" if scheme == "dark" else "dark"))


@pytest.mark.parametrize("width", [360, 780, 820, 1360])
def test_no_width_needs_sideways_scrolling_or_two_scrollbars(browser, server, width):
    with opened(browser, server.url, width=width, height=800) as visit:
        page = visit.ready().page
        visit.ask(WORTH_QUESTION)
        visit.answered()
        assert page.evaluate("document.documentElement.scrollWidth") == width
        top = [page.locator(name).bounding_box() for name in (".wordmark", ".pill", "#add", "#clear")]
        assert all(one["x"] + one["width"] < other["x"] for one, other in pairwise(top))
        page.locator(".chip").nth(1).click()
        expect(page.locator("mark.active")).to_have_text(NEARLY)
        expect(page.locator("mark.active")).to_be_in_viewport()
        expect(page.get_by_role("button", name="Send")).to_be_in_viewport(ratio=1)
        nested = page.evaluate(
            """() => {
              const scrolls = (e) =>
                /auto|scroll/.test(getComputedStyle(e).overflowY) && e.scrollHeight > e.clientHeight;
              return [...document.querySelectorAll("#columns *")].filter(scrolls)
                .filter((e) => { for (let p = e.parentElement; p; p = p.parentElement) if (scrolls(p)) return true; })
                .map((e) => e.className);
            }"""
        )
        assert nested == []
        stacked = page.evaluate("document.getElementById('right').getBoundingClientRect().left < 1")
        assert stacked == (width <= 800)
        if stacked:
            page.get_by_role("button", name="Back to the answer").click()
            expect(page.locator("#finished .question")).to_be_in_viewport()


def test_hostile_titles_do_not_break_the_list_of_articles(browser):
    class Hostile(ScriptedChatbot):
        def articles(self):
            return (HOSTILE, replace(HOSTILE, id="<&>\"'", title=None))

        def article(self, article_id):
            return next(article for article in self.articles() if article.id == article_id)

    with served(Warmup(lambda progress: Hostile())) as server, opened(browser, server.url) as visit:
        visit.ready().page.locator("#panel .listed").nth(1).click()
        expect(visit.page.locator("#panel .path")).to_have_text(HOSTILE.path)
        expect(visit.page.locator("#panel .headline")).to_have_text("<img src=x onerror=window.__xss=1>.txt")
        assert visit.page.evaluate("window.__xss") is None
