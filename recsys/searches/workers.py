"""Trials side by side in processes of their own, and how Ctrl-C stops them all."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from multiprocessing.synchronize import Event
from threading import Thread

from recsys.searches.trials import Search, run_trial

_stops: list[Event] = []  # in a worker: the one event that all processes of its search share


def side_by_side(search: Search, draws: range, *, jobs: int) -> Iterator[str]:
    """A line for each trial as it ends; the cores are shared out among the processes.

    Ctrl-C reaches each of them: trials that are going on keep their best epoch, and none is begun any more.
    """
    os.environ.setdefault("OMP_NUM_THREADS", str(max((os.cpu_count() or 1) // jobs, 1)))
    context = get_context("spawn")
    stop = context.Event()
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=_begin, initargs=(stop,)) as pool:
        try:
            with _ctrl_c_ignored():  # a process ignores what was ignored when it was started
                pending = [pool.submit(_trial, search, draw) for draw in draws]
            for done in as_completed(pending):
                yield done.result()
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise


def _begin(stop: Event) -> None:
    _stops.append(stop)
    _end_with_parent()


def _trial(search: Search, draw: int) -> str:
    """In a worker, which heeds Ctrl-C during a trial alone: anywhere else it would die with a traceback."""
    (stop,) = _stops
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        if stop.is_set():
            raise KeyboardInterrupt
        return run_trial(search, draw)
    except KeyboardInterrupt:
        stop.set()  # before this process, or another, takes up the next trial of the queue
        raise
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def _end_with_parent() -> None:
    """A worker whose parent was killed would wait for work for ever."""
    parent = parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    Thread(target=watch, daemon=True).start()


@contextmanager
def _ctrl_c_ignored() -> Iterator[None]:
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
