"""The arguments of a vLLM engine: which of them decide what it writes, and which only how fast.

Any argument of vLLM's can be given, so what decides is the rule: all do, but those that are known
not to. vLLM promises no equal bits across batch sizes, devices or parallelism; they are all the
same "who answers" here.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import orjson
from pydantic import Field, field_validator

from pipelines.backend import JsonObject
from pipelines.part import Real, Runtime, Table

RUNTIME_ARGS = frozenset((
    "api_server_count", "data_parallel_backend", "data_parallel_size",
    "disable_custom_all_reduce", "distributed_executor_backend", "enable_expert_parallel",
    "pipeline_parallel_size", "tensor_parallel_size",
    "block_size", "cpu_offload_gb", "gpu_memory_utilization", "kv_cache_memory_bytes",
    "num_gpu_blocks_override",
    "async_scheduling", "compilation_config", "cudagraph_capture_sizes",
    "enable_chunked_prefill", "enable_prefix_caching", "enforce_eager",
    "long_prefill_token_threshold", "max_cudagraph_capture_size", "max_long_partial_prefills",
    "max_num_batched_tokens", "max_num_partial_prefills", "max_num_seqs",
    "optimization_level", "prefix_caching_hash_algo", "scheduling_policy",
    "download_dir", "max_parallel_loading_workers",
    "safetensors_load_strategy", "use_tqdm_on_load",
    "aggregate_engine_logging", "disable_log_stats", "enable_log_requests", "max_log_len",
    "uvicorn_log_level",
    "seed", "shutdown_timeout",
))  # fmt: skip
"""Arguments of vLLM that are not part of who answers: parallelism, memory, speed, loading, logs.
`seed` is the engine's, for requests without one. Those that say which weights are loaded decide:
`load_format` ("dummy" is random ones), `ignore_patterns`, `model_loader_extra_config`."""

RESERVED = {
    "model": "it is the model's own key",
    "revision": "it is the model's own key",
    "served_model_name": "pairwright chooses it",
    "host": "the server listens on this machine alone",
    "port": "pairwright picks a free one",
    "uds": "pairwright picks a free port",
    "api_key": "the server listens on this machine alone",
    "ssl_keyfile": "the server listens on this machine alone",
    "input_file": "pairwright writes it",
    "output_file": "pairwright reads it",
    "config": "what stands in a file would be in no key; give the arguments here",
}

ON_CPU: Mapping[str, Any] = {
    "enforce_eager": True,  # compiling takes minutes, and gains nothing on small models
    "block_size": 32,  # vLLM's 128 finds no common prefix in short prompts
    "enable_chunked_prefill": False,  # a seed in a request whose prompt is cut stops the engine
    "max_num_batched_tokens": 16_384,  # without it, no prompt can be longer than this
    "kv_cache_memory_bytes": 4 * 2**30,  # by itself it takes all memory but 8 %
}
"""What is given to vLLM's build for the CPU (0.32.0) unless the recipe says otherwise."""


class Engine(Table):
    """`[models.NAME.engine]`: the arguments of vLLM's engine."""

    dtype: str | None = None
    """"bfloat16", "float16", "float32". Default: vLLM's "auto", the weights' own where the device
    can."""
    quantization: str | None = None
    """A method that vLLM knows, as in "fp8". Default: what the model's config says."""
    max_model_len: int | None = Field(default=None, ge=1)
    """Tokens of prompt and answer together. Default: what the model's config says."""
    chat_template: str | None = None
    """Path of a Jinja file, relative to the recipe. Default: the model's own template."""
    max_num_seqs: Annotated[int | None, Runtime] = Field(default=None, ge=1)
    """Samples that the engine works on at once. Default: vLLM's own for the device, 128 to 1,024."""
    tensor_parallel_size: Annotated[int | None, Runtime] = Field(default=None, ge=1)
    """GPUs that share the model."""
    gpu_memory_utilization: Annotated[Real | None, Runtime] = Field(default=None, gt=0, le=1)
    """Share of a GPU's memory that vLLM takes, in (0, 1]."""
    args: JsonObject = {}
    """Further arguments, by their names on vLLM's command line: max_lora_rank = 64 is
    --max-lora-rank 64, true a flag, false its --no- form, a table JSON. Those that are known to
    decide only speed, memory or logs are left out of the ledger's keys."""

    @field_validator("args")
    @classmethod
    def _known_names(cls, args: dict[str, Any]) -> dict[str, Any]:
        """`args` with underscores in their names. Raises ValueError for those given elsewhere."""
        named = {name.removeprefix("--").replace("-", "_"): value for name, value in args.items()}
        own = {name: f"engine.{name} is its key" for name in cls.model_fields if name != "args"}
        for name, why in (RESERVED | own).items():
            if name in named:
                raise ValueError(f"{name} cannot be set here: {why}")
        return named

    def identity(self) -> dict[str, Any]:
        """The arguments that are given and decide texts; `chat_template` by its path."""
        fields = super().identity()
        decisive = {name: value for name, value in self.args.items() if name not in RUNTIME_ARGS}
        fields["args"] = decisive or None
        return {name: value for name, value in fields.items() if value is not None}

    def flags(self, chat_template: str | None, *, on_cpu: bool) -> tuple[str, ...]:
        """The command line's arguments; `chat_template` is the path as the engine sees it."""
        given = {name: getattr(self, name) for name in type(self).model_fields if name != "args"}
        given["chat_template"] = chat_template
        wanted = {name: value for name, value in given.items() if value is not None} | self.args
        if on_cpu:
            wanted = {**ON_CPU, **wanted}
        return tuple(flag for name, value in wanted.items() for flag in _flag(name, value))


def _flag(name: str, value: Any) -> Iterator[str]:
    """One argument as words of a command line.

    >>> [list(_flag("a_b", value)) for value in (True, False, 2, "x", [1, "y"], {"k": 1})]
    [['--a-b'], ['--no-a-b'], ['--a-b', '2'], ['--a-b', 'x'], ['--a-b', '1', 'y'], ['--a-b', '{"k":1}']]
    """
    dashed = name.replace("_", "-")
    if isinstance(value, bool):
        yield f"--{'' if value else 'no-'}{dashed}"
        return
    yield f"--{dashed}"
    for word in value if isinstance(value, list) else [value]:
        yield orjson.dumps(word).decode() if isinstance(word, dict | list) else str(word)
