"""A published version with something to show in every figure, worked out by hand."""

from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.publishing.store import Store
from pipelines.publishing.versions import Version
from pipelines.report.figures import figures
from schemas.version import Figure, Manifest, Run, Spent
from tests.pipelines.versions import Content, make_content, publish

NAMES = ("<script>alert('m')</script>", 'b"old', "نموذج & <b>")
JUDGED = (
    Figure(figure="judge_agreement", subject="rater", other="<i>second</i>", value=0.75,
           low=0.5, high=1.0, n=8, prompts=4),
    Figure(figure="separability", value=0.875, low=0.75, high=1.0, n=60, prompts=25),
)  # fmt: skip


def longer_last(content: Content) -> Content:
    """`content` in English, with worst answers that are a character longer than the others."""
    content.prompts = [replace(prompt, lang="en") for prompt in content.prompts]
    for row, response in enumerate(content.responses):
        if row % 3 == 2:
            content.responses[row] = replace(response, text=f"{response.text}!")
    return content


def named(content: Content, names: tuple[str, str, str]) -> Content:
    """`content` with other names for its three models."""
    for row, response in enumerate(content.responses):
        content.responses[row] = replace(response, model=names[row % 3])
    for pair in (*content.pairs, *content.dropped_pairs):
        pair |= {"chosen_model": names[0], "rejected_model": names[2]}
    return content


def complete(manifest: Manifest, folder: Path) -> Manifest:
    """`manifest` with figures, and with what was spent."""
    found = figures(Version(manifest.name, 0, folder, manifest))
    run = Run(
        spent={"small": Spent(calls=3, prompt_tokens=30, completion_tokens=12, money=0.25)},
        before={"small": Spent(calls=2, prompt_tokens=20, completion_tokens=8, money=0.5)},
    )
    return manifest.model_copy(update={"figures": (*found, *JUDGED), "run": run})


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store with the datasets `plain` (6 prompts) and `nasty` (25, names that are no names)."""
    store = Store(tmp_path_factory.mktemp("store"))
    for name, content in (
        ("plain", longer_last(make_content(6))),
        ("nasty", named(longer_last(make_content(25)), NAMES)),
    ):
        found, _ = publish(store, f"{name}-first", content)
        publish(store, name, content, lambda one, found=found: complete(one, found.folder))
    return store
