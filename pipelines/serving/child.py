"""A command that runs beside the build, and ends with it however that ends.

this process ─ pipe ─> warden.py ─ own process group ─> the command, and all that it starts
"""

import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from pipelines.serving.warden import GRACE_S

WARDEN = Path(__file__).with_name("warden.py")


class Child:
    """A command, running. What it prints goes to `log`; its errors to a file of their own, if any."""

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        log: Path,
        errors: Path | None = None,
    ) -> None:
        self._ending = threading.Lock()
        with log.open("ab") as output, (errors or log).open("ab") as complaints:
            self._warden = subprocess.Popen(  # noqa: S603 - the recipe's command
                [sys.executable, "-ISs", str(WARDEN), *command],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=complaints,
                env=dict(environment),
                start_new_session=True,  # Ctrl-C is for the build, which then ends this
            )

    def status(self) -> int | None:
        """The exit status; None while it runs."""
        return self._warden.poll()

    def wait(self, seconds: float) -> int | None:
        """The exit status, as soon as it ended within `seconds`; else None."""
        try:
            return self._warden.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def stop(self) -> None:
        """Ends it, and returns when it has ended. Further calls do nothing."""
        with self._ending:
            assert self._warden.stdin is not None
            self._warden.stdin.close()
            if self.wait(2 * GRACE_S) is None:
                self._warden.kill()
                self._warden.wait()


def outside(environment: Mapping[str, str]) -> dict[str, str]:
    """`environment` over this process's own, less what would mix our Python into another's."""
    ours = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"}
    return {name: value for name, value in os.environ.items() if name not in ours} | {**environment}
