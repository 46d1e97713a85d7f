import json
import os
import subprocess
import sys
from pathlib import Path

import datasets
import pytest

from pipelines.errors import RecipeError

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def _cache_of_its_own(tmp_path_factory, monkeypatch):
    cache = tmp_path_factory.mktemp("cache")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", cache)


def test_a_saved_data_set_is_read_with_its_messages(source, tmp_path):
    chat = [{"role": "user", "content": "hi"}]
    datasets.Dataset.from_list([{"n": 1, "chat": chat}, {"n": 2, "chat": chat}]).save_to_disk(
        str(tmp_path / "saved")
    )
    hub = source("hub", path="saved")
    assert hub.columns(tmp_path) == ("n", "chat")
    assert list(hub.rows(tmp_path)) == [{"n": 1, "chat": chat}, {"n": 2, "chat": chat}]
    assert list(hub.rows(tmp_path, {"n"})) == [{"n": 1}, {"n": 2}]


def test_the_split_of_several_must_be_named(source, tmp_path):
    parts = {name: datasets.Dataset.from_dict({"n": [len(name)]}) for name in ("train", "test")}
    datasets.DatasetDict(parts).save_to_disk(str(tmp_path / "saved"))
    assert list(source("hub", path="saved", split="test").rows(tmp_path)) == [{"n": 4}]
    with pytest.raises(RecipeError, match=r"\[sources\.rows\]: split: .*Valid: test, train"):
        source("hub", path="saved").columns(tmp_path)


def test_a_folder_of_data_files_is_read_and_hashed(source, tmp_path):
    (tmp_path / "files").mkdir()
    rows = [{"q": "é\0", "k": 1}, {"q": "b", "k": None}]
    file = tmp_path / "files" / "train.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    hub = source("hub", path="files")
    assert list(hub.rows(tmp_path)) == rows
    assert hub.files(tmp_path) == (file,)


def test_an_unreachable_hub_is_an_error_of_the_recipe(tmp_path):
    code = (
        "from pathlib import Path; from pipelines.sources.hub import Hub\n"
        "from pipelines.errors import RecipeError\n"
        "try: Hub(kind='hub', name='rows', path='nobody/nothing').columns(Path())\n"
        "except RecipeError as error: print(error)\n"
    )
    offline = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)}
    told = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=offline, capture_output=True, text=True
    )
    assert told.stdout.startswith("[sources.rows]: path: nobody/nothing: ")


def test_without_the_library_the_extra_is_named(source, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(
        RecipeError, match=r"recipe\.toml: \[sources\.rows\]: kind: .*pairwright\[hub\]"
    ):
        source("hub", path="saved")
