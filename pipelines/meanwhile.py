"""What a build does beside its calls, or seldom, so that it starts sooner and takes less."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from threading import Thread

FOR_PUBLISHING = (
    "pipelines.publishing.publish",
    "pipelines.publishing.account",
    "pipelines.publishing.card",
    "pipelines.querying.catalog",
    "pipelines.report.write",
)

OBJECTS_AT_ONCE = 50_000


@contextmanager
def importing() -> Iterator[None]:
    """Imports what only publishing needs (DuckDB, Jinja, the kernels of Arrow) in a thread.

    While models answer there is time for it; before the first call a build would wait.
    """
    thread = Thread(target=_prepare)
    thread.start()
    try:
        yield
    finally:
        thread.join()


@contextmanager
def seldom_collecting() -> Iterator[None]:
    """Lets the collector of cycles look for garbage seldom, and not in what is there already.

    Calls leave hardly any cycles, and looking for them among all replies that are in flight took a
    tenth of the CPU; imports leave none, and looking through modules took a fifth of a start.
    """
    before = gc.get_threshold()
    gc.set_threshold(OBJECTS_AT_ONCE, *before[1:])
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)


def _prepare() -> None:
    for name in FOR_PUBLISHING:
        import_module(name)
    import_module("pipelines.publishing.card").template()
