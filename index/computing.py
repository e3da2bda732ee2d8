"""One thread for all that torch computes, whoever asks for it.

OpenMP (libgomp) gives each thread that computes helpers of its own, and keeps them as long as it lives. Once there are
more of them than processors, none waits actively for the others any more: on two cores everything takes a third longer,
as soon as a second thread has computed anything (docs/lab-notes.md). A page answers each question in another thread. So
the threads that ask only wait, and this one computes, one thing after another.
"""

import functools
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

Given = ParamSpec("Given")
Result = TypeVar("Result")

_PREFIX = "byline-computing"


class Ended(RuntimeError):
    """The program is ending: nothing new is computed any more."""


def _new_thread() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix=_PREFIX)


class _Computing:
    thread = _new_thread()

    @classmethod
    def renew(cls) -> ThreadPoolExecutor:
        """Begin a new thread; the old one comes back."""
        old, cls.thread = cls.thread, _new_thread()
        return old


if hasattr(os, "register_at_fork"):  # a forked process has no thread but one
    os.register_at_fork(after_in_child=_Computing.renew)


def rest() -> None:
    """End the thread with its helpers, for whoever computes beside it now. The next computation begins a new one."""
    _Computing.renew().shutdown()


def computed(function: Callable[Given, Result]) -> Callable[Given, Result]:
    """The same function, which runs in the computing thread while the caller waits.

    It should take a second at most, since others wait for it too. If the caller is interrupted it is still done.
    Raises Ended when the program ends.
    """

    @functools.wraps(function)
    def there(*args: Given.args, **kwargs: Given.kwargs) -> Result:
        if threading.current_thread().name.startswith(_PREFIX):
            return function(*args, **kwargs)
        return _begun(functools.partial(function, *args, **kwargs)).result()

    return there


def _begun(function: Callable[[], Result]) -> "Future[Result]":
    while True:
        thread = _Computing.thread
        try:
            return thread.submit(function)
        except RuntimeError as error:
            if thread is _Computing.thread:  # not one that has just gone to rest
                raise Ended(f"Nothing new is computed any more: {error}.") from error


def apart(function: Callable[Given, Result]) -> Callable[Given, Result]:
    """The same function in a new thread, which takes its helpers with it when it ends: for what takes long."""

    @functools.wraps(function)
    def there(*args: Given.args, **kwargs: Given.kwargs) -> Result:
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(function, *args, **kwargs).result()

    return there
