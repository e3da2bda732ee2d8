"""Articles, passages, vectors, the saved index, and the weights that both stages need.

The names below are imported when they are first used, so that `import index` stays cheap.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from index.build import Changes as Changes
    from index.build import remove_articles as remove_articles
    from index.build import update_index as update_index
    from index.embedders import Embedder as Embedder
    from index.embedders import HashingEmbedder as HashingEmbedder
    from index.embedders import SentenceTransformerEmbedder as SentenceTransformerEmbedder
    from index.filters import Filters as Filters
    from index.manifest import Manifest as Manifest
    from index.manifest import read_manifest as read_manifest
    from index.passages import SplitterSettings as SplitterSettings
    from index.paths import Home as Home
    from index.paths import project_seeds as project_seeds
    from index.readers import Skipped as Skipped
    from index.readers import find_articles as find_articles
    from index.readers import read_article as read_article
    from index.search import SavedIndex as SavedIndex
    from index.search import list_articles as list_articles
    from index.sentences import is_repeat as is_repeat
    from index.sentences import split_sentences as split_sentences
    from index.types import Article as Article
    from index.types import Hit as Hit
    from index.types import Passage as Passage
    from index.types import Sentence as Sentence
    from index.types import Span as Span

# These are read once, when the libraries that they are for begin.
_ENVIRONMENT = {
    # oneDNN keeps what it compiles for every shape of a product, a thousand of them, and prompts are of all lengths:
    # memory grew by 400 MB over thirty questions.
    "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "128",
    "LRU_CACHE_CAPACITY": "128",
    # After a product of search the helpers of NumPy's OpenBLAS wait actively for the next one, and what the model reads
    # meanwhile took half as long again. The products are small.
    "OPENBLAS_NUM_THREADS": "1",
}
for _variable, _value in _ENVIRONMENT.items():
    os.environ.setdefault(_variable, _value)

_HOMES = {
    "Article": "index.types",
    "Changes": "index.build",
    "Embedder": "index.embedders",
    "HashingEmbedder": "index.embedders",
    "Filters": "index.filters",
    "Hit": "index.types",
    "Home": "index.paths",
    "Manifest": "index.manifest",
    "Passage": "index.types",
    "SavedIndex": "index.search",
    "Sentence": "index.types",
    "SentenceTransformerEmbedder": "index.embedders",
    "Skipped": "index.readers",
    "Span": "index.types",
    "SplitterSettings": "index.passages",
    "find_articles": "index.readers",
    "is_repeat": "index.sentences",
    "list_articles": "index.search",
    "project_seeds": "index.paths",
    "read_article": "index.readers",
    "read_manifest": "index.manifest",
    "remove_articles": "index.build",
    "split_sentences": "index.sentences",
    "update_index": "index.build",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'index' has no attribute {name!r}")
    return getattr(import_module(home), name)
