"""A plan as text: the page that `pairwright plan` prints."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from flows.texts.plain import aligned, count, counted, duration, money, short
from pipelines.planning.estimate import Estimate, total_of

if TYPE_CHECKING:
    from pipelines.planning.part_plan import PartPlan, Plan, Worst
    from pipelines.recipe import Recipe

HEAD = ("part", "model", "calls", "samples", "tokens in", "tokens out", "money")
COLUMNS = ("calls", "samples", "prompt_tokens", "completion_tokens")


def plan_text(plan: "Plan", recipe: "Recipe") -> str:
    """The page, in paragraphs."""
    asking = any(one.models() for one in recipe.samplers) or any(
        one.models() for one in recipe.judges
    )
    if not asking:
        return (
            f"{counted(plan.units, 'prompt')}\n\n"
            "This recipe calls no model: a build of it costs nothing."
        )
    counted_on = f", counted on {count(plan.sampled_units)}" if _is_sampled(plan) else ""
    held = f"{counted(round(plan.replayed), 'sample')} in the ledger already"
    paragraphs = [
        f"{counted(plan.units, 'prompt')}{counted_on}; {held}",
        _survival(plan, recipe),
        _pilot(plan),
        _table(plan) if plan.parts else "Nothing is left to call.",
        "\n".join(_spared(plan)),
        "\n".join(_totals(plan)) if plan.parts else "",
        "\n".join(_budget(plan, recipe)),
    ]
    return "\n\n".join(filter(None, paragraphs))


def _is_sampled(plan: "Plan") -> bool:
    return plan.sampled_units < plan.units


def _survival(plan: "Plan", recipe: "Recipe") -> str:
    """How many prompts the wanted pairs are likely to take."""
    if plan.survival is None or recipe.exactly is None:
        return ""
    known, pairs = plan.survival.prompts, plan.survival.pairs
    wanted = f"{counted(recipe.exactly.pairs, 'pair')} wanted"
    if not pairs:
        return (
            f"{wanted}: all prompts are counted, the most that are drawn once each; "
            "`--pilot 20` tells how many it is likely to take"
        )
    gave = f"the first {counted(known, 'prompt')} gave {count(pairs)}"
    if pairs >= recipe.exactly.pairs:
        return f"{wanted}: {gave}"
    return f"{wanted}: {gave}, so about {counted(plan.survival.needed, 'prompt')} are drawn"


def _pilot(plan: "Plan") -> str:
    if plan.pilot is None:
        return ""
    latency = ", ".join(f"{model} {mean:.3g} s" for model, mean in plan.pilot.latency.items())
    spent = plan.pilot.spent
    took = [counted(spent.calls, "call")]
    if spent.tokens:
        took.append(f"{short(spent.tokens)} tokens")
    if spent.money:
        took.append(money(spent.money))
    return f"the pilot took {', '.join(took)}" + (f"; a reply: {latency}" if latency else "")


def _table(plan: "Plan") -> str:
    rows = [HEAD, *(_row(part.part, part.model, [part]) for part in plan.parts)]
    if len(plan.parts) > 1:
        rows.append(_row("all", "", plan.parts))
    table = aligned(rows)
    return "\n".join([table, *_rests(plan.parts)])


def _rests(parts: "Sequence[PartPlan]") -> Iterator[str]:
    """What the figures rest on: what is assumed, and how many prompts told the rest."""
    figures = [(part, getattr(part, column)) for part in parts for column in COLUMNS]
    if any(figure.plus_minus is None for _, figure in figures):
        yield "* assumed: how long texts are, and that answers to one prompt all differ;"
        yield "  `--pilot 20` measures it"
    told = sorted({part.known_units for part, figure in figures if (figure.plus_minus or 0) >= 0.5})
    if told:
        most = f"{count(told[0])} to {count(told[-1])}" if len(told) > 1 else count(told[0])
        yield f"± half of a 95 % interval, as far as the replies to {most} prompts tell"


def _row(part: str, model: str, parts: "Sequence[PartPlan]") -> tuple[str, ...]:
    totals = [total_of([getattr(one, column) for one in parts]) for column in COLUMNS]
    paid = total_of([one.money for one in parts])
    figures = ["" if total is None else figure_text(total) for total in totals]
    return part, model, *figures, "no prices" if paid is None else money_text(paid)


def figure_text(estimate: Estimate) -> str:
    """An estimate with half of its interval, or with a star where it is assumed.

    >>> figure_text(Estimate(1200, 80)), figure_text(Estimate(1200, 0)), figure_text(Estimate(7, None))
    ('1.2k ± 80', '1,200', '7 *')
    """
    if estimate.plus_minus is None:
        return f"{short(estimate.value)} *"
    if estimate.plus_minus < 0.5:
        return count(round(estimate.value))
    return f"{short(estimate.value)} ± {short(estimate.plus_minus)}"


def money_text(estimate: Estimate) -> str:
    """As `figure_text`, of money.

    >>> money_text(Estimate(0.12, 0.01)), money_text(Estimate(0, None))
    ('0.12 ± 0.01', '0')
    """
    if not estimate.value:  # nothing is paid for it, however long it is
        return "0"
    if estimate.plus_minus is None:
        return f"{money(estimate.value)} *"
    return f"{money(estimate.value)} ± {money(estimate.plus_minus)}"


def _spared(plan: "Plan") -> Iterator[str]:
    """What is not called because another judge is sure, of all prompts, in the ledger or not."""
    for judge, calls in plan.spared.items():
        if calls.plus_minus is None:
            yield f"judges.{judge}: `--pilot 20` tells what its `when` saves"
        else:
            yield f"judges.{judge}: its `when` saves {figure_text(calls)} calls"


def _totals(plan: "Plan") -> Iterator[str]:
    """The worst case, and how long it takes."""
    worst = plan.worst()
    figures = [f"{count(round(worst.calls))} calls"]
    if worst.tokens is not None:
        figures.append(f"{short(worst.tokens)} tokens")
    if worst.money:  # of models that cost nothing, there is no more to say
        figures.append(money(worst.money))
    yield f"at the most: {', '.join(figures)}, besides calls that fail"
    if worst.tokens is None:
        unbounded = sorted({part.model for part in plan.parts if _unbounded(part.worst)})
        yield f"  tokens have no bound: {', '.join(unbounded)} without sampling.max_tokens"
    else:
        yield "  every answer as long as max_tokens allows, every judgment asked for again"
    if plan.seconds is not None:
        yield f"time: about {duration(plan.seconds)} at full windows, if replies take no longer"
    elif plan.pilot is None:
        yield "time: `--pilot 20` measures it"
    else:
        yield "time: not known, the pilot's prompts were paid already; a larger one measures it"


def _unbounded(worst: "Worst | None") -> bool:
    return worst is not None and worst.tokens is None


def _budget(plan: "Plan", recipe: "Recipe") -> Iterator[str]:
    """Each bound of the budget against what is expected, less what the pilot took of it."""
    limits = {
        name: limit
        for name in ("calls", "tokens", "money", "wall_s")
        if (limit := getattr(recipe.budget, name)) is not None
    }
    expected, worst = _expected(plan), plan.worst()
    for name, limit in limits.items():
        spent = getattr(plan.pilot.spent, name, 0) if plan.pilot is not None else 0
        left = f", {limit - spent:,.8g} left after the pilot" if spent else ""
        most = getattr(worst, name, None)
        value = expected[name]
        if value is None:
            verdict = "cannot be told"
        elif value > limit - spent:
            verdict = "is expected to be reached"
        else:
            enough = most is not None and most <= limit - spent
            verdict = "is enough in the worst case" if enough else "should do"
        yield f"[budget] {name} = {limit:,.8g}{left}: {verdict}"
    if plan.pilot is not None and plan.pilot.spent.calls and limits:
        yield "A build has the whole budget again: " + _together(plan, limits)


def _expected(plan: "Plan") -> dict[str, float | None]:
    paid = plan.money()
    return {
        "calls": sum(part.calls.value for part in plan.parts),
        "tokens": sum(
            part.prompt_tokens.value + part.completion_tokens.value for part in plan.parts
        ),
        "money": None if paid is None else paid.value,
        "wall_s": plan.seconds if plan.parts else 0.0,
    }


def _together(plan: "Plan", limits: dict[str, float]) -> str:
    """The options that keep a build, with the pilot, within the budget."""
    assert plan.pilot is not None
    spent = plan.pilot.spent
    left = {
        name: limits[name] - getattr(spent, name)
        for name in ("calls", "tokens", "money")
        if name in limits
    }
    if not left:
        return "the pilot's time is not counted"
    if min(left.values()) <= 0:
        return "the pilot alone has taken as much"
    options = [f"--set budget.{name}={rest:.8g}" for name, rest in left.items()]
    return f"`{' '.join(options)}` counts the pilot in"
