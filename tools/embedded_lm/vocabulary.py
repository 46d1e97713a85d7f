r"""The vocabulary: special tokens, single characters, the phrases of the language, fence digits.

A text is cut from left to right into the longest phrase that fits, else into one character. The
sixteen digits of a judge's fence ("<<<5c1f0a9be2d84a77", `pipelines/judging/fence.py`) are cut in
twos, so that they are no digits of the arithmetic, and cost half.
"""

from tools.embedded_lm.problems import GAINS, LOSSES, NAMES, THINGS

PAD, START, END = SPECIALS = ("<|pad|>", "<|im_start|>", "<|im_end|>")
PAD_ID, START_ID, END_ID = range(3)

UNKNOWN = "�"
"""What a character outside printable ASCII becomes: it is seen, and nothing fails."""

CHARACTERS = ("\n", *map(chr, range(0x20, 0x7F)))

ROLES = ("system\n", "user\n", "assistant\n")
PHRASES = (
    *ROLES,
    *NAMES,
    *(f" {thing}" for thing in THINGS),
    *(f", {verb} " for verb in (*GAINS, *LOSSES)),
    " has ", ". How many?", "Answer: ",
    "JUDGE\n", "COMPARE\n", "REVISE\n", "Given: ", "A: ", "B: ", " yes", " no",
    "Rating: ", "Verdict: ", " tie",
    "<<<", ">>>",
)  # fmt: skip

FENCE_PAIRS = tuple(f"{byte:02x}" for byte in range(256))

VOCABULARY = (*SPECIALS, UNKNOWN, *CHARACTERS, *PHRASES, *FENCE_PAIRS)
"""All tokens; a token's place is its id."""

assert len(set(VOCABULARY)) == len(VOCABULARY)
