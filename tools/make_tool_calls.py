"""Writes the built-in tasks with tools: `python tools/make_tool_calls.py`.

    data/prompts/tool_calls.jsonl            id, messages, tools, answer (the gold calls), kind
    data/prompts/tool_calls_answers.jsonl    prompt (the last user message), answer: eight to each

Kinds: "one" call, "parallel" calls, a "later" turn (whose conversation has calls and results
already), and "none": no tool fits or an argument is missing, so that the gold answer is a sentence.
Tasks and answers are made up here and belong to pairwright. The seed is fixed, so the files come
out the same again.
"""

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "data" / "prompts"
SEED = 20262
ANSWERS = 8
OFFERED = 4
"""Tools that a task offers."""

SYSTEM = (
    "You can call tools. To call some, reply with nothing but a list of calls in square brackets, "
    'such as [first_tool(name="value", count=2), other_tool()]. Where no tool fits, or something '
    "that a tool needs is not known, reply in a sentence instead."
)

CITIES = ("Oslo", "Lisbon", "Kyoto", "Nairobi", "Lima", "Tallinn", "Porto", "Hanoi")
NAMES = ("Amara", "Bruno", "Chidi", "Daria", "Elif", "Farid", "Greta", "Hiro")
ROOMS = ("kitchen", "bedroom", "office", "hall")
LANGUAGES = ("Finnish", "Swahili", "Korean", "Basque")
CURRENCIES = ("EUR", "NOK", "JPY", "KES")

Arguments = dict[str, Any]


@dataclass(frozen=True)
class Task:
    """A question, its gold calls (or the sentence in their place), and what one may say instead."""

    kind: str
    question: str
    calls: tuple[tuple[str, Arguments], ...] = ()
    sentence: str = ""
    slips: tuple[tuple[str, Arguments], ...] = ()
    """Calls that are wrong in an argument or in the tool."""
    before: tuple[dict[str, Any], ...] = ()
    """Messages before the question."""
    needs: tuple[str, ...] = field(default=())
    """Tools that are offered although the gold answer calls none of them."""

    @property
    def gold(self) -> str:
        """The gold answer."""
        return written(self.calls) if self.calls else self.sentence


def text(about: str) -> dict[str, str]:
    """The schema of a text."""
    return {"type": "string", "description": about}


PARAMETERS: dict[str, tuple[str, dict[str, Any]]] = {
    "get_forecast": (
        "The weather of the next days.",
        {"city": text("Name of the city."), "days": {"type": "integer", "minimum": 1}},
    ),
    "convert_currency": (
        "An amount of money in another currency.",
        {"amount": {"type": "number"}, "source": text("ISO code."), "target": text("ISO code.")},
    ),
    "set_alarm": ("Sets an alarm.", {"time": text("HH:MM, 24 hours."), "label": text("A word.")}),
    "book_table": (
        "Books a table in a restaurant.",
        {"restaurant": text("Its name."), "guests": {"type": "integer"}, "time": text("HH:MM.")},
    ),
    "send_message": ("Sends a message.", {"recipient": text("A name."), "text": text("What.")}),
    "find_trains": (
        "Trains of a day.",
        {"origin": text("City."), "destination": text("City."), "date": text("YYYY-MM-DD.")},
    ),
    "set_heating": ("Heats a room.", {"room": text("Its name."), "celsius": {"type": "number"}}),
    "translate": ("Translates a text.", {"text": text("What."), "language": text("Into which.")}),
    "find_recipes": (
        "Recipes with some ingredients.",
        {
            "ingredients": {"type": "array", "items": {"type": "string"}},
            "minutes": {"type": "integer", "description": "Longest time to cook."},
        },
    ),
    "play_music": ("Plays music.", {"artist": text("Whose."), "shuffle": {"type": "boolean"}}),
}


def definition(name: str) -> dict[str, Any]:
    """A tool as the chat API has it; all of its arguments are required."""
    about, properties = PARAMETERS[name]
    parameters = {"type": "object", "properties": properties, "required": list(properties)}
    function = {"name": name, "description": about, "parameters": parameters}
    return {"type": "function", "function": function}


def written(calls: tuple[tuple[str, Arguments], ...]) -> str:
    """Calls as a list in Python's form."""
    each = (f"{name}({', '.join(f'{key}={_value(one)}' for key, one in given.items())})"
            for name, given in calls)  # fmt: skip
    return f"[{', '.join(each)}]"


def _value(value: Any) -> str:
    return repr(value) if isinstance(value, bool) else json.dumps(value, ensure_ascii=False)


Story = Callable[[random.Random], Task]


def _forecast(r: random.Random) -> Task:
    (city, other), days = r.sample(CITIES, 2), r.randint(2, 6)
    return Task(
        "one", f"What will the weather be like in {city} over the next {days} days?",
        (("get_forecast", {"city": city, "days": days}),),
        slips=(("get_forecast", {"city": city, "days": days + 1}),
               ("get_forecast", {"city": other, "days": days}),
               ("get_forecast", {"city": city}),
               ("get_weather", {"city": city, "days": days})),
    )  # fmt: skip


def _currency(r: random.Random) -> Task:
    (source, target), amount = r.sample(CURRENCIES, 2), r.randint(3, 80) * 2.5
    return Task(
        "one", f"How much are {amount:g} {source} in {target}?",
        (("convert_currency", {"amount": amount, "source": source, "target": target}),),
        slips=(("convert_currency", {"amount": amount, "source": target, "target": source}),
               ("convert_currency", {"amount": amount * 10, "source": source, "target": target}),
               ("convert_currency", {"amount": f"{amount:g}", "source": source, "target": target}),
               ("convert_currency", {"amount": amount, "target": target})),
    )  # fmt: skip


def _alarm(r: random.Random) -> Task:
    hour, minute, label = r.randint(1, 11), r.choice((5, 15, 40)), r.choice(("tea", "bus", "gym"))
    return Task(
        "one", f"Wake me at {minute} past {hour} in the evening and call the alarm {label}.",
        (("set_alarm", {"time": f"{hour + 12}:{minute:02}", "label": label}),),
        slips=(("set_alarm", {"time": f"{hour:02}:{minute:02}", "label": label}),
               ("set_alarm", {"time": f"{hour + 12}:{minute:02}", "label": "alarm"}),
               ("set_alarm", {"time": f"{hour + 12}:{minute:02}"}),
               ("send_message", {"recipient": "me", "text": label})),
    )  # fmt: skip


def _table(r: random.Random) -> Task:
    place, guests, hour = (
        r.choice(("Al Forno", "Blue Door", "Mesa")),
        r.randint(2, 8),
        r.randint(18, 21),
    )
    right = {"restaurant": place, "guests": guests, "time": f"{hour}:30"}
    return Task(
        "one", f"Get us a table at {place} for {guests} at half past {hour - 12} tonight.",
        (("book_table", right),),
        slips=(("book_table", right | {"time": f"{hour - 12:02}:30"}),
               ("book_table", right | {"guests": guests + 1}),
               ("book_table", right | {"restaurant": place.lower()}),
               ("book_table", right | {"time": f"{hour}:00"})),
    )  # fmt: skip


def _trains(r: random.Random) -> Task:
    (origin, destination), day = r.sample(CITIES, 2), r.randint(10, 28)
    right = {"origin": origin, "destination": destination, "date": f"2027-03-{day}"}
    return Task(
        "one", f"Which trains go from {origin} to {destination} on {day} March 2027?",
        (("find_trains", right),),
        slips=(("find_trains", right | {"origin": destination, "destination": origin}),
               ("find_trains", right | {"date": f"{day}.3.2027"}),
               ("find_trains", right | {"date": f"2026-03-{day}"}),
               ("find_trains", {"origin": origin, "destination": destination})),
    )  # fmt: skip


def _recipes(r: random.Random) -> Task:
    two, minutes = r.sample(("leek", "rice", "beans", "tofu", "squash"), 2), r.choice((20, 30, 45))
    return Task(
        "one", f"Find me something with {two[0]} and {two[1]} that is done in {minutes} minutes.",
        (("find_recipes", {"ingredients": two, "minutes": minutes}),),
        slips=(("find_recipes", {"ingredients": two[:1], "minutes": minutes}),
               ("find_recipes", {"ingredients": ", ".join(two), "minutes": minutes}),
               ("find_recipes", {"ingredients": two, "minutes": str(minutes)}),
               ("find_recipes", {"ingredients": two})),
    )  # fmt: skip


def _music(r: random.Random) -> Task:
    artist, shuffle = r.choice(("Nina Simone", "Tinariwen", "Björk")), r.random() < 0.5
    return Task(
        "one", f"Play something by {artist}, {'in any order' if shuffle else 'do not shuffle it'}.",
        (("play_music", {"artist": artist, "shuffle": shuffle}),),
        slips=(("play_music", {"artist": artist, "shuffle": not shuffle}),
               ("play_music", {"artist": artist, "shuffle": int(shuffle)}),
               ("play_music", {"artist": artist}),
               ("play_music", {"artist": "", "shuffle": shuffle})),
    )  # fmt: skip


def _two_forecasts(r: random.Random) -> Task:
    (one, two), days = r.sample(CITIES, 2), r.randint(2, 6)
    first, second = (
        ("get_forecast", {"city": one, "days": days}),
        ("get_forecast", {"city": two, "days": days}),
    )
    return Task(
        "parallel", f"Compare the weather of the next {days} days in {one} and in {two}.",
        (first, second),
        slips=(first, second, ("get_forecast", {"city": f"{one} and {two}", "days": days}),
               ("get_forecast", {"city": one, "days": 1})),
    )  # fmt: skip


def _leave_home(r: random.Random) -> Task:
    name, room, degrees = r.choice(NAMES), r.choice(ROOMS), r.choice((16.5, 17.0, 18.5))
    heat = ("set_heating", {"room": room, "celsius": degrees})
    message = ("send_message", {"recipient": name, "text": "I am on my way."})
    return Task(
        "parallel",
        f'Set the {room} to {degrees:g} degrees and write to {name}: "I am on my way."',
        (heat, message),
        slips=(heat, message, ("set_heating", {"room": room, "celsius": round(degrees * 2)}),
               ("send_message", {"recipient": name, "text": "On my way"})),
    )  # fmt: skip


def _no_tool(r: random.Random) -> Task:
    name = r.choice(NAMES)
    return Task(
        "none", f"What is a good name for {name}'s new bakery?",
        sentence="How about The Early Crumb? It is short, warm, and says when to come.",
        slips=(("send_message", {"recipient": name, "text": "The Early Crumb"}),
               ("find_recipes", {"ingredients": ["bread"], "minutes": 60}),
               ("get_name", {"kind": "bakery"}), ("search", {"query": "bakery names"})),
        needs=("send_message", "find_recipes"),
    )  # fmt: skip


def _missing(r: random.Random) -> Task:
    city, day = r.choice(CITIES), r.randint(10, 28)
    return Task(
        "none", f"Find me a train to {city} on {day} March 2027.",
        sentence="From which city do you want to leave?",
        slips=(("find_trains", {"destination": city, "date": f"2027-03-{day}"}),
               ("find_trains", {"origin": "", "destination": city, "date": f"2027-03-{day}"}),
               ("find_trains", {"origin": city, "destination": city, "date": f"2027-03-{day}"}),
               ("get_forecast", {"city": city, "days": day})),
        needs=("find_trains", "get_forecast"),
    )  # fmt: skip


def _later(r: random.Random) -> Task:
    text_, (first, second) = (
        r.choice(("Good morning", "See you soon", "Thank you")),
        r.sample(LANGUAGES, 2),
    )
    call = {"name": "translate", "arguments": json.dumps({"text": text_, "language": first})}
    return Task(
        "later", f"And in {second}?",
        (("translate", {"text": text_, "language": second}),),
        slips=(("translate", {"text": "And", "language": second}),
               ("translate", {"text": text_, "language": first}),
               ("translate", {"text": text_}),
               ("send_message", {"recipient": second, "text": text_})),
        before=(
            {"role": "user", "content": f'How do you say "{text_}" in {first}?'},
            {"role": "assistant", "content": None,
             "tool_calls": [{"id": "c1", "type": "function", "function": call}]},
            {"role": "tool", "tool_call_id": "c1", "content": f'{{"{first}": "(said)"}}'},
            {"role": "assistant", "content": "I have it on the screen for you."},
        ),
    )  # fmt: skip


STORIES: tuple[Story, ...] = (
    _forecast, _currency, _alarm, _table, _trains, _recipes, _music, _two_forecasts, _leave_home,
    _no_tool, _missing, _later,
)  # fmt: skip
DRAWS = 4
"""Tasks made from each story."""


def tools_of(task: Task, chance: random.Random) -> list[dict[str, Any]]:
    """The tools of the gold calls and others, in seeded order."""
    names = list(dict.fromkeys([*(name for name, _ in task.calls), *task.needs]))
    rest = [name for name in PARAMETERS if name not in names]
    names += chance.sample(rest, OFFERED - len(names))
    return [definition(name) for name in chance.sample(names, len(names))]


def answers_to(task: Task) -> Iterator[str]:
    """Eight answers: the gold one twice, calls that are wrong, a broken one, and words instead."""
    yield from (task.gold, task.gold)
    yield from (written((slip,)) for slip in task.slips)
    yield written(task.slips[:1])[:-2]
    yield "I am sorry, I cannot do that." if task.calls else "Done."


def make_tasks() -> list[Task]:
    """All tasks, the stories taking turns; no question twice."""
    tasks: dict[str, Task] = {}
    for turn in range(DRAWS):
        for number, story in enumerate(STORIES):
            for again in range(99):
                task = story(random.Random(f"{SEED} {turn} {number} {again}"))
                if task.question not in tasks:
                    tasks[task.question] = task
                    break
    return list(tasks.values())


def main() -> None:
    """Writes both files."""
    prompts, answers = [], []
    for number, task in enumerate(make_tasks()):
        messages = [
            {"role": "system", "content": SYSTEM},
            *task.before,
            {"role": "user", "content": task.question},
        ]
        tools = tools_of(task, random.Random(f"{SEED} {number}"))
        row = {"id": f"tool_calls-{number + 1:02}", "messages": messages, "tools": tools}
        prompts.append({**row, "answer": task.gold, "kind": task.kind})
        answers += [{"prompt": task.question, "answer": answer} for answer in answers_to(task)]
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, rows in (("tool_calls", prompts), ("tool_calls_answers", answers)):
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (FOLDER / f"{name}.jsonl").write_text(lines, encoding="utf-8")


if __name__ == "__main__":
    main()
