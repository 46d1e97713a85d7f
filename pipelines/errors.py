"""The error tree.

    PairwrightError
    ├── RecipeError       stop before any call: the recipe, or a file it names, is wrong     exit 2
    ├── GateError         the build is complete, but a gate refuses to publish it            exit 3
    ├── BackendError      an endpoint failed
    │   ├── RequestRefused   this request alone: recorded, final, the build goes on
    │   ├── TransientError   may pass: retried, then owed                                    exit 5
    │   └── FatalError       will not pass (401, 403, 404): the build stops                  exit 5
    ├── TrainingError     the training command of an iteration failed                        exit 5
    ├── JudgmentError     a judge's reply cannot be read: becomes a row without a score
    └── StoreError        the store is damaged, or refuses                                   exit 2
        └── NotThere         it holds no such dataset or version

Errors of other libraries are wrapped once, where they enter. A message ends with what helps.
"""

from collections.abc import Iterable
from difflib import get_close_matches


class PairwrightError(Exception):
    """The root: every error that a user may meet."""

    exit_code = 1


class RecipeError(PairwrightError):
    """The recipe, or a file that it names, is wrong. Raised before any call is made."""

    exit_code = 2


class GateError(PairwrightError):
    """The build ran, and a gate of the recipe refuses to publish it."""

    exit_code = 3


class BackendError(PairwrightError):
    """An endpoint did not do what it was asked."""

    exit_code = 5


class RequestRefused(BackendError):
    """The endpoint refuses this request for good (a 4xx that is about the request itself)."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class TransientError(BackendError):
    """The call failed in a way that may pass.

    `retry_after` is what the server asked to wait, in seconds; `overload` says that it asked for
    fewer requests at once (429, 503, 529), which shrinks the in-flight window; `broke_off` that
    no answer came, so that the call may have been billed all the same; `unsent` that there was
    nobody to send it to.
    """

    def __init__(
        self,
        message: str,
        *,
        retry_after: float | None = None,
        overload: bool = False,
        broke_off: bool = False,
        unsent: bool = False,
    ) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.overload = overload
        self.broke_off = broke_off
        self.unsent = unsent


class FatalError(BackendError):
    """The endpoint will refuse every request (wrong key, wrong address): the build stops."""


class TrainingError(PairwrightError):
    """The training command of an iteration failed, or named no model that can be the policy."""

    exit_code = 5


class JudgmentError(PairwrightError):
    """A judge's reply cannot be read. Its text is quoted to the judge once, then kept as raw."""


class StoreError(PairwrightError):
    """The store is damaged, newer than this code, or refuses what was asked."""

    exit_code = 2


class NotThere(StoreError):
    """The store holds no dataset or version of that name: it may be the wrong store."""


def nearest(wrong: str, valid: Iterable[str]) -> str:
    """The hint for a wrong name: the nearest valid one, then all of them.

    >>> nearest("margn", ["margin", "variance"])
    'did you mean "margin"? Valid: margin, variance'
    >>> nearest("TRL", ["trl", "kto"])
    'did you mean "trl"? Valid: kto, trl'
    """
    names = sorted(valid)
    forms = {form: name for name in names for form in (name.lower(), name)}
    close = [
        found for one in (wrong, wrong.lower()) for found in get_close_matches(one, forms, 1, 0.5)
    ]
    listed = f"Valid: {', '.join(names)}" if names else "There is none."
    return f'did you mean "{forms[close[0]]}"? {listed}' if close else listed
