"""Untrusted text on its way into HTML: articles, questions, replies, file names. Nothing of it may be
interpreted.
"""

import html

from index.neutral import neutral


def escape(text: str) -> str:
    """The text as HTML, for element content and quoted attributes alike."""
    return html.escape(neutral(text), quote=True)
