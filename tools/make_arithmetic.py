"""Writes the built-in word problems and their prepared answers: `python tools/make_arithmetic.py`.

    data/prompts/arithmetic.jsonl            id, question, answer
    data/prompts/arithmetic_answers.jsonl    prompt (the question), answer: six to each problem

The problems and the answers are made up here and belong to pairwright. The seed is fixed, so the
files come out the same again.
"""

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "data" / "prompts"
SEED = 20261
DRAWS = 3
"""Problems made from each story."""
ANSWERS = 6
RIGHT = (6, 4, 3, 3, 2, 4, 3, 2, 5, 3, 1, 4, 3, 0, 2, 3)
"""Right answers among the six, problem by problem: some problems are easy, some too hard."""

NAMES = ("Amara", "Bruno", "Chidi", "Daria", "Elif", "Farid", "Greta", "Hiro", "Ines", "Jonas",
         "Kavya", "Leon", "Mira", "Nils", "Oona", "Pavel")  # fmt: skip

OPERATIONS: dict[str, Callable[[int, int], int]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a // b,
}


@dataclass(frozen=True)
class Step:
    """One line of a solution: `what` = `left` `sign` `right`. A None is the result before."""

    what: str
    left: int | None
    sign: str
    right: int | None

    def operands(self, before: int) -> tuple[int, int]:
        """The two numbers, with the result of the step before filled in."""
        left = before if self.left is None else self.left
        return left, before if self.right is None else self.right


@dataclass(frozen=True)
class Problem:
    """A question and its solution."""

    question: str
    steps: tuple[Step, ...]

    def answer(self) -> int:
        """The result of the last step."""
        result = 0
        for step in self.steps:
            result = OPERATIONS[step.sign](*step.operands(result))
        return result


Story = Callable[[random.Random, str], Problem]


def _pencils(r: random.Random, name: str) -> Problem:
    boxes, each, given = r.randint(3, 9), r.randint(8, 24), r.randint(5, 20)
    return Problem(
        f"{name} buys {boxes} boxes with {each} pencils in each, and gives {given} pencils to a "
        f"neighbour. How many pencils does {name} keep?",
        (Step("pencils bought", boxes, "*", each), Step("pencils kept", None, "-", given)),
    )


def _bus(r: random.Random, _: str) -> Problem:
    start, off, on = r.randint(30, 52), r.randint(8, 19), r.randint(4, 15)
    return Problem(
        f"A bus leaves the station with {start} passengers. At the first stop {off} get off and "
        f"{on} get on. How many passengers are on the bus now?",
        (Step("after some get off", start, "-", off), Step("after others get on", None, "+", on)),
    )


def _garden(r: random.Random, name: str) -> Problem:
    rows, plants, frozen = r.randint(4, 9), r.randint(6, 14), r.randint(3, 12)
    return Problem(
        f"{name} plants {rows} rows of {plants} tomato plants. A cold night kills {frozen} of "
        "them. How many plants are left?",
        (Step("plants in all", rows, "*", plants), Step("plants left", None, "-", frozen)),
    )


def _savings(r: random.Random, name: str) -> Problem:
    weeks, each, price = r.randint(6, 14), r.randint(7, 15), r.randint(20, 40)
    return Problem(
        f"{name} saves {each} euros a week for {weeks} weeks and then buys a jacket for {price} "
        "euros. How many euros are left?",
        (Step("euros saved", each, "*", weeks), Step("euros left", None, "-", price)),
    )


def _cookies(r: random.Random, name: str) -> Problem:
    bags, each, burnt = r.randint(5, 9), r.randint(6, 12), r.randint(2, 11)
    return Problem(
        f"{name} bakes cookies and throws away {burnt} that are burnt. The others fill exactly "
        f"{bags} bags with {each} cookies in each. How many cookies did {name} bake?",
        (Step("cookies in bags", bags, "*", each), Step("cookies baked", None, "+", burnt)),
    )


def _pages(r: random.Random, name: str) -> Problem:
    days, each, read = r.randint(4, 9), r.randint(12, 30), r.randint(15, 60)
    return Problem(
        f"{name} has read {read} pages of a book and reads the rest in {days} days, {each} pages "
        "a day. How many pages does the book have?",
        (Step("pages still to read", days, "*", each), Step("pages of the book", None, "+", read)),
    )


def _marbles(r: random.Random, name: str) -> Problem:
    friends, each, kept = r.randint(3, 8), r.randint(5, 14), r.randint(6, 20)
    total = friends * each + kept
    return Problem(
        f"{name} has {total} marbles, keeps {kept} and shares the others equally among {friends} "
        "friends. How many marbles does each friend get?",
        (Step("marbles to share", total, "-", kept), Step("for each friend", None, "/", friends)),
    )


def _train(r: random.Random, _: str) -> Problem:
    speed, hours, far = r.choice((60, 70, 80, 90, 110)), r.randint(2, 5), r.randint(25, 95)
    return Problem(
        f"A train travels at {speed} kilometres an hour for {hours} hours, and then another {far} "
        "kilometres on a slow line. How many kilometres does it travel?",
        (Step("kilometres at speed", speed, "*", hours), Step("in all", None, "+", far)),
    )


def _tickets(r: random.Random, name: str) -> Problem:
    adults, children, dear = r.randint(2, 4), r.randint(2, 5), r.randint(9, 14)
    paid_by_children = children * 5
    return Problem(
        f"A museum ticket costs {dear} euros for an adult and 5 euros for a child. {name} buys "
        f"tickets for {adults} adults and {children} children. How many euros is that?",
        (
            Step("for the adults", adults, "*", dear),
            Step(f"with {children} * 5 = {paid_by_children} for the children", None, "+",
                 paid_by_children),
        ),
    )  # fmt: skip


def _eggs(r: random.Random, name: str) -> Problem:
    hens, each, days = r.randint(4, 9), r.randint(2, 3), r.randint(5, 12)
    return Problem(
        f"Each of {name}'s {hens} hens lays {each} eggs every two days. How many eggs do they lay "
        f"in {2 * days} days?",
        (
            Step("eggs in two days", hens, "*", each),
            Step(f"in {days} times two days", None, "*", days),
        ),
    )


def _ribbon(r: random.Random, name: str) -> Problem:
    bows, each, left = r.randint(6, 12), r.randint(15, 35), r.randint(5, 14)
    total = bows * each + left
    return Problem(
        f"From a ribbon of {total} centimetres, {name} cuts pieces of {each} centimetres until "
        f"{left} centimetres are left. How many pieces are there?",
        (Step("centimetres cut off", total, "-", left), Step("pieces", None, "/", each)),
    )


def _tank(r: random.Random, _: str) -> Problem:
    inflow, outflow, minutes = r.randint(14, 25), r.randint(4, 11), r.randint(6, 15)
    return Problem(
        f"A tank is empty. Each minute {inflow} litres run in and {outflow} litres run out. How "
        f"many litres are in the tank after {minutes} minutes?",
        (
            Step("litres gained each minute", inflow, "-", outflow),
            Step("litres in the tank", None, "*", minutes),
        ),
    )


def _half(r: random.Random, name: str) -> Problem:
    half, spent = r.randint(12, 40), r.randint(4, 11)
    return Problem(
        f"{name} has {2 * half} stamps, sells half of them and then loses {spent}. How many stamps "
        "are left?",
        (Step("after selling half", 2 * half, "/", 2), Step("stamps left", None, "-", spent)),
    )


def _shelves(r: random.Random, _: str) -> Problem:
    shelves, each, lent, back = (
        r.randint(5, 9),
        r.randint(18, 32),
        r.randint(20, 40),
        r.randint(5, 18),
    )
    return Problem(
        f"A small library has {shelves} shelves with {each} books on each. In spring it lends "
        f"{lent} books, and {back} of these come back. How many books does it hold then?",
        (
            Step("books at first", shelves, "*", each),
            Step("after lending", None, "-", lent),
            Step("after the returns", None, "+", back),
        ),
    )


def _wages(r: random.Random, name: str) -> Problem:
    hours, wage, tax = r.randint(12, 30), r.randint(11, 19), r.randint(25, 60)
    return Problem(
        f"{name} works {hours} hours for {wage} euros an hour and pays {tax} euros of tax. How "
        "many euros remain?",
        (Step("euros earned", hours, "*", wage), Step("euros after tax", None, "-", tax)),
    )


def _team(r: random.Random, _: str) -> Problem:
    teams, each, substitutes = r.randint(4, 8), r.randint(5, 11), r.randint(2, 4)
    return Problem(
        f"{teams} teams come to a tournament, each with {each} players and {substitutes} "
        "substitutes. How many people is that?",
        (Step("people in a team", each, "+", substitutes), Step("in all teams", None, "*", teams)),
    )


STORIES: tuple[Story, ...] = (
    _pencils, _bus, _garden, _savings, _cookies, _pages, _marbles, _train, _tickets, _eggs,
    _ribbon, _tank, _half, _shelves, _wages, _team,
)  # fmt: skip

OPENINGS = ("", "Let us work it out.\n", "I go step by step.\n", "Here is the calculation.\n")


def solved(problem: Problem, style: random.Random, slip: str | None) -> str:
    """A worked answer, with one slip of the kind named: in a result, a sign, or a step left out."""
    slipped = style.randrange(len(problem.steps))
    steps = problem.steps[:-1] if slip == "left out" else problem.steps
    lines, result = [], 0
    numbered = style.random() < 0.5
    for number, step in enumerate(steps):
        left, right = step.operands(result)
        sign = step.sign
        if slip == "sign" and number == slipped:
            sign = {"+": "-", "-": "+", "*": "+", "/": "-"}[sign]
        result = OPERATIONS[sign](left, right)
        if slip == "result" and number == slipped:
            result += style.choice((-10, -2, -1, 1, 2, 10))
        what = f"{step.what[0].upper()}{step.what[1:]}"
        lead = f"{number + 1}. " if numbered else ""
        lines.append(f"{lead}{what}: {left} {sign} {right} = {result}.")
    return f"{style.choice(OPENINGS)}{chr(10).join(lines)}\nThe answer is {result}."


def answers_to(problem: Problem, style: random.Random, right: int) -> Iterator[str]:
    """Six different answers, `right` of them right, in seeded order."""
    given: list[str] = []
    while len(given) < ANSWERS:
        slip = None if len(given) < right else style.choice(("result", "sign", "left out"))
        answer = solved(problem, style, slip)
        is_right = answer.endswith(f" {problem.answer()}.")
        if answer not in given and is_right == (slip is None):
            given.append(answer)
    style.shuffle(given)
    yield from given


def make_problems() -> list[Problem]:
    """All problems, the stories taking turns."""
    problems = []
    for turn in range(DRAWS):
        for number, story in enumerate(STORIES):
            chance = random.Random(f"{SEED} {turn} {number}")
            problems.append(story(chance, NAMES[(number + 5 * turn) % len(NAMES)]))
    return problems


def main() -> None:
    """Writes both files."""
    prompts, answers = [], []
    for number, problem in enumerate(make_problems()):
        row = {"id": f"arithmetic-{number + 1:02}", "question": problem.question}
        prompts.append({**row, "answer": str(problem.answer())})
        right = RIGHT[(number * 7) % len(RIGHT)]
        given = answers_to(problem, random.Random(f"{SEED} {number}"), right)
        answers += [{"prompt": problem.question, "answer": answer} for answer in given]
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, rows in (("arithmetic", prompts), ("arithmetic_answers", answers)):
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (FOLDER / f"{name}.jsonl").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
