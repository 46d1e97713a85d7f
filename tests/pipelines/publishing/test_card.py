import re

import pytest

from pipelines.publishing.card import count_licences, render_card
from pipelines.publishing.store import Store
from schemas.version import Run, Step
from tests.pipelines.versions import Content, make_content, publish


@pytest.fixture
def version(tmp_path):
    version, _ = publish(Store(tmp_path / "store"), "demo", make_content(200))
    return version


def test_a_local_version_loads_by_its_card(version, tmp_path):
    datasets = pytest.importorskip("datasets", reason="the extra `hub` is not installed")
    cache = str(tmp_path / "cache")
    pairs = datasets.load_dataset(str(version.folder), cache_dir=cache)
    assert {split: len(rows) for split, rows in pairs.items()} == version.manifest.splits()
    assert set(pairs) == {"train", "test"}
    named = datasets.load_dataset(str(version.folder), "pairs", split="test", cache_dir=cache)
    assert named.to_list() == pairs["test"].to_list()
    for table in ("prompts", "responses", "judgments", "tree_nodes", "drops"):
        rows = datasets.load_dataset(str(version.folder), table, split="train", cache_dir=cache)
        assert len(rows) == version.manifest.rows(table)


def test_the_front_matter_is_what_the_hub_reads(version):
    yaml = pytest.importorskip("yaml", reason="comes with the extra `hub`")
    card = (version.folder / "README.md").read_text(encoding="utf-8")
    front = yaml.safe_load(card.split("---\n")[1])
    assert front["pretty_name"] == "demo"
    assert front["license"] == "mit"
    assert front["size_categories"] == ["n<1K"]
    assert [config["config_name"] for config in front["configs"]] == [
        "pairs", "prompts", "responses", "judgments", "tree_nodes", "drops",
    ]  # fmt: skip
    assert front["configs"][0]["default"] is True


def test_the_card_tells_the_funnel_models_and_judges(version):
    card = (version.folder / "README.md").read_text(encoding="utf-8")
    assert "A test." in card
    assert "| filters | pairs | 400 | 200 | 200 | below_min: 200 |" in card
    assert "| model0 | `https://api.example/v1#m` |" in card
    assert "| rater | 4 | 3 | 75.0% | ties: 1 |" in card
    assert "| mit | 200 |" in card
    assert version.manifest.content_digest in card
    for split, rows in version.manifest.splits().items():
        assert f"| {split} | {rows} | 1 |" in card
    assert 'select_columns(["prompt","chosen","rejected"])' in card


def test_the_card_does_not_depend_on_the_run(version):
    manifest = version.manifest
    later = manifest.model_copy(update={"run": Run(version=9, seconds=3.0, host="x", calls=99)})
    cards = {render_card(one, description="d", licences={"mit": 1}) for one in (manifest, later)}
    assert len(cards) == 1
    assert not re.search(r"20\d\d-\d\d-\d\d", cards.pop())


def test_tables_of_the_card_stay_whole_whatever_names_hold(version):
    step = Step(step="a|b", level="pairs", in_=1, kept=0, dropped=1, reasons={"x|y\nz": 1})
    manifest = version.manifest.model_copy(update={"counts": (step,)})
    card = render_card(manifest, licences={None: 1})
    assert "| a\\|b | pairs | 1 | 0 | 1 | x\\|y z: 1 |" in card
    assert 'license: "unknown"' in card


def test_a_version_without_pairs_has_a_card(tmp_path):
    version, _ = publish(Store(tmp_path / "store"), "empty", Content())
    card = (version.folder / "README.md").read_text(encoding="utf-8")
    assert 'license: "unknown"' in card
    assert "There is no pair." in card
    assert count_licences(version.folder) == {}


def test_licences_are_counted_over_the_pairs(version):
    assert count_licences(version.folder) == {"mit": 200}
