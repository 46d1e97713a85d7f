"""Writes the built-in instructions to be rewritten: `python tools/make_instructions.py`.

    data/prompts/wordy_sums.jsonl    id, request, instruction, answer, task

They are sums of `sums_held_out` in more words than the shipped policy understands: small talk before
them, and after. `request` is what a model that rewrites is asked, as a system message. The seed is
fixed, so the file comes out the same again.
"""

import json
import random
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "data" / "prompts"
SEED = 20263
COUNT = 60

REQUEST = (
    "Rewrite the user's instruction so that an assistant answers it better. Reply with the "
    "rewritten instruction alone, or with the instruction itself where it is best left as it is."
)

BEFORE = (
    "",
    "Hello there! ",
    "I hope that you are well. ",
    "Please help me with my homework. ",
    "This one is on the blackboard. ",
)
AFTER = (
    "",
    " Many thanks!",
    " I need it before noon.",
    " My little brother could not find out.",
)


def wordy(sum_: str, chance: random.Random) -> str:
    """A sum with words around it; one in twenty has none."""
    return f"{chance.choice(BEFORE)}{sum_}{chance.choice(AFTER)}"


def main() -> None:
    """Writes the file."""
    lines = (FOLDER / "sums_held_out.jsonl").read_text(encoding="utf-8").splitlines()[:COUNT]
    rows = []
    for number, row in enumerate(map(json.loads, lines), 1):
        chance = random.Random(f"{SEED} {number}")
        rows.append(
            {
                "id": f"wordy_sums-{number:02}",
                "request": REQUEST,
                "instruction": wordy(row["question"], chance),
                "answer": row["answer"],
                "task": "math, helpfulness",
            }
        )
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (FOLDER / "wordy_sums.jsonl").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
