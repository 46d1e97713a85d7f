"""Joining: the rows of one pass become prompts, or responses and judgments found by key.

Each function takes a `Pass` through its source and accounts for every row of it. Faults that the
recipe must answer for are gathered, and raised as one RecipeError at the end of the pass.
"""

from collections.abc import Collection, Sequence

from pipelines.intake.cells import FaultyRow, UnusableRow, key_cell, shortened
from pipelines.intake.columns import Columns
from pipelines.intake.passes import Pass
from pipelines.intake.prompts import PromptTable, read_prompt, united
from pipelines.intake.recorded_judgment import read_judgment
from pipelines.intake.recorded_response import read_response
from pipelines.intake.records import Earlier, Found, Noun, Records
from pipelines.judges.recorded import Recorded as RecordedJudge
from pipelines.samplers.recorded import Recorded as RecordedSampler
from pipelines.source import Row
from schemas.rows import Prompt, Response


def take_prompts(one: Pass, table: PromptTable, records: Records, on_conflict: str) -> None:
    """Adds the prompts of a pass; equal prompts become one. Raises RecipeError.

    `on_conflict` says which of two different references, or groups, of one prompt wins: "first",
    "last", or "error": none.
    """
    for position, row in one.read():
        with one.accounting_for(position):
            key = _key_or_none(table, row)
            try:
                prompt = read_prompt(table, row, one.source_name)
            except UnusableRow:
                records.add_prompt_key(key, None, one.place(position))
                raise
            records.add_prompt_key(key, prompt.prompt_id, one.place(position))
            _take_prompt(one, one.place(position), prompt, records, on_conflict)
    one.raise_faults()


def _key_or_none(table: PromptTable | RecordedSampler, row: Row) -> str | None:
    """The key of a row, if it has one: a row without is kept, and nothing recorded finds it."""
    try:
        return key_cell(row, table.key) if table.key else None
    except UnusableRow:
        return None


def _take_prompt(one: Pass, place: str, prompt: Prompt, records: Records, on_conflict: str) -> None:
    known = records.prompt(prompt.prompt_id)
    if known is None:
        records.put_prompt(prompt, place)
        one.kept += 1
        return
    first, first_place = known
    groups = {group for group in (first.group_id, prompt.group_id) if group is not None}
    if on_conflict == "error" and len(groups) > 1:
        raise FaultyRow(
            "the same prompt in another group, so that a split would tear the groups apart; "
            'on_conflict = "first" or "last" would choose',
            f"{place} and {first_place}: {', '.join(sorted(map(shortened, groups)))}",
        )
    new, old = prompt.reference, first.reference
    if on_conflict == "error" and None not in (new, old) and new != old:
        raise FaultyRow(
            'the same prompt with another reference; on_conflict = "first" or "last" would choose',
            f'{place}: "{shortened(str(new))}", {first_place}: "{shortened(str(old))}"',
        )
    wins = new is not None and (old is None or on_conflict == "last")
    both = united(first, prompt, new if wins else old, last=on_conflict == "last")
    if both != first:
        records.put_prompt(both, place if wins else first_place)
    one.merged += 1


def take_responses(
    one: Pass, sampler: RecordedSampler, own_table: PromptTable | None, records: Records
) -> None:
    """Adds the recorded responses of a pass to the prompts that their keys lead to.

    `own_table` maps the prompt in the response's own row, for a sampler without `prompt`. Raises
    RecipeError for orphans and for keys that two responses have.
    """
    for position, row in one.read():
        with one.accounting_for(position):
            try:
                prompt_id = _prompt_of(one, row, sampler, own_table, records)
                response = read_response(sampler, row, prompt_id)
            except UnusableRow:
                key = _key_or_none(sampler, row)
                records.add_response_key(sampler.name, key, None, one.place(position))
                raise
            _take_response(one, one.place(position), response, records)
    one.raise_faults()


def _prompt_of(
    one: Pass,
    row: Row,
    sampler: RecordedSampler,
    own_table: PromptTable | None,
    records: Records,
) -> str:
    """The id of the prompt that a row answers. Raises UnusableRow or FaultyRow."""
    if own_table is None:
        found = _found(one, row, sampler.prompt, "prompt", sampler.orphans, records)
        return found.prompt_id
    try:
        return read_prompt(own_table, row, one.source_name).prompt_id
    except UnusableRow as why:
        raise UnusableRow("prompt_dropped", str(why)) from why


def _take_response(one: Pass, place: str, response: Response, records: Records) -> None:
    part = response.sampler
    earlier = records.add_response_key(part, response.record_key, response, place)
    _refuse_other(earlier, "another response has the same key", place)
    if not records.is_selected(response.prompt_id):
        one.skipped += 1
    elif records.add(part, response, place):
        one.merged += 1
    else:
        one.kept += 1


def take_judgments(
    one: Pass, judge: RecordedJudge, records: Records, taken: Collection[str] = ()
) -> None:
    """Adds the recorded judgments of a pass to the responses that their keys lead to.

    `taken` are the names of the recipe's other judges, which no row may give to its own. Raises RecipeError for orphans, for keys that two judgments have, and for comparisons of
    responses to different prompts.
    """
    keys = [judge.response] if judge.response else [judge.response_a, judge.response_b]
    for position, row in one.read():
        with one.accounting_for(position):
            judged = [
                _found(one, row, columns, "response", judge.orphans, records) for columns in keys
            ]
            _check_comparable(judged, one.place(position))
            if not records.is_selected(judged[0].prompt_id):
                one.skipped += 1
                continue
            ids = [str(found.response_id) for found in judged]
            judgment = read_judgment(judge, row, judged[0].prompt_id, ids, records.occurrence)
            if judgment.judge in taken:
                raise FaultyRow(
                    f'its judge is called "{judgment.judge}", as another judge of the recipe is; '
                    "rename that one",
                    one.place(position),
                )
            earlier = records.add(judge.name, judgment, one.place(position))
            _refuse_other(earlier, "another judgment has the same key", one.place(position))
            if earlier:
                one.merged += 1
            else:
                one.kept += 1
    one.raise_faults()


def _check_comparable(judged: Sequence[Found], place: str) -> None:
    """Raises unless two compared responses are two answers to one prompt."""
    if len({found.prompt_id for found in judged}) > 1:
        both = " and ".join(found.place for found in judged)
        raise FaultyRow("they compare answers to different prompts", f"{place}: {both}")
    if len({found.response_id for found in judged}) < len(judged):
        raise UnusableRow("compared_with_itself", judged[0].place)


def _refuse_other(earlier: Earlier | None, fault: str, place: str) -> None:
    if earlier is not None and not earlier.same:
        raise FaultyRow(f"{fault}, and says something else", f"{place} and {earlier.place}")


def _found(
    one: Pass, row: Row, columns: Columns, noun: Noun, orphans: str, records: Records
) -> Found:
    """The one row that the key in `columns` leads to. Raises UnusableRow or FaultyRow."""
    key = key_cell(row, columns)
    found = records.find(noun, key)
    place = f"{one.source_name} {', '.join(columns)} = {shortened(key)}"
    if not found and orphans == "error":
        likeness = f"the keys of {noun}s look like {shortened(records.example(noun))}"
        remedy = 'orphans = "drop" would leave them out'
        raise FaultyRow(f"no {noun} has their key ({likeness}). {remedy}", place)
    if not found:
        raise UnusableRow("orphan", f"no {noun} has the key {shortened(key)}")
    if len(found) > 1:
        both = f"{found[0].place} and {found[1].place}"
        raise FaultyRow(f"their key leads to more than one {noun}", f"{place}: {both}")
    if found[0].dropped:
        raise UnusableRow(f"{noun}_dropped", found[0].place)
    return found[0]
