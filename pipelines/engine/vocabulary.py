"""The vocabulary: text to tokens and back, and conversations by the checkpoint's chat template.

What somebody wrote cannot imitate the template: the text of a special token inside a message, such
as "<|im_end|>", is marked before the template is rendered, and encoded as the characters it is.
"""

import re
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import Any

import orjson
from tokenizers import Tokenizer

from pipelines.exporting.chat import Chat
from pipelines.wire.body import chat_message
from schemas.rows import Message

OPENS, CLOSES = "\ufdd0", "\ufdd1"
"""Around what only looks like a special token. Unicode keeps both for use inside programs."""
NO_MARK = str.maketrans({OPENS: "\ufffd", CLOSES: "\ufffd"})
REPLACEMENT = "\ufffd"
"""What bytes that are no character, or not yet one, are decoded to."""
MOST_HELD = 64
"""Tokens without a whole character after which no more are waited for: they are no text."""
MARKED = re.compile(f"{OPENS}(.*?){CLOSES}", re.DOTALL)


class Vocabulary:
    """The tokens of a model."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat
        self._literal = Tokenizer.from_str(chat.tokenizer.to_str())
        self._literal.encode_special_tokens = True
        added = chat.tokenizer.get_added_tokens_decoder().values()
        special = [re.escape(token.content) for token in added if token.special]
        self._special = re.compile("|".join(sorted(special, key=len, reverse=True)) or "(?!)")
        self.token = cache(self._token)

    @property
    def size(self) -> int:
        """Number of tokens."""
        return int(self._chat.tokenizer.get_vocab_size())

    def encode(self, text: str) -> list[int]:
        """The tokens of a text in which special tokens are meant as such."""
        return self._chat.encode([text])[0]

    def encode_literally(self, text: str) -> list[int]:
        """The tokens of a text that somebody wrote, in which nothing is special."""
        return list(self._literal.encode(text, add_special_tokens=False).ids)

    def conversation(self, messages: Sequence[Message], tools: str | None = None) -> list[int]:
        """The tokens of `messages`, up to where an answer begins. Raises Unrenderable."""
        shown = [self._marked(chat_message(message)) for message in messages]
        if tools is not None:
            tools = orjson.dumps(self._marked(orjson.loads(tools))).decode()
        text = self._chat.render(shown, tools, ask=True)
        ids: list[int] = []
        for number, part in enumerate(MARKED.split(text)):  # every other one was marked
            ids += self.encode_literally(part) if number % 2 else self.encode(part)
        return ids

    def decode(self, ids: Sequence[int]) -> str:
        """The text of tokens, without special ones."""
        return str(self._chat.tokenizer.decode(ids))

    def texts(self, ids: Sequence[int]) -> list[str]:
        """The text that each token adds to those before it; all together are the whole text.

        The bytes of a character may be several tokens: all but the last add nothing, as with vLLM.
        """
        texts: list[str] = []
        held: list[int] = []
        for token in ids:
            held.append(token)
            text = self._with_special(held) if len(held) > 1 else self.token(token)
            begun = text.endswith(REPLACEMENT) and len(held) < MOST_HELD
            begun = begun and not self._replaces(token)
            texts.append("" if begun else text)
            held = held if begun else []
        if held:
            texts[-1] = self._with_special(held)
        return texts

    def spelling(self, text: str) -> list[str]:
        """The part of a text that each of its tokens stands for, unknown characters included."""
        encoding = self._literal.encode(text, add_special_tokens=False)
        texts = self.texts(encoding.ids)
        if "".join(texts) == text:
            return texts
        begins = [begin for begin, _ in encoding.offsets]
        return [text[begin:end] for begin, end in pairwise([0, *begins[1:], len(text)])]

    def _replaces(self, token: int) -> bool:
        """Whether a token is the character itself, rather than bytes that are none: an unknown."""
        return str(self._chat.tokenizer.id_to_token(token)).endswith(REPLACEMENT)

    def _token(self, token: int) -> str:
        """The text of one token by itself."""
        return self._with_special([token])

    def _with_special(self, ids: Sequence[int]) -> str:
        return str(self._chat.tokenizer.decode(ids, skip_special_tokens=False))

    def _marked(self, value: Any) -> Any:
        """`value` with what looks like a special token in its texts marked."""
        if isinstance(value, str):
            return self._special.sub(rf"{OPENS}\g<0>{CLOSES}", value.translate(NO_MARK))
        if isinstance(value, dict):
            return {name: self._marked(entry) for name, entry in value.items()}
        return [self._marked(entry) for entry in value] if isinstance(value, list) else value
