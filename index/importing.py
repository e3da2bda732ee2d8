"""One thread at a time gets things from `transformers`.

The package puts another module in its own place while it is imported, and imports its parts when they are first named.
A thread that comes in between finds a name missing ("cannot import name 'AutoTokenizer'"), though nothing is wrong.
"""

import threading

TRANSFORMERS = threading.RLock()
"""To be held by whoever imports from `transformers` or makes something of it that imports more (models, tokenizers)."""
