"""Families of models: which share a maker, by their names."""

import re
from collections.abc import Mapping

FAMILIES = {
    "cerebras": ("cerebras",),
    "gpt": ("gpt", "chatgpt", "davinci", "o1", "o3", "o4"),
    "claude": ("claude", "opus", "sonnet", "haiku"),
    "gemini": ("gemini", "gemma", "palm", "bard"),
    "llama": ("llama", "alpaca", "vicuna", "tulu"),
    "mistral": ("mistral", "mixtral", "ministral", "zephyr"),
    "qwen": ("qwen", "qwq"),
    "deepseek": ("deepseek",),
    "phi": ("phi",),
    "command": ("command", "aya"),
}
"""Family -> words that begin the names of its models, or of models made of them."""

_WORD_OF = {word: family for family, words in FAMILIES.items() for word in words}


def family(name: str, declared: Mapping[str, str] = {}) -> str | None:
    """The family of a model, or of a judge, by its name or the identity of its judgments.

    `declared` has the families of some by their names, and wins. The first word of the name that
    is known decides, else its first word; None for a name without one.

    >>> family("meta-llama/Meta-Llama-3-8B-Instruct"), family("gpt-4o-mini#3fa0"), family("gpt35")
    ('llama', 'gpt', 'gpt')
    >>> family("recorded:gpt4"), family("bloom-7b"), family("org/mine-7b"), family("7")
    ('gpt', 'bloom', 'mine', None)
    >>> family("judge-v2", {"judge-v2": "llama"})
    'llama'
    """
    plain = name.removeprefix("recorded:").partition("#")[0]
    if name in declared or plain in declared:
        return declared.get(name) or declared[plain]
    words = re.findall(r"[a-z]+\d?", plain.lower())
    stems = [word if word in _WORD_OF else word.rstrip("0123456789") for word in words]
    known = next((_WORD_OF[stem] for stem in stems if stem in _WORD_OF), None)
    own = re.search(r"[a-z]+", plain.rpartition("/")[2].lower())
    return known or (own[0] if own else None)
