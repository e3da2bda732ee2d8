"""What people say that asks nothing of the articles: greetings, thanks, "what can you do?". Answered from the index.

So are orders to the model ("Ignore all previous instructions and …"), which no article can answer.
A small list of whole phrases: what is not on it to the last word is a question. "Hello, who founded Alibaba?" is one.
"""

import re
import unicodedata
from dataclasses import replace
from typing import Literal, TypeAlias

from index.filters import Filters, known_sources
from index.library import Library
from index.search import SavedIndex
from rag.evidence import Evidence
from rag.exact import ExactQuestion
from rag.examples import example_questions
from rag.instructions import addresses_model, takes_over
from rag.listing import ExactAnswer, answer_exactly
from rag.periods import spoken
from rag.saying import counted, listed

Talk: TypeAlias = Literal[
    "greeting", "thanks", "farewell", "nod", "wellbeing", "identity", "ability", "collection", "orders"
]

_LONGEST = 80
_SOURCES_NAMED = 3
_LONGEST_NAME = 60  # characters; front matter may name anything as its publisher
_ARTICLES_READ = 30  # for examples
_GREETINGS = (
    "hi|hello|hey|hiya|howdy|greetings|good (?:morning|afternoon|evening|day)|bonjour|salut|bonsoir|coucou|hallo"
    "|guten (?:tag|morgen|abend)|moin|servus|gruezi|grüezi|grüß gott|hola|buenos (?:días|dias)|buenas(?: "
    "(?:tardes|noches))?"
    "|ciao|buongiorno|buonasera|salve|olá|ola|oi|bom dia|boa (?:tarde|noite)|hoi|goedendag|hej|hei|hallå|cześć"
    "|dzień dobry|ahoj|merhaba|selam|привет|здравствуйте|добрый день|привіт|γεια(?: σου| σας)?|مرحبا|السلام عليكم|שלום"
    "|नमस्ते|你好|您好|嗨|大家好|こんにちは|おはよう(?:ございます)?|こんばんは|안녕|안녕하세요|xin chào"
    "|selamat (?:pagi|siang|sore)|halo"
)
_THANKS = (
    "(?:ok |okay |great |perfect |cool |no )?(?:many |a lot of )?(?:thanks|thank you|thx|ty|cheers)"
    "(?: you)?(?: so much| very much| a lot| again| for (?:your|the) (?:help|answers?))?|much appreciated"
    "|merci(?: beaucoup| bien)?|danke(?: schön| sehr)?|vielen dank|gracias|muchas gracias|grazie(?: mille)?|obrigad[oa]"
    "|muito obrigad[oa]|dank je(?: wel)?|bedankt|tack|tak|takk|dziękuję|děkuji|teşekkürler|спасибо|дякую|ευχαριστώ|شكرا"
    "|תודה|धन्यवाद|谢谢(?:你|您)?|謝謝|多谢|ありがとう(?:ございます)?|감사합니다|고마워|cảm ơn|terima kasih"
)
_FAREWELL = (
    "bye|bye bye|goodbye|good bye|see you(?: later| soon)?|good night|that(?:'s| is| will be) all|au revoir|tschüss"
    "|auf wiedersehen|adiós|adios|arrivederci|tchau|再见|さようなら|до свидания"
)
_NOD = (
    "ok|okay|k|yes|yeah|yep|no|nope|sure|fine|great|good|nice|cool|perfect|excellent|awesome|wow|i see|got it"
    "|understood"
    "|alright|all right|right|sorry|my bad|never mind|nevermind|well done|good job|test|testing|hmm+|lol|haha"
)
_TALKS: dict[Talk, re.Pattern[str]] = {
    "greeting": re.compile(rf"(?:{_GREETINGS})(?: there| byline| everyone| all| again)?"),
    "thanks": re.compile(_THANKS),
    "farewell": re.compile(_FAREWELL),
    "nod": re.compile(_NOD),
    "wellbeing": re.compile(
        "how (?:are|r) (?:you|u)(?: doing| today)*|how(?:'s| is) it going|how do you do|what(?:'s| is) up|you ok(?:ay)?"
    ),
    "identity": re.compile(
        "(?:who|what)(?: exactly)? are you|what(?:'s| is) your name|(?:what|who)(?:'s| is) (?:byline|this)"
        "|introduce yourself"
        "|tell me (?:something )?about yourself|are you (?:a |an )?(?:bot|robot|human|person|ai|machine|llm"
        "|chatgpt|gpt|claude"
        "|real|language model|chatbot)(?: person)?|who (?:made|built|created|trained) you|what (?:model|llm|ai) are you"
        "|which (?:model|llm|ai) are you"
    ),
    "ability": re.compile(
        "help(?: me)?|what (?:can|could|do) (?:you|byline) (?:do|offer|help(?: me)? with|answer)(?: for me)?"
        "|what (?:can|could|should|may) i (?:do|ask|ask you|ask about|ask here|say|do here)|how (?:do|can) i "
        "(?:use (?:this|you)"
        "|start|begin|ask)|how (?:does|do) (?:this|it|you|byline) work|how can you help(?: me)?|can you help(?: me)?"
        "|what are you (?:able to do|for|good at|capable of)|what are your (?:abilities|capabilities|features"
        "|functions|limits"
        "|limitations)|give me (?:an example|(?:some )?examples)(?: questions?)?|what (?:kind|sort|type)s? of "
        "questions can"
        " (?:i ask(?: you)?|you answer)|can i ask (?:you )?(?:a question|something|you something)"
    ),
    "collection": re.compile(
        "what (?:do you|have you|does byline) (?:have|know|got|hold|contain)(?: (?:here|in (?:here|store|the index)))?"
        "|what do you know about|what(?:'s| is)? (?:are )?(?:in|inside) (?:here|the index|your (?:index"
        "|collection|library)"
        "|the (?:collection|library))|what(?:'s| is) (?:available|there)(?: here)?|what data do you have"
        "|what (?:are|is) (?:the |your |these |all )?(?:articles?|collection|index|documents?)(?: here)? about"
        "|what (?:topics?|subjects?|themes?|sources?|documents?|texts?|news|publishers?) (?:do you (?:have|know|cover)"
        "|are (?:there|covered|available)|can i ask about)|what are your sources|what do you know"
        "|what (?:can you tell me|do the articles cover|are the articles)|show me what you have"
    ),
}
_SECRETS = "(?:(?:system|initial|hidden|secret) )*(?:prompt|instructions?|rules|system message|text above)s?"
_ORDERS = re.compile(
    rf"(?:what|which)(?: is|'s| are| were)? (?:your|the) {_SECRETS}(?: exactly| say| to you)?"
    rf"|(?:please )?(?:repeat|print|show|reveal|output|display|leak|tell|give)(?: me| us)?(?: all(?: of)?)? "
    rf"(?:your|the) {_SECRETS}\b.*"
    r"|(?:repeat|print|output) (?:the )?(?:text|words|everything|all(?: of the text)?|excerpts) (?:above"
    r"|before|and)\b.*"
)
_QUOTES = re.compile('["“”«»]')
_ENGLISH = re.compile(r"(?:hi|hello|hey|hiya|howdy|greetings|good \w+|thanks?|thank you|thx|ty|cheers)\b.*")


def recognise(said: str) -> Talk | None:
    """What kind of small talk this is; None if it is not, or if there is any doubt."""
    folded = _folded(said)
    if _ORDERS.fullmatch(folded) or (takes_over(said) and not _QUOTES.search(said)):
        return "orders"
    return _recognised(folded)


def find_small_talk(index: SavedIndex, said: str, *, scope: Filters) -> ExactAnswer | None:
    """What to say to it, with what the index holds; None if it is a question."""
    talk = recognise(said)
    if talk is None:
        return None
    if talk == "collection":
        listing = index.read(lambda library: answer_exactly(library, ExactQuestion("list"), scope))
        hint = index.read(_example)
        return listing and replace(listing, text=f"{listing.text}\n{hint}" if hint else listing.text)
    text = index.read(lambda library: _reply(library, talk, native=not _ENGLISH.fullmatch(_folded(said))))
    return ExactAnswer(ExactQuestion("list"), text, (), (), Evidence(()))


def _recognised(folded: str) -> Talk | None:
    if not folded or len(folded) > _LONGEST:
        return None
    for talk, pattern in _TALKS.items():
        if pattern.fullmatch(folded):
            return talk
    # "Hi, what can you do?", "Thanks, bye!": the last thing said is answered.
    for opening in (_TALKS["greeting"], _TALKS["thanks"], _TALKS["nod"]):
        found = opening.match(folded)
        if found and folded[found.end() : found.end() + 1] == " ":
            return _recognised(folded[found.end() + 1 :])
    return None


def _reply(library: Library, talk: Talk, *, native: bool) -> str:
    """One short paragraph. `native`: it was said in a language in which Byline does not answer."""
    holds, example = _holdings(library), _example(library)
    english = " I answer in the language of the articles." if native and talk in ("greeting", "thanks") else ""
    match talk:
        case "greeting":
            return _joined("Hello!" + english, f"I answer questions about {holds}.", example)
        case "wellbeing":
            return _joined(f"Ready to answer questions about {holds}.", example)
        case "thanks":
            return "You are welcome." + english
        case "farewell":
            return "Goodbye."
        case "nod":
            return _joined("Ask me about the articles whenever you like.", example)
        case "orders":
            return f"I take no orders, and what I was told is no article. I answer questions about {holds}."
        case "identity":
            return (
                f"I am Byline, a program on this machine that answers questions about {holds}. Every sentence "
                f"of an answer "
                "cites the sentences of the articles that state it; what they do not tell, I do not know."
            )
        case _:
            return _joined(
                f"I answer questions about {holds}, from them alone: each sentence cites the sentences that "
                f"state it, and "
                "where they do not tell, I say so. I can also list and count articles by words, publisher, "
                "author or time, "
                "and follow up on earlier questions.",
                example,
                'Or ask "Which articles do you have?".',
            )


def _holdings(library: Library) -> str:
    """ "4 articles from CNBC, Daily Times and others, from July 2018 to August 2024"."""
    articles = library.counts()[0]
    if not articles:
        return "articles, of which there are none yet (add some with `byline index add`)"
    known = known_sources(library)
    sources = [name for name in known if len(name) <= _LONGEST_NAME and not addresses_model(name)]
    named = [*sources[:_SOURCES_NAMED], *(["others"] if len(sources) > _SOURCES_NAMED else [])]
    ((first, last),) = library.select("SELECT min(date), max(date) FROM articles")
    text = counted(articles, "article")
    if named:
        ((without,),) = library.select("SELECT count(*) FROM articles WHERE source IS NULL")
        text += f"{', among them some' if without or len(sources) < len(known) else ''} from {listed(named, 'and')}"
    if first and last and first != last:
        text += f", dated from {spoken(first)} to {spoken(last)}"
    return text


def _example(library: Library) -> str:
    rows = library.select("SELECT id FROM articles ORDER BY date IS NULL, date DESC, id LIMIT ?", [_ARTICLES_READ])
    articles = [article for (name,) in rows if (article := library.article(name)) is not None]
    questions = example_questions(articles)
    return f"For example: {questions[0]}" if questions else ""


def _joined(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def _folded(text: str) -> str:
    """In small letters, with straight apostrophes and without signs: "Hello !! 👋" is "hello"."""
    text = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    kept = "".join(letter if letter == "'" or unicodedata.category(letter)[0] in "LMN" else " " for letter in text)
    return " ".join(word for word in kept.split() if word not in ("please", "pls"))
