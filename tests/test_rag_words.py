from rag.words import content_stems, search_stems


def test_stems_keep_what_carries_content():
    assert content_stems("How much did Alibaba’s sales exceed $4.5 billion in 2018?") == {
        "much", "alibaba", "sale", "exceed", "4.5", "billion", "2018",
    }  # fmt: skip
    assert content_stems("exceeding") == content_stems("exceeded")


def test_words_of_one_meaning_are_one_when_searching_and_not_when_checking():
    assert search_stems("at its peak") & search_stems("hit a record high")
    assert not search_stems("at its peak") & search_stems("near record lows")
    assert search_stems("Who bought it?") & search_stems("an acquisition")
    assert not content_stems("at its peak") & content_stems("hit a record high")
    assert not search_stems("rose") & search_stems("fell")
