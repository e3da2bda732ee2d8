import pytest

from rag.agreement import agreement


@pytest.mark.parametrize(
    ("question", "answer", "reading", "share"),
    [
        ("Who is behind Alipay?", "Alipay is behind Alibaba.", "Ant Group", 0.0),
        ("Who is behind Alipay?", "Ant Group is behind Alipay.", "Ant Group", 1.0),
        ("And of Alibaba itself?", "Jack Ma retains a 46 percent stake in Alibaba.", "7.8%", 0.0),
        # However the number is written.
        ("How many malls did it open?", "It opened three malls.", "3", 1.0),
        ("How many malls did it open?", "It opened 3 malls.", "Three", 1.0),
        ("How big was it?", "It was worth almost $476 billion.", "$476bn", 1.0),
        # Half of what was read.
        ("Who signed it?", "Both Siemens and Daimler signed it.", "The firms Siemens and Bosch", 0.5),
        ("Which city hosted the summit?", "It was held in China.", "Tokyo", 0.0),
        ("Which city hosted the summit?", "It was held in Hangzhou.", "Hangzhou", 1.0),
        # Other words than names and numbers tell less.
        ("Why was it cancelled?", "Because of the weather.", "bad weather in the north", 0.5),
        ("Why was it cancelled?", "Because of bad weather.", "bad weather", 1.0),
        ("How is it?", "It is the largest.", "the smallest of all", 0.5),
        # Nothing beyond the question, or only a verdict, tells nothing.
        ("Who is behind Alipay?", "Ant Group is.", "Alipay", 1.0),
        ("Is it growing?", "It is growing.", "Yes", 1.0),
        ("Who?", "Ant Group.", "", 1.0),
    ],
)
def test_the_share_of_what_is_read_that_the_answer_says(question, answer, reading, share):
    assert agreement(answer, reading, question=question) == pytest.approx(share)
