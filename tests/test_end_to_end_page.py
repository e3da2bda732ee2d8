"""The page with the real default model, in a real browser: ask, be answered, click, be refused."""

import json
from urllib.request import Request, urlopen

import pytest
from browser import chromium, opened, served
from playwright.sync_api import expect

from index.paths import Home
from rag import load_settings, open_chatbot
from ui.warmup import Warmup

pytestmark = [pytest.mark.model, pytest.mark.browser, pytest.mark.timeout(1200)]

QUESTION = "How much did products from Xinjiang generate in sales on Tmall?"
SENTENCE = "Products from Xinjiang generated $212 million in sales on Tmall, up 68.7% from last year."
COST = "The repairs of the harbour cost 12 million euros, said the mayor, Rita Sol, who cut a ribbon at its gate."
HARBOUR = f"""<title>Porto Claro: harbour reopens</title><h1>Porto Claro: harbour reopens</h1>
<p>Fishers complained about the noise of the machines, which had worked through the nights of the last fortnight.</p>
<p style="break-before: page">The harbour of Porto Claro reopened on Monday after six weeks. {COST} Boats had waited
outside for all that time.</p>"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    root = tmp_path_factory.mktemp("home")
    (root / "models").symlink_to(Home.from_environment().models)
    home = Home(root)
    settings = load_settings(home, environment={})

    def load(progress):
        chatbot = open_chatbot(settings, home=home, progress=progress, load=True)
        chatbot.read_ahead()  # as `byline chat` does
        return chatbot

    with served(Warmup(load)) as running:
        yield running


def test_a_question_a_click_and_a_refusal(server):
    with chromium() as browser, opened(browser, server.url) as visit:
        page = visit.ready().page
        assert page.locator(".example").count() >= 3
        visit.ask(QUESTION)
        visit.answered(timeout_s=240)
        expect(page.locator("#finished .turn .answer")).to_contain_text("$212 million")
        page.locator("#finished .chip").first.click()
        expect(page.locator("mark.active").first).to_have_text(SENTENCE)
        visit.ask("Who is the CEO of Snapdeal?")
        visit.answered(turns=2, timeout_s=240)
        expect(page.locator(".refusal .label")).to_have_text("Not in the articles")
        # The first turn's chip still opens its sentence.
        page.locator("#finished .turn").first.locator(".chip").first.click()
        expect(page.locator("mark.active").first).to_have_text(SENTENCE)


def test_a_pdf_is_dropped_and_asked(server, tmp_path):
    """A page printed by the browser itself: what people have."""
    with chromium() as browser, opened(browser, server.url) as visit:
        printed = browser.new_page()
        printed.set_content(HARBOUR)
        printed.pdf(path=tmp_path / "harbour.pdf", display_header_footer=True)
        printed.close()
        page = visit.ready().page
        visit.add(tmp_path / "harbour.pdf")
        expect(page.locator("#panel .news").first).to_have_text("Added: harbour.pdf")
        expect(page.locator(".pill")).to_have_text("Ready · 5 articles")
        visit.ask("How much did the repairs of the harbour of Porto Claro cost?")
        visit.answered(timeout_s=240)
        expect(page.locator("#finished .turn .answer")).to_contain_text("12 million euros")
        expect(page.locator("#finished .footnote .where").first).to_contain_text("page 2")
        page.locator("#finished .chip").first.click()
        expect(page.locator("mark.active").first).to_have_text(COST)
        page.locator("#clear").click()
        page.locator("#panel .listed", has_text="Porto Claro").click()
        page.locator("#panel [data-remove]").dblclick()
        expect(page.locator(".pill")).to_have_text("Ready · 4 articles")
        visit.ask("How much did the repairs of the harbour of Porto Claro cost?")
        visit.answered(timeout_s=240)
        expect(page.locator(".refusal .label")).to_have_text("Not in the articles")


def test_http_gives_the_same_json(server):
    request = Request(
        f"{server.url}/api/ask",
        data=json.dumps({"question": QUESTION}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urlopen(request, timeout=240) as response:
        value = json.loads(response.read())
    assert value["abstained"] is False
    assert [citation["quote"] for citation in value["citations"]] == [SENTENCE]
    assert set(value["timings"]) == {"search_s", "first_token_s", "total_s"}
