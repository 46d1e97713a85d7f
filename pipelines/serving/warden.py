"""Runs a command, and ends it and all that it started when standard input closes.

    python warden.py COMMAND ARGUMENT...

Standard input is a pipe that only the parent holds open: however the parent ends, SIGKILL
included, the pipe closes. The command has a process group of its own, which is ended as a whole:
SIGTERM first, SIGKILL after `GRACE_S`. The exit status is the command's.
"""

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress

GRACE_S = 15.0


def main(command: list[str]) -> int:
    """The exit status of `command`; 127 where it cannot be started."""
    for ignored in (signal.SIGINT, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    try:
        child = subprocess.Popen(  # noqa: S603 - the command that this was started for
            command, stdin=subprocess.DEVNULL, start_new_session=True
        )
    except OSError as error:
        print(f"error: {command[0]}: {error.strerror}", file=sys.stderr)
        return 127
    signal.signal(signal.SIGTERM, lambda *_: _signal(child.pid, signal.SIGTERM))
    threading.Thread(target=_end_with_stdin, args=(child,), daemon=True).start()
    status = child.wait()
    _signal(child.pid, signal.SIGKILL)  # what it started and left behind
    return status if status >= 0 else 128 - status


def _end_with_stdin(child: "subprocess.Popen[bytes]") -> None:
    while os.read(0, 4096):
        pass
    _signal(child.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        child.wait(GRACE_S)
    _signal(child.pid, signal.SIGKILL)


def _signal(group: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):  # macOS says EPERM of a group of zombies
        os.killpg(group, number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
