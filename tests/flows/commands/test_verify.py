from pathlib import Path

import pytest

from flows.cli import main


@pytest.fixture
def store(recipe: Path, tmp_path: Path) -> Path:
    """A store with sums@v0001 and, for one prompt fewer, sums@v0002."""
    for limit in ("24", "23"):
        assert main(["build", str(recipe), "--store", str(tmp_path / "s"), "--limit", limit]) == 0
    return tmp_path / "s"


def test_untouched_versions_are_sound(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["verify", "--store", str(store)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["sums@v0001", "sums@v0002"]
    assert all(line.endswith("as published") for line in lines)


def test_a_changed_byte_is_found_in_its_version_only(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (file, *_) = (store / "datasets" / "sums" / "v0001" / "responses").glob("*.parquet")
    content = bytearray(file.read_bytes())
    content[100] ^= 1
    file.chmod(0o644)
    file.write_bytes(content)
    capsys.readouterr()
    assert main(["verify", "sums", "--store", str(store)]) == 2
    fault, sound = capsys.readouterr().out.splitlines()
    assert fault == f"sums@v0001: responses/{file.name}: its bytes have changed"
    assert sound.startswith("sums@v0002: ")
    assert main(["verify", "sums@v0002", "--store", str(store)]) == 0
