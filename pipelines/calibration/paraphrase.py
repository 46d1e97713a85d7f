"""Paraphrases: a template in other words, by a model, as ZEPO looks for a fairer one.

Only the words are to change: what does not use the very variables of the template, or cannot be
rendered, is no paraphrase.
"""

import re
from pathlib import Path

from pipelines.backend import Sampling
from pipelines.calibration.workshop import in_workshop
from pipelines.calls.budget import Cost
from pipelines.calls.meter import Meter
from pipelines.errors import RecipeError, nearest
from pipelines.judge import Judge
from pipelines.judging.template import Template
from pipelines.part import Where
from pipelines.publishing.store import Store
from pipelines.recipe import Recipe
from pipelines.running.workshop import Workshop
from pipelines.unit import Unit
from schemas.canonical import make_id
from schemas.rows import Message, Prompt, prompt_id

SAMPLING = Sampling(temperature=0.9)

ASK = """\
Below, between the marks, stands a text that asks a judge for its opinion. Say the same in other \
words. Keep what it asks for, and keep each part in {{{{ }}}} or {{% %}} exactly as it stands. Reply \
with the new text alone, between the same marks.

<<<{mark}
{text}
{mark}>>>"""


def template_text(recipe: Recipe, judge: Judge) -> str:
    """The text of the template that `judge` uses. Raises RecipeError where it has none."""
    own, path = getattr(judge, "words", None), getattr(judge, "template", None)
    if path is not None:
        return str((recipe.root / path).read_text(encoding="utf-8"))
    if isinstance(own, Template):
        return own.text
    raise RecipeError(f"[[judges]] {judge.name}: has no template of its own to paraphrase")


def paraphrasing(recipe: Recipe, model: str) -> None:
    """Raises RecipeError for a model that cannot be asked for paraphrases."""
    if model not in recipe.models:
        raise RecipeError(f"--paraphrase {model}: no such model; {nearest(model, recipe.models)}")
    backend = recipe.models[model]
    backend.check_sampling(
        backend.effective(SAMPLING), Where(str(recipe.path), f"[models.{model}]", recipe.root)
    )


def paraphrases(
    recipe: Recipe, store: Store, model: str, text: str, n: int, first: int, meter: Meter
) -> tuple[list[str], Cost]:
    """Distinct paraphrases of `text` among samples `first` to `first + n - 1` of `model`.

    And what they took of the budget. Raises RecipeError for an unknown model, OwedError where a call is owed.
    """
    paraphrasing(recipe, model)
    mark = make_id("paraphrase", text)[:16]
    asked = (Message("user", ASK.format(mark=mark, text=text)),)
    prompt = Prompt(prompt_id(asked), asked)

    async def sampled(workshop: Workshop) -> list[str]:
        unit = Unit(prompt, workshop, "judges.paraphrase")
        samples = await unit.sample(model, asked, sampling=SAMPLING, n=n, first_index=first)
        return [one.text or "" for one in samples]

    replies, purse = in_workshop(recipe, store, [model], meter, sampled)
    found = (between(reply, mark) for reply in replies)
    other = (one for one in dict.fromkeys(found) if one != text.strip() and keeps(text, one))
    return list(other), purse.spent


def between(reply: str, mark: str) -> str:
    r"""What stands between the marks of a reply; all of it where there are none.

    >>> between("Gladly:\n<<<ab\nRate it.\nab>>>\nDone.", "ab"), between(" Rate it. ", "ab")
    ('Rate it.', 'Rate it.')
    """
    marked = re.search(f"<<<{mark}\\n(.*?)(?:\\n{mark}>>>|$)", reply, re.DOTALL)
    return str(marked[1] if marked else reply).strip()


def keeps(text: str, paraphrase: str) -> bool:
    """Whether a paraphrase uses the variables of `text`, no fewer and no others.

    >>> keeps("Rate {{ response }}.", "How good is {{ response }}?"), keeps("{{ a }}", "{{ b }}")
    (True, False)
    """
    try:
        return Template("", paraphrase).variables == Template("", text).variables
    except RecipeError:
        return False


def kept_file(store: Store, text: str) -> Path:
    """Writes a paraphrase into the store, under the hash of its text; returns its file."""
    file = store.templates_folder / f"{make_id('template', text)[:16]}.jinja"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text + "\n", encoding="utf-8")
    return file
