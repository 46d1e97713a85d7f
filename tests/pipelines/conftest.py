"""A unit to call samplers and judges on: the real ledger and dispatcher, and models that obey."""

import asyncio
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pydantic import PrivateAttr

from pipelines.backend import Backend, Completion, Reply, Request
from pipelines.calls.dispatch import Dispatcher
from pipelines.calls.ledger import Ledger
from pipelines.calls.meter import Meter
from pipelines.judge import Judge
from pipelines.running.workshop import Workshop
from pipelines.unit import Unit
from schemas.rows import Judgment, Message, Prompt, Response, prompt_id

Answer = Callable[[Request, int], Completion | str]
"""The completion of (request, choice); a text is one that ended by itself."""


class Obedient(Backend):
    """Answers by a function, after a random time, and remembers what it was asked."""

    _answer: Answer = PrivateAttr()
    _delays: random.Random = PrivateAttr()
    _asked: list[Request] = PrivateAttr(default_factory=list)

    @property
    def asked(self) -> list[Request]:
        return self._asked

    def model_identity(self) -> str:
        return f"obedient:{self.name}"

    def endpoint(self) -> str:
        return "obedient"

    async def complete(self, request: Request) -> Reply:
        self._asked.append(request)
        await asyncio.sleep(self._delays.random() / 200)
        answers = [self._answer(request, choice) for choice in range(request.n)]
        return Reply(
            tuple(
                Completion(answer, finish_reason="stop") if isinstance(answer, str) else answer
                for answer in answers
            ),
            usage=None,
        )


@dataclass
class Recorded:
    """Recorded rows, as a unit finds them."""

    of_samplers: list[Response] = field(default_factory=list)
    of_judges: list[Judgment] = field(default_factory=list)

    def responses(self, part: str, prompt: str) -> list[Response]:
        return [row for row in self.of_samplers if (row.sampler, row.prompt_id) == (part, prompt)]

    def judgments(self, part: str, prompt: str) -> list[Judgment]:
        return [row for row in self.of_judges if (row.judge, row.prompt_id) == (part, prompt)]


@pytest.fixture
def recorded() -> Recorded:
    """Empty; a test adds rows."""
    return Recorded()


@pytest.fixture(scope="session")
def model() -> Callable[..., Obedient]:
    """`model("judge", answer, seed=1)`: a model that answers by a function (`Answer`)."""

    def make(name: str, answer: Answer, seed: int = 0, **fields: Any) -> Obedient:
        made = Obedient.model_validate({"kind": "obedient", "name": name, **fields})
        made._answer = answer
        made._delays = random.Random(seed)
        return made

    return make


@pytest.fixture(scope="session")
def prompt() -> Callable[..., Prompt]:
    """`prompt("Hi", "Hello", "How are you?", reference="Fine")`: user and assistant in turns."""

    def make(*contents: str, **fields: Any) -> Prompt:
        messages = tuple(
            Message("assistant" if turn % 2 else "user", content)
            for turn, content in enumerate(contents)
        )
        return Prompt(prompt_id(messages), messages, **fields)

    return make


@pytest.fixture(scope="session")
def respond() -> Callable[..., Response]:
    """`respond(prompt, "text", "r1")`: a response with this id."""

    def make(prompt: Prompt, text: str | None, id_: str, **fields: Any) -> Response:
        whose = {"model": "m", "model_identity": "m", "sampler": "recorded"}
        return Response(id_, prompt.prompt_id, text, **whose, **fields)

    return make


@pytest.fixture
def make_unit(tmp_path: Path) -> Iterator[Callable[..., Unit]]:
    """`make_unit(prompt, *models)`: with the real dispatcher, and a ledger for each name of one."""
    ledgers: dict[str, Ledger] = {}

    def make(
        prompt: Prompt,
        *models: Backend,
        seed: int = 0,
        recorded: Recorded | None = None,
        ledger: str = "ledger",
        judges: Iterable[Judge] = (),
        earlier: Mapping[str, Sequence[Response]] | None = None,
    ) -> Unit:
        if ledger not in ledgers:
            ledgers[ledger] = Ledger(tmp_path / ledger)
        named = {model.name: model for model in models}
        meter = Meter()
        dispatcher = Dispatcher(named, meter, backoff_s=0.0)
        records: Any = recorded or Recorded()
        asked = {judge.name: judge for judge in judges}
        workshop = Workshop(seed, named, ledgers[ledger], dispatcher, meter, records, asked)
        return Unit(prompt, workshop, earlier=earlier or {})

    yield make
    for opened in ledgers.values():
        opened.close()
