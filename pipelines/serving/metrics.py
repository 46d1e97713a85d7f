"""What a vLLM engine counted: the few figures of `/metrics` that say how well it was used."""

import re
from dataclasses import dataclass

SAMPLE = re.compile(r"^vllm:(\w+)(?:\{[^}]*\})? ([0-9.eE+-]+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class EngineFigures:
    """Counts since the start of an engine."""

    prompt_tokens: int = 0
    """Tokens of prompts, once for each sample of them."""
    cached_tokens: int = 0
    """Those of them that were found in the prefix cache."""
    completion_tokens: int = 0
    preemptions: int = 0
    """Samples that were put back because the memory for keys and values was full."""

    def in_words(self, seconds: float) -> str:
        """The figures of `seconds` of work.

        >>> EngineFigures(2000, 1500, 640, 3).in_words(0.5)
        '640 tokens written, 1,280 a second; prefix cache 75 % of 2,000 prompt tokens; 3 preemptions'
        >>> EngineFigures(2000, 500).in_words(4)
        '2,000 tokens read, 500 a second; prefix cache 25 % of 2,000 prompt tokens'
        """
        written = self.completion_tokens or not self.prompt_tokens  # a reward model writes nothing
        tokens = self.completion_tokens if written else self.prompt_tokens
        rate = f", {tokens / seconds:,.0f} a second" if seconds else ""
        words = [f"{tokens:,} tokens {'written' if written else 'read'}{rate}"]
        if self.prompt_tokens:
            share = 100 * self.cached_tokens / self.prompt_tokens
            words.append(f"prefix cache {share:.0f} % of {self.prompt_tokens:,} prompt tokens")
        if self.preemptions:
            words.append(f"{self.preemptions:,} preemptions")
        return "; ".join(words)


def read_figures(text: str) -> EngineFigures:
    r"""The figures in the text of `/metrics`, summed over engines; what is missing counts 0.

    >>> read_figures('vllm:generation_tokens_total{engine="0"} 160.0\n'
    ...              'vllm:generation_tokens_total{engine="1"} 2e1\n').completion_tokens
    180
    """
    sums: dict[str, float] = {}
    for name, value in SAMPLE.findall(text):
        sums[name] = sums.get(name, 0.0) + float(value)
    return EngineFigures(
        prompt_tokens=int(sums.get("prefix_cache_queries_total", 0)),
        cached_tokens=int(sums.get("prefix_cache_hits_total", 0)),
        completion_tokens=int(sums.get("generation_tokens_total", 0)),
        preemptions=int(sums.get("num_preemptions_total", 0)),
    )
