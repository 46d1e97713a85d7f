r"""Answers from a table or from rules: for unit tests, dry runs and the quickstart.

    [models.pupil]
    kind = "scripted"
    rules = [{ match = 'What is (\d+) \+ 0', answers = ['It is \1.', 'Nothing changes: \1.'] }]
    default = "I do not know."

The table is asked first, then the rules in their order, then the default. Where there are several
answers, each sample draws its own, from (model, messages, seed of the request, choice): the same
recipe gives the same answers on every machine. Where an unended answer is to be gone on with, the
answers are those that begin with it, less what stands there.
"""

import asyncio
import hashlib
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import orjson
from pydantic import Field, PrivateAttr, field_validator, model_validator

from pipelines.backend import Backend, Completion, Reply, Request, Rewarding, Sampling, TokenLogprob
from pipelines.calls.prices import Prices, Usage
from pipelines.errors import RequestRefused, TransientError
from pipelines.part import Real, Runtime, Table, Where
from pipelines.shipped import shipped
from pipelines.wire.body import continues
from schemas.canonical import draw_integer, draw_unit, make_id
from schemas.rows import Message

UNREADABLE = "I would rather not say."
"""What `bad_rate` puts in place of an answer: no score, no verdict, no number."""
BUILTIN = "builtin:"
GROUP = re.compile(r"\\([0-9])")


class Rule(Table):
    """Answers to all messages that a pattern is found in."""

    match: str
    """A regular expression (Python's `re`), searched, not anchored; `(?i)` ignores case."""
    search: Literal["user", "conversation"] = "user"
    """Where it is searched: in the last user message, or in all texts, blank lines between."""
    answers: tuple[str, ...] = Field(min_length=1)
    r"""One of them is the answer. `\1` to `\9` stand for the groups of the match and `\0` for all
    of it; nothing else is special."""
    odds: dict[str, Real] = Field(default_factory=dict)
    """Token -> the probability, above 0 and at most 1, with which it might have been the answer's
    first: told where log-probabilities are asked for."""

    @field_validator("odds")
    @classmethod
    def _odds_are_probabilities(cls, odds: dict[str, float]) -> dict[str, float]:
        if any(not 0 < share <= 1 for share in odds.values()):
            raise ValueError("probabilities above 0 and at most 1 are wanted")
        return odds

    def identity(self) -> dict[str, Any]:
        """As `Table.identity`; a rule without odds is what it was before there were any."""
        identity = super().identity()
        return identity if self.odds else {key: identity[key] for key in identity if key != "odds"}

    @field_validator("match")
    @classmethod
    def _match_compiles(cls, match: str) -> str:
        try:
            re.compile(match)
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from error
        return match

    @model_validator(mode="after")
    def _groups_exist(self) -> "Rule":
        groups = re.compile(self.match).groups
        for answer in self.answers:
            for number in GROUP.findall(answer):
                if int(number) > groups:
                    raise ValueError(f"\\{number} in an answer, but match has {groups} groups")
        return self

    def found(self, messages: tuple[Message, ...]) -> re.Match[str] | None:
        """Where the pattern is found in `messages`; None if nowhere."""
        return re.search(self.match, _asked(messages, self.search))


class Scripted(Backend):
    """A model whose answers are written down. Its tokens are words between white space."""

    billed: ClassVar[bool] = False

    rules: tuple[Rule, ...] = ()
    """Tried in this order; the first whose pattern is found answers."""
    table: Annotated[str | None, Runtime] = None
    """Path of a .jsonl or .parquet file, relative to the recipe, with the columns `prompt` (a last
    user message, in full) and `answer`; or "builtin:NAME", a shipped one. Several rows of one
    prompt are several answers. The rows decide content; where they lie does not."""
    default: str | None = None
    """The answer where nothing else answers. Without it such a request is refused."""
    bad_rate: Real = Field(default=0.0, ge=0, le=1)
    """Share of samples that are unreadable, in [0, 1]; drawn for each sample."""
    latency_ms: Annotated[Real, Runtime] = Field(default=0.0, ge=0)
    """Mean time to a reply, in milliseconds; each request draws its own, from 0 to twice this."""
    error_rate: Annotated[Real, Runtime] = Field(default=0.0, ge=0, le=1)
    """Share of attempts that fail in a way that may pass, in [0, 1]. The last of `max_tries`
    attempts never fails, so that every build ends."""

    prices: Annotated[Prices, Runtime] = Prices(input=0.0, output=0.0)
    """Prices for the spend figures: a rehearsal of a paid model. Default: nothing is paid."""

    _answers: dict[str, tuple[str, ...]] = PrivateAttr(default_factory=dict)
    _table_sha256: str | None = PrivateAttr(default=None)
    _failures: dict[str, int] = PrivateAttr(default_factory=dict)
    """Failed attempts of the requests that have not been answered yet."""

    def check(self, where: Where) -> None:
        """Reads the table. Raises RecipeError where it is missing or cannot be read."""
        super().check(where)
        if self.table is None:
            return
        try:
            path = _place(self.table, where.root)
            self._table_sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
            self._answers = _by_prompt(_rows(path))
        except OSError as error:
            raise where.error(f"{self.table}: {error.strerror or error}", "table") from error
        except ValueError as error:
            raise where.error(f"{self.table}: {error}", "table") from error

    def check_sampling(self, sampling: Sampling, where: Where) -> None:
        """Raises RecipeError for log-probabilities that no rule tells.

        A reward may be written down as any answer.
        """
        if not isinstance(sampling, Rewarding):
            super().check_sampling(sampling, where)
        if sampling.top_logprobs and not any(rule.odds for rule in self.rules):
            raise where.error(f"no rule of models.{self.name} has `odds`, so it has none to tell")

    def identity(self) -> dict[str, Any]:
        """As `Part.identity`, with the hash of the table in place of its path."""
        return super().identity() | {"table_sha256": self._table_sha256}

    def model_identity(self) -> str:
        """A hash of everything that answers are taken from."""
        script = self.identity()
        deciding = ("rules", "table_sha256", "default", "bad_rate")
        return "scripted:" + make_id("script", {name: script[name] for name in deciding})

    def endpoint(self) -> str:
        """One for each scripted model."""
        return f"scripted:{self.name}"

    async def complete(self, request: Request) -> Reply:
        """The written answers, after the simulated latency and failures."""
        key = self._key(request)
        await asyncio.sleep(2 * self.latency_ms / 1000 * draw_unit("latency", key))
        self._fail_sometimes(key)
        completions = tuple(self._choice(request, key, choice) for choice in range(request.n))
        read = sum(_words(message.content) for message in request.messages)
        written = sum(_words(completion.text) for completion in completions)
        return Reply(completions, Usage(prompt_tokens=read, completion_tokens=written))

    def _key(self, request: Request) -> str:
        messages = [message.canonical() for message in request.messages]
        return make_id("scripted", self.model, messages, request.sampling.seed, request.seed)

    def _fail_sometimes(self, key: str) -> None:
        failures = self._failures.pop(key, 0)
        last_try = failures + 1 >= self.max_tries
        if not last_try and draw_unit("failure", key, failures) < self.error_rate:
            self._failures[key] = failures + 1
            raise TransientError(f"{self.name}: simulated failure {failures + 1} (error_rate)")

    def _choice(self, request: Request, key: str, choice: int) -> Completion:
        answers, odds = self._answers_to(request.messages)
        if continues(request.sampling):
            answers = _continued(answers, request.messages[-1].content or "")
        text = answers[draw_integer("answer", key, choice) % len(answers)]
        if draw_unit("bad", key, choice) < self.bad_rate:
            text = UNREADABLE
        alone = request.n == 1
        return Completion(
            text,
            finish_reason="stop",
            logprobs=_told(text, odds) if request.sampling.top_logprobs and odds else None,
            completion_tokens=_words(text) if alone else None,
            prompt_tokens=sum(_words(m.content) for m in request.messages) if alone else None,
        )

    def _answers_to(
        self, messages: tuple[Message, ...]
    ) -> tuple[tuple[str, ...], dict[str, float]]:
        """The answers, and what the first token might have been."""
        asked = _asked(messages, "user")
        if asked in self._answers:
            return self._answers[asked], {}
        for rule in self.rules:
            match = rule.found(messages)
            if match is not None:
                return tuple(_filled(answer, match) for answer in rule.answers), rule.odds
        if self.default is None:
            raise RequestRefused(
                f'{self.name}: no rule, row or default answers "{asked[:80]}"', 400
            )
        return (self.default,), {}


def _told(text: str, odds: dict[str, float]) -> tuple[TokenLogprob, ...]:
    """All of `text` as one token, with its alternatives, the likeliest first."""
    top = sorted(((token, math.log(share)) for token, share in odds.items()), key=lambda o: -o[1])
    return (TokenLogprob(text, dict(top).get(text, top[0][1]), tuple(top)),)


def _continued(answers: tuple[str, ...], begun: str) -> tuple[str, ...]:
    """How the answers that begin as an unended one does go on; without any, it ends there.

    >>> _continued(("It is 4.", "It is 5.", "Four."), "It is"), _continued(("Four.",), "It is")
    ((' 4.', ' 5.'), ('',))
    """
    return tuple(one.removeprefix(begun) for one in answers if one.startswith(begun)) or ("",)


def _asked(messages: tuple[Message, ...], search: str) -> str:
    """The last user message, or all texts."""
    if search == "conversation":
        return "\n\n".join(message.content for message in messages if message.content)
    asked = [message.content or "" for message in messages if message.role == "user"]
    return asked[-1] if asked else ""


def _filled(answer: str, match: re.Match[str]) -> str:
    r"""`answer` with the groups of `match`; a group that took no part is empty.

    >>> _filled(r"\1 \n \2.", re.search("(a)|(b)", "cab"))
    'a \\n .'
    """
    return GROUP.sub(lambda group: match[int(group[1])] or "", answer)


def _words(text: str | None) -> int:
    return len(text.split()) if text else 0


def _place(table: str, root: Path) -> Path:
    name = table.removeprefix(BUILTIN)
    return root / table if name == table else shipped(f"prompts/{name}.jsonl")


def _rows(path: Path) -> Iterator[tuple[str, Any]]:
    """The rows of a table, each with where it stands. Raises ValueError."""
    if path.suffix == ".parquet":
        import pyarrow.parquet

        table = pyarrow.parquet.read_table(path)
        for number, row in enumerate(table.to_pylist(), 1):
            yield f"row {number}", row
    elif path.suffix == ".jsonl":
        for number, line in enumerate(path.read_bytes().splitlines(), 1):
            if line.strip():
                try:
                    yield f"line {number}", orjson.loads(line)
                except orjson.JSONDecodeError as error:
                    raise ValueError(f"line {number}: not JSON: {error}") from error
    else:
        raise ValueError("a .jsonl or .parquet file is wanted")


def _by_prompt(rows: Iterator[tuple[str, Any]]) -> dict[str, tuple[str, ...]]:
    """The answers to each prompt, in the table's order. Raises ValueError."""
    answers: dict[str, tuple[str, ...]] = {}
    for position, row in rows:
        match row:
            case {"prompt": str(prompt), "answer": str(answer)}:
                answers[prompt] = (*answers.get(prompt, ()), answer)
            case _:
                raise ValueError(f'{position}: texts "prompt" and "answer" are wanted')
    return answers
