"""What judges were spared: the counts of cascades, as notes of the judges in the manifest."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from itertools import chain

from pipelines.recipe import Recipe
from pipelines.running.cascade import ORDERS, Counts
from schemas.version import Judge, Manifest

NAMES = frozenset({"prompts asked", "prompts passed over", "responses passed over", "calls saved",
                   *ORDERS})  # fmt: skip
DOUBT = "unsure: "


def with_counts(manifest: Manifest, shards: Iterable[Mapping[str, Counts]]) -> Manifest:
    """`manifest` with the counts of all shards (judge -> counts) among the notes of its judges.

    A judge that was never asked gets a place of its own.
    """
    total: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for name, counts in chain.from_iterable(shard.items() for shard in shards):
        total[name].update(counts)
    judges = dict(manifest.judges)
    for name, counts in total.items():
        judge = judges.get(name) or Judge(identity="", asked=0, read=0)
        notes = judge.notes | dict(sorted(counts.items()))
        judges[name] = judge.model_copy(update={"notes": notes})
    return manifest.model_copy(update={"judges": dict(sorted(judges.items()))})


def is_count(note: str) -> bool:
    """Whether a note of a judge is one of those counts."""
    return note in NAMES or note.startswith(DOUBT)


def counts_in(recipe: Recipe, manifest: Manifest) -> dict[str, dict[str, int]]:
    """Judge with a `when` -> its counts, as `with_counts` noted them in `manifest`."""
    waiting = {judge.name for judge in recipe.judges if judge.when is not None}
    counts = {
        name: {
            key: value
            for key, value in judge.notes.items()
            if isinstance(value, int) and is_count(key)
        }
        for name, judge in manifest.judges.items()
        if name in waiting
    }
    return {name: found for name, found in counts.items() if found}
