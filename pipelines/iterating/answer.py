"""The answer of a training command: the model that came of it, told in the last line that names one.

/models/policy-r1                                       a folder
http://gpu-3:8000/v1                                    an address, of the recipe's model id
{"base_url": "http://gpu-3:8000/v1", "model": "r1"}     an address and the model's id there
{"model": "ft:small:r1"}                                a folder, or an id where the policy is asked
"""

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pipelines.errors import TrainingError, nearest


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model of the recipe becomes. None: as it was."""

    folder: str | None = None
    """A folder, absolute."""
    model: str | None = None
    """An id at an address. With `folder`, what JSON named may be either."""
    base_url: str | None = None
    identity: str | None = None
    """Who answers there, as `identity` in a recipe."""
    api_key_env: str | None = None
    """The name of the environment variable that holds the key, never the key."""

    def given(self) -> dict[str, str]:
        """What is told, by name."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    def in_words(self) -> str:
        """Where the model is, in short, without what of an address may be a secret.

        >>> Answer(model="r1", base_url="https://me:secret@h.example:8000/v1?key=secret").in_words()
        'r1 at https://h.example/v1'
        """
        return self.folder or " at ".join(filter(None, (self.model, self._place())))

    def _place(self) -> str | None:
        if self.base_url is None:
            return None
        try:
            parts = urlsplit(self.base_url)
        except ValueError:
            return "no URL"
        return f"{parts.scheme}://{parts.hostname}{parts.path}"


def read_answer(printed: str, root: Path) -> Answer:
    r"""The answer in what a command printed; relative paths start from `root`.

    Raises TrainingError where no line is one.

    >>> read_answer('loss 0.3\n{"model": "ft:1", "base_url": "https://a.example/v1"}\n', Path("/"))
    ... # doctest: +NORMALIZE_WHITESPACE
    Answer(folder=None, model='ft:1', base_url='https://a.example/v1', identity=None,
           api_key_env=None)
    >>> read_answer("/\n\nhttp://gpu:8000/v1\n bye", Path("/")).base_url
    'http://gpu:8000/v1'
    """
    lines = [line.strip() for line in printed.split("\n") if line.strip()]
    for line in reversed(lines):
        if (answer := _answer(line, root)) is not None:
            return answer
    said = f'its last line is "{lines[-1][:200]}"' if lines else "it printed nothing"
    raise TrainingError(
        f"the training command named no model: {said}. A line of its standard output must be the "
        'folder of a model, the URL of an endpoint, or JSON such as {"base_url": "...", '
        '"model": "..."}'
    )


def _answer(line: str, root: Path) -> Answer | None:
    """The answer in one line; None where it is none."""
    if line.startswith("{"):
        return _from_json(line, root)
    if line.startswith(("http://", "https://")) and " " not in line:
        return Answer(base_url=line)
    folder = _folder(line, root)
    return None if folder is None else Answer(folder=folder)


def _from_json(line: str, root: Path) -> Answer | None:
    try:
        told = json.loads(line)
    except (ValueError, RecursionError):  # no JSON; a number too long, a text nested too deep
        return None
    told = {name: value for name, value in told.items() if value is not None}
    if not {"model", "base_url"} & set(told):
        return None
    _check(told)
    folder = None if "base_url" in told else _folder(told["model"], root)
    return Answer(folder=folder, **told)


def _check(told: dict[str, Any]) -> None:
    valid = [field.name for field in fields(Answer) if field.name != "folder"]
    for name, value in told.items():
        if name not in valid:
            raise TrainingError(
                f'the training command answered with "{name}"; {nearest(name, valid)}'
            )
        if not isinstance(value, str) or not value or not value.isprintable():
            raise TrainingError(
                f"the training command answered with {name} = {value!r}: no printable text"
            )


def _folder(given: str, root: Path) -> str | None:
    """The absolute path of a folder that is there."""
    try:
        path = (root / Path(given).expanduser()).absolute()
        return str(path) if path.is_dir() else None
    except (OSError, RuntimeError, ValueError):  # too long, no such user, a NUL
        return None
