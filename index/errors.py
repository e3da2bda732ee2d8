"""Every error that Byline raises on purpose.

    BylineError
    ├── InputError            a bad argument, question or file            exit code 2
    │   └── ArticleError      an article that cannot be read
    ├── SettingsError         an unknown or unusable setting              exit code 2
    ├── ModelError            models: unknown, missing, damaged           exit code 3
    │   ├── FetchError        no network, carrier gone, broken download
    │   ├── HashError         the bytes are not the publisher's
    │   ├── ServerError       a server with a model refused a request
    │   └── ConversionError   the weights could not be converted
    ├── IndexStateError       a saved index that cannot be used           exit code 4
    │   ├── IndexMissing      there is none at that path
    │   ├── IndexDamaged      its files do not agree with its manifest
    │   └── EmbedderMismatch  made with another embedder
    ├── VectorError           wrong dimension, type or shape              exit code 4
    └── ResourceError         no disk space, no memory, a lock is held    exit code 5

A message says what happened and what was expected; `help` names the command that mends it. The command line prints
both without a traceback and leaves with `exit_code`.
"""


class BylineError(Exception):
    """Base of all errors that a user can cause or mend."""

    exit_code = 1

    def __init__(self, message: str, *, help: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.help = help

    def __str__(self) -> str:
        return f"{self.message}\n{self.help}" if self.help else self.message


class InputError(BylineError):
    """A bad argument, question or file."""

    exit_code = 2


class ArticleError(InputError):
    """An article that cannot be read."""


class SettingsError(BylineError):
    """An unknown or unusable setting."""

    exit_code = 2


class ModelError(BylineError):
    """A model that is unknown, missing or unusable."""

    exit_code = 3


class FetchError(ModelError):
    """The weights could not be brought here."""


class HashError(ModelError):
    """The bytes are not the ones that the publisher signed."""

    def __init__(self, message: str, *, expected: str, actual: str, help: str | None = None) -> None:
        super().__init__(message, help=help)
        self.expected = expected
        self.actual = actual


class ConversionError(ModelError):
    """Fetched weights could not be turned into the stored form."""


class ServerError(ModelError):
    """A server that has the model refused a request; `status` is that of HTTP."""

    def __init__(self, message: str, *, status: int, help: str | None = None) -> None:
        super().__init__(message, help=help)
        self.status = status


class IndexStateError(BylineError):
    """A saved index that cannot be used as it is."""

    exit_code = 4


class IndexMissing(IndexStateError):
    """There is no index at the path."""


class IndexDamaged(IndexStateError):
    """The files of an index do not agree with its manifest."""


class EmbedderMismatch(IndexStateError):
    """The index was made with another embedder than the one that asks."""

    def __init__(self, message: str, *, indexed_with: str, asked_with: str, help: str | None = None) -> None:
        super().__init__(message, help=help)
        self.indexed_with = indexed_with
        self.asked_with = asked_with


class VectorError(BylineError):
    """Vectors of the wrong dimension, type or shape."""

    exit_code = 4


class ResourceError(BylineError):
    """The machine lacks something: disk space, memory, or a lock that another process holds."""

    exit_code = 5
