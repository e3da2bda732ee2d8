"""The SciFact loader, on invented claims and abstracts; the reading of tables with it."""

import gzip

import pytest

from eval.questions import EvidenceQuote, Question
from eval.suites import load_suite
from eval.suites.scifact import printed_texts
from index.errors import InputError

CORPUS = """doc_id,title,abstract,structured
7,Moss on slate roofs,"['Moss grows on slate.' 'It is green.'
 ""It doesn't harm the roof.""]",False
21,Bees and clover,"['AIM We counted bees. \\n'
 'RESULTS Bees prefer clover, ""as expected"".']",True
300,Tides,['The tide rises twice a day.'],False
"""
CLAIMS = """id,claim,evidence_doc_id,evidence_label,evidence_sentences,cited_doc_ids
4,Moss harms roofs.,7,CONTRADICT,[2],[7]
4,Moss harms roofs.,7,CONTRADICT,[0],[7]
5,Bees avoid clover near the sea.,,,[],[ 21 300]
"""


def write_set(folder, *, claims=CLAIMS, corpus=CORPUS, half="train"):
    (folder / f"claims_{half}.csv").write_text(claims, encoding="utf-8")
    (folder / f"corpus_{half}.csv.gz").write_bytes(gzip.compress(corpus.encode()))
    return folder


def test_abstracts_are_articles_with_their_sections_as_paragraphs(tmp_path):
    suite = load_suite("scifact", write_set(tmp_path))
    assert [(article.title, article.text) for article in suite.articles] == [
        ("Moss on slate roofs", "Moss grows on slate. It is green. It doesn't harm the roof."),
        ("Bees and clover", 'AIM We counted bees.\n\nRESULTS Bees prefer clover, "as expected".'),
        ("Tides", "The tide rises twice a day."),
    ]
    assert [article.name.rpartition("-")[0] for article in suite.articles] == [
        "moss-on-slate-roofs",
        "bees-and-clover",
        "tides",
    ]


def test_a_claim_of_several_rows_is_one_search_and_every_cited_abstract_is_relevant(tmp_path):
    suite = load_suite("scifact", write_set(tmp_path))
    moss, bees, tides = (article.file for article in suite.articles)
    assert suite.questions == (
        Question("4", "Moss harms roofs.", evidence=(EvidenceQuote(moss),), kind="contradict", task="search"),
        Question(
            "5",
            "Bees avoid clover near the sea.",
            evidence=(EvidenceQuote(bees), EvidenceQuote(tides)),
            kind="neutral",
            task="search",
        ),
    )
    assert suite.metrics[:2] == ("ndcg@10", "recall@10")
    assert dict(suite.settings) == {}


def test_another_half_loads_from_below_a_folder_of_several_sets(tmp_path):
    half = tmp_path / "scifact_half"
    half.mkdir()
    write_set(half, half="held_out")
    (tmp_path / "claims_of_another_set.csv").write_text("claim,label\nx,1\n")
    suite = load_suite("scifact", tmp_path)
    assert [question.id for question in suite.questions] == ["4", "5"]
    assert suite == load_suite("scifact", half)


@pytest.mark.parametrize(
    ("printed", "texts"),
    [
        ("['One.' 'Two.'\n 'Three.']", ("One.", "Two.", "Three.")),
        ('["It\'s one."]', ("It's one.",)),
        (r"['It\'s \"one\".' 'Caf\xe9 \\ bar']", ('It\'s "one".', "Café \\ bar")),
        ("['A [1] list, said ''.' 'b']", ("A [1] list, said ", ".", "b")),
        ("[]", ()),
    ],
)
def test_every_literal_of_a_printed_array_is_an_element(printed, texts):
    assert printed_texts(printed) == texts


def test_a_claim_that_cites_an_unknown_abstract_is_an_error_that_names_both(tmp_path):
    write_set(tmp_path, claims=CLAIMS + "6,Tides are slow.,,,[],[300 999]\n")
    with pytest.raises(InputError, match=r"claims_train\.csv, row 4: it cites the abstract 999"):
        load_suite("scifact", tmp_path)


def test_an_abstract_that_is_not_a_printed_array_is_an_error_that_names_its_row(tmp_path):
    write_set(tmp_path, corpus=CORPUS + "301,Fog,Fog is wet.,False\n")
    with pytest.raises(InputError, match=r"corpus_train\.csv\.gz, row 4: the field 'abstract' is not a printed array"):
        load_suite("scifact", tmp_path)


def test_wrong_and_damaged_files_are_errors_that_name_the_file(tmp_path):
    with pytest.raises(InputError, match=r"no file corpus_\*\.csv\*"):
        load_suite("scifact", tmp_path)
    write_set(tmp_path, claims="id,claim\n4,Moss harms roofs.\n")
    with pytest.raises(InputError, match=r"has the fields id, claim, cited_doc_ids: claims_train\.csv\."):
        load_suite("scifact", tmp_path)
    write_set(tmp_path, claims=CLAIMS + "8,A row that ends early\n")
    with pytest.raises(InputError, match=r"claims_train\.csv, row 4: it has more or fewer fields"):
        load_suite("scifact", tmp_path)
    whole = (tmp_path / "corpus_train.csv.gz").read_bytes()
    (tmp_path / "corpus_train.csv.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"corpus_train\.csv\.gz cannot be read"):
        load_suite("scifact", tmp_path)
