import os
import signal
import threading
from collections.abc import Iterator

import pytest

from flows.stopping import INTERRUPTED, TERMINATED, sigterm_as_ctrl_c


@pytest.fixture(autouse=True)
def untouched() -> Iterator[None]:
    """Signals are as before after each test."""
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGTERM, before[0])
    signal.signal(signal.SIGINT, before[1])


@pytest.mark.parametrize("on_ctrl_c", [signal.default_int_handler, signal.SIG_IGN])
def test_sigterm_interrupts_with_its_own_exit_code(on_ctrl_c: signal.Handlers) -> None:
    signal.signal(signal.SIGINT, on_ctrl_c)
    with sigterm_as_ctrl_c() as stopped:
        assert stopped == [INTERRUPTED]
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)
        assert stopped == [TERMINATED]
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_whoever_looks_after_ctrl_c_is_asked_to_stop() -> None:
    asked: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _: asked.append(number))
    with sigterm_as_ctrl_c():
        os.kill(os.getpid(), signal.SIGTERM)
    assert asked == [signal.SIGINT]


def test_a_handler_of_somebody_else_stays() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with sigterm_as_ctrl_c():
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN


def test_in_another_thread_nothing_is_installed() -> None:
    seen: list[object] = []

    def run() -> None:
        with sigterm_as_ctrl_c():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert seen == [signal.SIG_DFL]
