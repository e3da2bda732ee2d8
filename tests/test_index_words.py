import sys
import threading

from index.words import stem, words_of

WORDS = [f"{beginning}{ending}" for beginning in ("hope", "nation", "general", "real", "rotten") for ending in (
    "fulness", "alization", "ically", "iveness", "ings", "ed", "ousness", "ability", "ement", "ational",
)]  # fmt: skip


def test_words_are_stemmed_and_common_ones_dropped():
    assert words_of("The company’s profits exceeded $4.5 billion") == ["compani", "profit", "exceed", "4.5", "billion"]


def test_several_threads_get_the_stems_of_their_own_words():
    """Twenty people asked at once, and the one stemmer that all share raised an IndexError, or gave a wrong stem, which
    was then remembered."""
    alone = [stem.__wrapped__(word) for word in WORDS]
    wrong, interval = [], sys.getswitchinterval()

    def look() -> None:
        try:
            for word, expected in zip(WORDS * 20, alone * 20, strict=True):
                if (found := stem.__wrapped__(word)) != expected:
                    wrong.append((word, found))
        except IndexError as error:
            wrong.append(error)

    threads = [threading.Thread(target=look) for _ in range(8)]
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert wrong == []
