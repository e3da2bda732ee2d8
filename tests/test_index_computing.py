"""The one thread that computes."""

import os
import threading

import pytest

from index.computing import apart, computed, rest


def here(*_: object) -> str:
    return threading.current_thread().name


def test_whoever_asks_the_same_thread_computes():
    names = [computed(here)()]
    asker = threading.Thread(target=lambda: names.append(computed(here)()))
    asker.start()
    asker.join()
    assert names == ["byline-computing_0"] * 2
    assert here() == "MainThread"


def test_what_is_computed_within_a_computation_does_not_wait_for_it():
    assert computed(lambda: (here(), computed(here)()))() == ("byline-computing_0", "byline-computing_0")


def test_arguments_go_there_and_results_and_errors_come_back():
    assert computed(divmod)(7, 4) == (1, 3)
    assert computed(int)("11", base=2) == 3
    with pytest.raises(ZeroDivisionError):
        computed(divmod)(1, 0)


def test_after_a_rest_a_new_thread_computes():
    before = computed(threading.get_ident)()
    rest()
    assert before not in {thread.ident for thread in threading.enumerate()}
    assert computed(here)() == "byline-computing_0"


def test_what_is_done_apart_leaves_no_thread_behind():
    before = threading.active_count()
    ident = apart(threading.get_ident)()
    assert ident != threading.get_ident()
    assert threading.active_count() == before


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_process_computes_in_a_thread_of_its_own():
    computed(here)()
    child = os.fork()
    if not child:
        os._exit(0 if computed(here)() == "byline-computing_0" else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
