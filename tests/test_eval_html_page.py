"""The HTML report in a real Chromium, opened as a file: filters, order, links, keyboard, size, what it may do."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import eval_material as material
import pytest
from browser import chromium
from playwright.sync_api import Browser, Page, expect

from eval.html import html_report
from eval.results import Report

pytestmark = [
    pytest.mark.browser,
]

WORST_FIRST = [
    "What did the new boats cost?",
    "How long had the boats waited?",
    "Who won the bread prize?",
    "When do trains run?",
    "How fast are the trains?",
    "And what did they cost?",
    "Tell me about the bakery.",
    "The line will cost 46 billion euros.",
    "What did the repairs cost?",
    "Who is the mayor's wife?",
    "railway line between Linz and Passau",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@contextmanager
def opened(
    browser: Browser, report: Report, folder: Path, *, width: int = 1280, scheme: str = "light"
) -> Iterator[Page]:
    """The report in a tab of its own; errors in the console and requests for anything but the file fail at the end."""
    file = folder / "report.html"
    file.write_text(html_report(report.to_dict()), encoding="utf-8")
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 850})
    context.set_default_timeout(20_000)
    page = context.new_page()
    errors: list[str] = []
    requests: list[str] = []
    page.on("console", lambda said: errors.append(said.text))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    try:
        page.goto(file.as_uri())
        yield page
    finally:
        context.close()
    assert errors == []
    assert {request.partition("#")[0] for request in requests} - {"data:,"} == {file.as_uri()}


@pytest.fixture
def page(browser: Browser, tmp_path: Path) -> Iterator[Page]:
    with opened(browser, material.report(), tmp_path) as page:
        yield page


def shown(page: Page) -> list[str]:
    """The questions that can be seen, in order."""
    return page.locator(".q:not([hidden]) > summary .asked").all_inner_texts()


def test_the_worst_questions_are_listed_first_and_all_are_shown(page):
    assert shown(page) == WORST_FIRST
    expect(page.locator("#shown")).to_have_text("11 of 11 shown")
    expect(page.locator("#none")).to_be_hidden()


def test_filters_of_stage_kind_and_part_narrow_the_list(page):
    page.get_by_label("Stage").select_option("went wrong")
    assert shown(page) == WORST_FIRST[:6]
    page.get_by_label("Kind").select_option("number")
    assert shown(page) == ["How long had the boats waited?", "How fast are the trains?"]
    page.get_by_label("Stage").select_option("answered wrong")
    expect(page.locator("#shown")).to_have_text("1 of 11 shown")
    page.get_by_label("Part").select_option("conversation")
    assert shown(page) == []
    expect(page.locator("#none")).to_be_visible()
    page.get_by_role("button", name="Reset").click()
    expect(page.locator("#shown")).to_have_text("11 of 11 shown")
    assert shown(page) == WORST_FIRST


def test_free_text_finds_questions_replies_history_sources_and_ids(page):
    box = page.get_by_label("Search")
    for text, found in {
        "TRAINS": ["When do trains run?", "How fast are the trains?"],
        "olga prize": ["Who won the bread prize?", "Tell me about the bakery."],
        "since monday": ["How long had the boats waited?"],
        "was the harbour repaired": ["And what did they cost?"],
        "q-support": ["The line will cost 46 billion euros."],
        "rye loaf": ["Who won the bread prize?"],  # in the cited sentence; in passages it does not count
    }.items():
        box.fill(text)
        assert shown(page) == found, text


def test_a_stage_of_the_overview_filters_and_leads_to_the_questions(page):
    button = page.get_by_role("button", name="not judged")
    button.click()
    assert shown(page) == ["Tell me about the bakery.", "The line will cost 46 billion euros."]
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#questions h2")).to_be_in_viewport()
    assert page.get_by_label("Stage").input_value() == "not judged"
    button.click()
    expect(button).to_have_attribute("aria-pressed", "false")
    assert shown(page) == WORST_FIRST


def test_the_order_can_be_changed(page):
    order = page.get_by_label("Order")
    order.select_option("as asked")
    assert shown(page)[:3] == ["What did the repairs cost?", "Who is the mayor's wife?", "Who won the bread prize?"]
    order.select_option("slowest first")
    assert shown(page)[0] == "What did the repairs cost?"  # 5.25 s
    order.select_option("most confident first")
    assert shown(page)[:2] == ["Tell me about the bakery.", "What did the repairs cost?"]  # 0.99, 0.95
    order.select_option("worst first")
    assert shown(page) == WORST_FIRST


def test_a_question_opens_by_keyboard_and_tells_all(page):
    summary = page.locator(".q > summary").nth(1)
    summary.focus()
    page.keyboard.press("Enter")
    body = page.locator(".q").nth(1).locator(".body")
    expect(body).to_be_visible()
    expect(body.locator(".why")).to_contain_text(
        "The model read the evidence, yet the reply states no accepted answer."
    )
    expect(body.locator(".reply")).to_have_text("The boats had waited since Monday.1")
    expect(body.locator(".sources .quote")).to_have_text("The harbour of Porto Claro reopened on Monday.")
    expect(body.locator(".sources .no")).to_have_text("not among the judged evidence")
    expect(body.locator(".aside")).to_contain_text("six weeks / 6 weeks")
    expect(body.locator(".aside")).to_contain_text("rank 1 of the search · read by the model")
    expect(body.locator(".passages")).to_be_hidden()
    body.get_by_text("3 passages found").click()
    expect(body.locator(".passages li")).to_have_count(3)
    expect(body.locator(".passages .text").first).to_have_text(material.TEXTS["harbour.txt"])


def test_all_that_is_shown_opens_and_closes_at_once(page):
    page.get_by_label("Kind").select_option("who")
    page.get_by_role("button", name="Open or close all").click()
    assert page.locator(".q[open] > summary .asked").all_inner_texts() == [
        "Who won the bread prize?",
        "Who is the mayor's wife?",
    ]
    page.get_by_role("button", name="Open or close all").click()
    expect(page.locator(".q[open]")).to_have_count(0)


def test_a_link_to_a_question_or_to_a_source_of_it_opens_it(browser, tmp_path, page):
    page.evaluate("location.hash = '#question-7-source-1'")
    expect(page.locator("#question-7 .sources li")).to_be_in_viewport()
    expect(page.locator(".q[open]")).to_have_count(1)
    page.goto((tmp_path / "report.html").as_uri() + "#question-10")
    page.reload()
    expect(page.locator("#question-10 .aside").get_by_text("q-search")).to_be_in_viewport()


def test_a_hostile_reply_runs_nothing(browser, tmp_path):
    hostile = "</p></details><img src=x onerror='window.hacked=1'><script>window.hacked=1</script>"
    row = material.small_rows()[6] | {"question": hostile, "id": hostile, "kind": hostile}
    row["answer"] |= {"text": hostile, "citations": []}
    with opened(browser, material.report((row,), title=hostile), tmp_path) as page:
        page.locator(".q > summary").click()
        expect(page.locator("h1")).to_have_text(hostile)
        expect(page.locator(".reply")).to_contain_text(hostile)
        assert page.locator("img").count() == 0
        assert page.evaluate("window.hacked") is None


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 800, 390])
def test_nothing_is_wider_than_the_screen_with_everything_open(browser, tmp_path, width, scheme):
    report = material.varied_report(12)
    (row, *others) = report.questions
    unbroken = "Donaudampfschiffahrt" * 12
    row = row | {"question": unbroken, "id": unbroken, "kind": unbroken, "keyword_reply": unbroken}
    with opened(
        browser, material.report((row, *others), title=unbroken, metrics=report.metrics, baselines=report.baselines),
        tmp_path, width=width, scheme=scheme,
    ) as page:  # fmt: skip
        page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        assert page.evaluate("document.documentElement.scrollWidth") == width
        page.screenshot(path=tmp_path / f"report-{width}-{scheme}.png", full_page=True)
        paper = {"light": "rgb(251, 248, 242)", "dark": "rgb(22, 21, 19)"}[scheme]
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == paper
        # Plots take their colours from the page.
        ink = page.evaluate("getComputedStyle(document.querySelector('.plot text')).fill")
        assert ink == {"light": "rgb(93, 87, 77)", "dark": "rgb(172, 164, 150)"}[scheme]


def test_paper_gets_the_questions_without_the_controls(page, tmp_path):
    page.emulate_media(media="print")
    expect(page.locator("#filters")).to_be_hidden()
    expect(page.locator(".q > summary").first).to_be_visible()
    page.pdf(path=tmp_path / "report.pdf", format="A4")


def test_five_hundred_questions_are_filtered_at_once(browser, tmp_path):
    with opened(browser, material.varied_report(500), tmp_path) as page:
        expect(page.locator("#shown")).to_have_text("500 of 500 shown")
        started = time.monotonic()
        page.get_by_label("Search").fill("town-042")
        expect(page.locator("#shown")).to_have_text("1 of 500 shown")
        page.get_by_label("Order").select_option("slowest first")
        page.get_by_label("Search").fill("")
        expect(page.locator("#shown")).to_have_text("500 of 500 shown")
        assert time.monotonic() - started < 5  # a fifth of a second on an idle machine; tests share theirs
