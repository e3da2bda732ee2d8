import pytest

from rag.repetition import only_repeats


@pytest.mark.parametrize(
    ("claim", "question", "repeats"),
    [
        ("Alipay is behind Alipay.", "Which company is behind Alipay?", True),
        ("Ant Group is behind Alipay.", "Which company is behind Alipay?", False),
        ("Alipay", "Which company is behind Alipay?", True),
        ("Alibaba", "Which is larger, Alibaba or Amazon?", False),
        ("Alibaba", "Which of Alibaba and Amazon is larger?", False),
        ("Alibaba is profitable.", "Is Alibaba profitable?", False),
        ("Snapdeal's CEO is the CEO of Indian e-commerce company Snapdeal.", "Who is the CEO of Snapdeal?", True),
        ("Snapdeal's CEO is Ann Lee of Snapdeal.", "Who is the CEO of Snapdeal?", False),
        ("The Snapdeal app is an Indian shop of Snapdeal's for an app.", "What is the Snapdeal app?", False),
        ("The Snapdeal app works.", "What is the Snapdeal app?", False),
        ("The plan is the plan of a CEO.", "Who is the CEO of Snapdeal?", False),
        ("It grew 5% in 2018.", "How much did it grow in 2018?", False),
    ],
)
def test_an_answer_must_say_more_than_the_question(claim, question, repeats):
    assert only_repeats(claim, question) is repeats
