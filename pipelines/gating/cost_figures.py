"""What a version took, as figures for gates; SQL has it in `spending`."""

from collections.abc import Iterator

from schemas.version import Figure, Manifest


def cost_figures(manifest: Manifest) -> Iterator[Figure]:
    """Money in all, this run and those before it, and for each pair; none where some is unknown."""
    spent = [*manifest.run.spent.values(), *manifest.run.before.values()]
    calls = sum(one.calls for one in spent)
    if any(one.missing_usage or one.unpriced for one in spent):
        return
    money = sum(one.money for one in spent)
    prompts, pairs = manifest.rows("prompts"), manifest.rows("pairs")
    yield Figure(figure="money", value=money, n=calls, prompts=prompts)
    if pairs:
        yield Figure(figure="money_per_pair", value=money / pairs, n=pairs, prompts=prompts)
