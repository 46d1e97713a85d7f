"""Being told to stop: SIGTERM, which schedulers send, does what Ctrl-C does."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

INTERRUPTED = 128 + signal.SIGINT
TERMINATED = 128 + signal.SIGTERM


@contextmanager
def sigterm_as_ctrl_c() -> Iterator[list[int]]:
    """While the body runs, SIGTERM raises KeyboardInterrupt as Ctrl-C would.

    Yields a list: the exit code that is due once the body was stopped, `TERMINATED` after a
    SIGTERM. Where somebody else looks after SIGTERM, or it is ignored, nothing changes.
    """
    code = [INTERRUPTED]

    def terminate(_: int, frame: FrameType | None) -> None:
        code[0] = TERMINATED
        interrupt = signal.getsignal(signal.SIGINT)  # an event loop has put its own there
        if not callable(interrupt):  # ignored, as in a shell's background
            raise KeyboardInterrupt
        interrupt(signal.SIGINT, frame)

    ours = threading.current_thread() is threading.main_thread()
    if not ours or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield code
        return
    signal.signal(signal.SIGTERM, terminate)
    try:
        yield code
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
