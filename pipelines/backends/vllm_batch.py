"""vLLM without a server: what comes together becomes a file, which one run of the engine answers.

    [models.policy]
    kind = "vllm_batch"
    model = "../models/policy-8b"
    engine = { dtype = "bfloat16", max_model_len = 8192 }

Files and results are those of OpenAI's Batch API, and `vllm run-batch` answers them, in an
environment of its own. A sample has the same key in the ledger as from `vllm_server`.
`docs/vllm.md` says when which of the two is the better one.
"""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field, PrivateAttr

from pipelines.backend import Reply, Request
from pipelines.batching.collect import Bounds, Collector
from pipelines.batching.journal import FOLDER, Journal
from pipelines.batching.lines import make_custom_id, read_line, request_line
from pipelines.errors import BackendError
from pipelines.part import Real, Runtime
from pipelines.serving.offline import Offline, tidy
from pipelines.serving.vllm import Vllm
from pipelines.wire.body import request_body
from pipelines.wire.score import scored_text

if TYPE_CHECKING:
    from pipelines.calls.meter import Meter

MODULE = "vllm.entrypoints.openai.run_batch"
MOST_BYTES = 10**9
"""vLLM reads a whole file into memory."""


class VllmBatch(Vllm):
    """A model that answers whole files of requests, one run of vLLM for each."""

    in_jobs: ClassVar[bool] = True

    window: Annotated[int, Runtime] = Field(default=20_000, ge=1)
    """Most requests that wait at once for this model, so also the most of one job."""
    timeout_s: Annotated[Real, Runtime] = Field(default=604_800.0, gt=0)
    """Longest wait for one result, in seconds: a week."""
    collect_s: Annotated[Real, Runtime] = Field(default=10.0, gt=0)
    """A job is run when no further request has come for so long, in seconds."""
    job_requests: Annotated[int, Runtime] = Field(default=10_000, ge=1)
    """Most requests of one job. vLLM writes results when the last of them is there, so a stop
    loses at most one job's work; and each job loads the weights once."""

    _collector: Collector | None = PrivateAttr(default=None)
    _route: Offline | None = PrivateAttr(default=None)
    _place: "tuple[Path, Meter] | None" = PrivateAttr(default=None)

    def equip(self, folder: Path, meter: "Meter") -> None:
        """The ledger's folder holds the journal of jobs, and their files."""
        super().equip(folder, meter)
        self._place = folder, meter

    async def open(self) -> None:
        """Takes up what earlier runs left. Raises StoreError."""
        assert self._place is not None, "equip() comes before open()"
        folder, meter = self._place
        tidy(folder / FOLDER)
        self._route = Offline(self._command, self.env)
        journal = Journal(folder, f"{self.model_identity()} {self.model}")
        bounds = Bounds(self.job_requests, MOST_BYTES, self.collect_s)
        self._collector = Collector(self._route, journal, bounds, meter)

    async def close(self) -> None:
        """Ends a run that is under way: its requests are asked anew by the next build."""
        collector, self._collector = self._collector, None
        if collector is None or self._route is None or self._place is None:
            return
        await collector.close()
        tidy(self._place[0] / FOLDER)
        if jobs := self._route.jobs:
            self.account(f"{jobs} batch job{'s' * (jobs > 1)} in {self._route.seconds:.0f} s")

    async def complete(self, request: Request) -> Reply:
        """Waits for the job that the request becomes part of. Raises BackendError."""
        collector = self._collector
        assert collector is not None, "open() comes before complete()"
        custom_id = self._custom_id(request)
        raw = await collector.result(custom_id, partial(self._line, custom_id, request))
        assert raw is not None, "no job is too small for this route"
        try:
            reply = read_line(raw, request.n, scored_text(request))
        except BackendError as error:
            collector.done(custom_id)
            error.args = (f"{self.model} in a batch of vLLM: {error}",)
            raise
        # no provider halves the price of one's own machine
        return replace(reply, usage=replace(reply.usage, batch=False)) if reply.usage else reply

    def kept(self, request: Request) -> None:
        """The result of the request's job is needed no more."""
        if self._collector is not None:
            self._collector.done(self._custom_id(request))

    def _command(self) -> tuple[tuple[str, ...], dict[str, str]]:
        command, variables = self.invocation(MODULE)
        return (*command, "--served-model-name", self.model), variables

    def _custom_id(self, request: Request) -> str:
        return make_custom_id(self.model_identity(), request.first, self._body(request))

    def _line(self, custom_id: str, request: Request) -> bytes:
        return request_line(custom_id, self._body(request))

    def _body(self, request: Request) -> bytes:
        return request_body(request, self.model, self.dialect)
