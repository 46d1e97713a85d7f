"""Gold steps: the next step of a known solution, for a search that may follow it."""

from pipelines.searching.steps import lines_of, sentences_of


def gold_step(text: str, gold: str | None) -> str:
    r"""The line of `gold` that comes after `text`, its sentence if it is all of one line.

    Blank where there is no gold solution, `text` is not how it begins, or it ends there.

    >>> gold_step("Add 3.\n", "Add 3.\nSo 5.\n"), gold_step("", "Add 3. So 5.")
    ('So 5.\n', 'Add 3. ')
    >>> gold_step("Take 3.\n", "Add 3.\nSo 5.\n"), gold_step("", None)
    ('', '')
    """
    if gold is None or not gold.startswith(text):
        return ""
    split = lines_of if "\n" in gold.strip() else sentences_of
    return next(iter(split(gold[len(text) :])), "")
