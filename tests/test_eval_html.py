"""The report as one HTML file: its figures, its order, what is escaped, and that it needs nothing else."""

import base64
import hashlib
import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import eval_material as material
import pytest

from eval.asking import Row
from eval.html import html_report
from eval.html_questions import question_view, same_place
from eval.metrics.confidence import ReliabilityBin
from eval.outcomes import Outcome
from eval.plots import reliability_plot, risk_coverage_plot, time_plot
from eval.questions import EvidenceQuote, Question
from eval.results import question_row

HOSTILE = "</details></script><script>window.hacked = 1</script><img src=x onerror='hacked=1'>\"'&{{ 7 * 7 }}"


class Page(HTMLParser):
    """Elements as (tag, attributes), and the text of each table row and of each question's summary."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.rows: list[list[str]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        if tag in ("td", "th", "style", "script", "svg"):
            self._open.append(tag)

    def handle_endtag(self, tag):
        if self._open and self._open[-1] == tag:
            self._open.pop()

    def handle_data(self, data):
        inside = self._open[-1] if self._open else ""
        if inside in ("td", "th"):
            self.rows[-1][-1] += data.strip()
        if inside not in ("style", "script", "svg"):
            self.text += data


@pytest.fixture(scope="module")
def html() -> str:
    return html_report(material.report().to_dict())


@pytest.fixture(scope="module")
def page(html) -> Page:
    return Page(html)


def view(name: str, **changes) -> dict:
    """What the page shows of one of the small questions."""
    (row,) = [row for row in material.small_rows() if row["id"] == name]
    return question_view(row | changes, 1, passages_read=8)


def test_the_invented_rows_have_the_shape_of_real_ones():
    real = question_row(Row(Outcome(Question("1", "?"), None, ()), Outcome(Question("1", "?"), None, ())), "not judged")
    assert [list(row) for row in material.small_rows()] == [list(real)] * 11


def test_every_figure_stands_with_interval_and_n_beside_its_baselines(page):
    rows = {row[0]: row[2:] for row in page.rows if len(row) == 9}
    assert rows["metric"] == ["value", "", "95 % interval", "n", "always-refuse", "always-answer", "keyword-only"]
    assert rows["contained"] == ["0.812", "", "0.750–0.866", "6", "0.000", "0.600", "0.457"]
    assert rows["plain"] == ["0.900", "", "0.800–1.000", "5", "–", "–", "–"]
    assert rows["wrong_answers↓"] == ["0.250", "", "0.050–0.500", "8", "0.000", "0.625", "–"]
    assert rows["total_p50_s↓"] == ["4.00 s", "", "2.00–5.25", "9", "–", "–", "0.004 s"]
    assert rows["peak_memory_mb↓"] == ["3,211 MB", "", "", "1", "–", "–", "–"]


def test_intervals_are_drawn_to_scale(html):
    # contained: 0.75 to 0.866 of 1. total_p50_s: 2 to 5.25 seconds, of 5.25, which is the slowest.
    assert '<rect class="range" x="75.0%" y="1.5" width="11.6%" height="7"/><rect class="point" x="81.25%"' in html
    assert '<rect class="range" x="38.1%" y="1.5" width="61.9%" height="7"/><rect class="point" x="76.19%"' in html


def test_kinds_have_their_own_table(page):
    kinds = [row for row in page.rows if len(row) == 8]
    assert kinds == [
        ["kind", "asked", "contained", "", "95 % interval", "false_refusal↓", "refused_unanswerable", "wrong_answers↓"],
        ["number", "3", "0.333", "", "0.100–0.700", "0.333", "–", "0.333"],
        ["who", "2", "1.000", "", "", "–", "1.000", "0.000"],
        ["false-premise", "1", "–", "", "", "–", "0.000", "1.000"],
    ]


def test_the_top_says_what_was_measured_with_what(page):
    text = " ".join(page.text.split())
    assert (
        "Invented questions 11 questions over 3 articles, asked of small-talker on 25 November 2026, 10:00 UTC. "
        "In 6 of them something went wrong."
    ) in text
    assert "commit0123456789abcdef0123456789abcdef01234567+changes" in text
    assert "generatorsmall-talker sha256:aaaa1111" in text
    assert "passages_per_question8" in text
    assert "processorAbacus 9000" in text
    assert "1 of 11 questions have no accepted answers; those scores leave them out." in text


def test_the_worst_questions_come_first(page):
    listed = [attributes for tag, attributes in page.elements if tag == "details" and "data-stage" in attributes]
    assert [attributes["data-stage"] for attributes in listed] == [
        "should be refused", "answered wrong", "right, badly cited", "not retrieved", "retrieved, not chosen",
        "chosen, but refused", "not judged", "not judged", "right", "rightly refused", "right",
    ]  # fmt: skip
    # Numbered as they were asked, so that links stay good.
    assert [attributes["id"] for attributes in listed][:3] == ["question-8", "question-7", "question-3"]
    assert ["data-failed" in attributes for attributes in listed] == [True] * 6 + [False] * 5


def test_the_stages_are_drawn_one_behind_the_other():
    html = html_report(material.report(material.small_rows()[:2] * 2).to_dict())
    assert (
        '<rect class="stage-right" x="0.0%" width="50.0%" height="100%"/>'
        '<rect class="stage-rightly-refused" x="50.0%" width="50.0%" height="100%"/></svg>'
    ) in html


def test_hostile_texts_are_shown_and_never_interpreted():
    question = Question(HOSTILE, HOSTILE, ((HOSTILE,),), True, (EvidenceQuote(HOSTILE, HOSTILE),), (), HOSTILE, HOSTILE)
    citation = material.cite(1, HOSTILE)
    row = material.row(question, "answered wrong", material.answered(HOSTILE, citation), gold_ranks=[1],
                       gold_chosen=[True], keyword_reply=HOSTILE)  # fmt: skip
    row["history"] = [{"role": "user", "content": HOSTILE}]
    for item in (*row["answer"]["citations"], *row["answer"]["passages"]):
        item |= {"title": HOSTILE, "source": HOSTILE, "date": HOSTILE, "path": f"a/{HOSTILE}", "text": HOSTILE}
    report = material.report((row,), title=HOSTILE, notes=(HOSTILE,), kinds={HOSTILE: material.KINDS["who"]})
    html = html_report(report.to_dict())
    page = Page(html)
    plain = Page(html_report(material.report(report.questions[:0]).to_dict()))
    assert [tag for tag, _ in page.elements].count("script") == [tag for tag, _ in plain.elements].count("script") == 1
    assert "img" not in [tag for tag, _ in page.elements]
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    assert "<script>window" not in html
    # title twice, question, reply twice (in short and whole), history, two quotes, keyword reply, id, … as they are.
    assert page.text.count(HOSTILE) >= 12
    assert "49" not in page.text


def test_nothing_is_loaded_and_the_policy_allows_its_own_script_and_style_alone(html, page):
    assert re.findall(r"""(?:href|src|url\(|import)\W{0,3}(?:https?:)?//""", html) == []
    assert "http" not in html.replace("http-equiv", "")
    (policy,) = [attributes["content"] for tag, attributes in page.elements if "http-equiv" in attributes]
    hashes = {}
    for tag in ("style", "script"):
        (text,) = re.findall(f"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
        hashes[tag] = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    assert policy == (
        f"default-src 'none'; img-src data:; style-src 'sha256-{hashes['style']}'; "
        f"script-src 'sha256-{hashes['script']}'; base-uri 'none'; form-action 'none'"
    )
    # The policy would not let them work.
    assert not [attributes for _, attributes in page.elements if "style" in attributes]


def test_ids_are_unique_and_references_lead_somewhere(page):
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert sorted(ids) == sorted(set(ids))
    links = {attributes["href"] for _, attributes in page.elements if (attributes.get("href") or "").startswith("#")}
    assert {link.removeprefix("#") for link in links if link} <= set(ids)
    assert "#question-1-source-1" in links


def test_the_same_report_gives_the_same_page_in_another_process_and_after_being_saved(tmp_path, html):
    saved = tmp_path / "report.json"
    saved.write_text(json.dumps(material.report().to_dict()), encoding="utf-8")
    script = (
        "import sys, json, hashlib; from eval.html import html_report; "
        "page = html_report(json.load(open(sys.argv[1], encoding='utf-8'))); "
        "print(hashlib.sha256(page.encode()).hexdigest())"
    )
    run = subprocess.run(
        [sys.executable, "-c", script, str(saved)], capture_output=True, text=True, check=True,
        env=os.environ | {"PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo"}, cwd=Path(__file__).parent.parent,
    )  # fmt: skip
    assert run.stdout.strip() == hashlib.sha256(html.encode()).hexdigest()


def test_half_a_character_does_not_stop_the_page_from_being_written(tmp_path):
    row = material.small_rows()[0] | {"question": "What \ud83d now?"}
    html = html_report(material.report((row,)).to_dict())
    (tmp_path / "report.html").write_text(html, encoding="utf-8")
    assert "What \ufffd now?" in html


def test_a_report_of_nothing_and_one_without_answers_can_be_shown():
    empty = material.report((), metrics={}, baselines={}, kinds={}, notes=(), complete=False)
    html = html_report(empty.to_dict())
    assert "0 questions over 3 articles" in html
    assert "Interrupted: this is what was asked so far." in html
    search = html_report(material.report(material.small_rows()[9:10], baselines={}, kinds={}).to_dict())
    assert "evidence at rank 1" in search
    assert "<figure>" not in search


def test_a_reply_is_cut_where_its_citations_stand():
    answer = material.answered(
        "One. Two. Three.", material.cite(2, "b", ends=4), material.cite(1, "a", ends=4), material.cite(1, "a", ends=9)
    )
    row = material.row(Question("1", "?"), "not judged", answer)
    shown = question_view(row, 1, passages_read=8)
    assert shown["reply"] == [("One.", [1, 2]), (" Two.", [1]), (" Three.", [])]
    assert [item["number"] for item in shown["citations"]] == [1, 2]


def test_cited_sentences_say_whether_they_are_judged_evidence():
    assert [(item["quote"], item["judged"]) for item in view("q-right")["citations"]] == [
        ("Repairs cost 12 million euros, the mayor said.", True)
    ]
    assert [item["judged"] for item in view("q-badly-cited")["citations"]] == [False]
    # Nothing is judged: neither yes nor no.
    assert [item["judged"] for item in view("q-not-judged")["citations"]] == [None]
    assert view("q-right")["citations"][0]["where"] == "Coast Courier · 3 March 2021 · harbour.txt"
    # The same words in another article are no evidence.
    evidence = [{"article": "bakery.md", "quote": "Repairs cost 12 million euros, the mayor said.", "group": None}]
    assert [item["judged"] for item in view("q-right", evidence=evidence)["citations"]] == [False]


def test_evidence_says_its_rank_whether_it_was_read_and_where_it_is_cited():
    (right,) = view("q-right")["evidence"]
    assert (right["rank"], right["read"], right["cited"]) == (1, True, [1])
    (lost,) = view("q-not-retrieved")["evidence"]
    assert (lost["rank"], lost["read"], lost["cited"]) == (23, False, [])
    assert [item["judged"] for item in view("q-right")["passages"]] == [True, False, False]


def test_quotes_of_a_group_are_alternatives_in_the_order_of_their_ranks():
    quotes = [
        {"article": "harbour.txt", "quote": "a b", "group": "x"},
        {"article": "harbour.txt", "quote": "c d", "group": None},
        {"article": "harbour.txt", "quote": "e f", "group": "x"},
    ]
    found = view("q-right", evidence=quotes, gold_ranks=[4, None], gold_chosen=[True, False])["evidence"]
    assert [([one["quote"] for one in item["alternatives"]], item["rank"], item["read"]) for item in found] == [
        (["a b", "e f"], 4, True),
        (["c d"], None, False),
    ]


def test_evidence_that_is_not_in_the_articles_is_called_so():
    unfound = view("q-right", gold_ranks=None, gold_chosen=None)
    assert unfound["unfound"] is True
    row = material.small_rows()[0] | {"gold_ranks": None, "gold_chosen": None}
    html = html_report(material.report((row,)).to_dict())
    assert "Some of it is not in the articles, so it is not scored." in html
    assert "not found by the search" not in html


@pytest.mark.parametrize(
    ("quote", "other", "same"),
    [
        ("Fishing boats had waited.", "Fishing  boats\nhad waited.", True),
        ("six weeks", "Boats had waited for six weeks now.", True),
        ("six weeks", "Boats had waited for six weeks.", True),  # half of it, "six", in one piece
        ("one two three four", "x y three four five six", True),  # 2 of 4
        ("one two three four", "four five six seven", False),  # 1 of 4
        ("one two three four five", "x one two y z", False),  # 2 of 5
        ("one two three four", "one x two y", False),  # two words, but not in one piece
        ("art", "a party", False),  # words, not letters
        ("", "anything", False),
    ],
)
def test_texts_share_a_place_if_half_of_the_shorter_is_common(quote, other, same):
    assert same_place(quote, other) is same
    assert same_place(other, quote) is same


def uses(svg: str) -> list[tuple[float, float]]:
    """The places of the points of a plot: what refers to a circle (ticks are lines)."""
    circles = re.findall(r'<path id="([\w-]+)" d="M [^"]*C', svg)
    found = re.findall(r'<use href="#([\w-]+)" x="([\d.]+)" y="([\d.]+)"', svg)
    return [(float(x), float(y)) for name, x, y in found if name in circles]


def test_risk_and_coverage_are_drawn_to_scale():
    svg = risk_coverage_plot([(0.25, 0.0), (0.5, 0.2)], always_answer=0.4)

    # 342 × 237.6 points; axes from 13 % for 85 % of the width (44.46 to 335.16), x from -0.03 to 1.03;
    # from 16.5 % for 76.5 % of the height (y 198.396 to 16.632), y from -0.12 · 0.4 to 1.15 · 0.4.
    def place(x: float, y: float) -> tuple[float, float]:
        return 44.46 + 290.7 * (x + 0.03) / 1.06, 198.396 - 181.764 * (y + 0.048) / 0.508

    assert uses(svg) == [pytest.approx(place(0.5, 0.2), abs=1e-3), pytest.approx(place(1, 0.4), abs=1e-3)]
    assert ">this run<" in svg
    assert ">always answering<" in svg
    assert ">always answering<" not in risk_coverage_plot([(0.5, 0.2)])


def test_reliability_shows_each_bin_with_its_number():
    svg = reliability_plot([ReliabilityBin(0.1, 0.2, 0.15, 0.25, 4), ReliabilityBin(0.9, 1.0, 0.95, 1.0, 37)])
    assert [x for x, _ in uses(svg)] == pytest.approx(
        [44.46 + 290.7 * 0.18 / 1.06, 44.46 + 290.7 * 0.98 / 1.06], abs=1e-3
    )
    assert [">4<" in svg, ">37<" in svg, ">5<" in svg] == [True, True, False]


def test_times_name_only_the_curves_that_are_there():
    assert ">first token<" in time_plot([4.0, 2.0], [1.0])
    assert ">first token<" not in time_plot([4.0, 2.0], [])


@pytest.mark.parametrize(
    "svg",
    [reliability_plot([]), risk_coverage_plot([(0.5, 0.1)], always_answer=0.3), time_plot([1.0, 3.0], [0.5])],
)
def test_plots_take_colour_and_type_from_the_page(svg):
    assert svg.startswith('<svg viewBox="0 0 342 237.6" class="plot" aria-hidden="true">')
    assert re.findall("style=|<style|font-family|xmlns|metadata", svg) == []
    painted = set(re.findall(r'(?:fill|stroke)="([^"]+)"', svg))
    assert painted <= {"none", "currentColor", *(f"var(--{name})" for name in ("soft", "rule", "accent", "paper"))}
