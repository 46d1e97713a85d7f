import pytest
from pydantic import ValidationError

from schemas.version import FileInfo, Manifest, Run, Step, content_digest, split_of

INFO = FileInfo(sha256="a" * 64, bytes=3, rows=2)
FILES = {
    "pairs/test-00000-of-00001.parquet": INFO,
    "pairs/train-00000-of-00002.parquet": INFO,
    "pairs/train-00001-of-00002.parquet": INFO,
    "drops/part-00000-of-00001.parquet": FileInfo(sha256="b" * 64, bytes=3, rows=5),
    "README.md": FileInfo(sha256="c" * 64, bytes=1),
}


def manifest(**changes) -> Manifest:
    fields = {
        "name": "zeroeval",
        "recipe_fingerprint": "f",
        "content_digest": content_digest(FILES, "f"),
        "seed": 0,
        "files": FILES,
        "schema_hashes": {},
        "code_version": "0.1.0",
        "counts": (Step(step="filters", level="pairs", in_=7, kept=6, dropped=1),),
    }
    return Manifest.model_validate(fields | changes)


def test_a_manifest_reads_back_as_it_was_written():
    made = manifest(run=Run(version=3, seconds=1.5))
    assert Manifest.model_validate_json(made.to_json()) == made
    assert '"in": 7' in made.to_json()


def test_rows_are_counted_by_table_and_split():
    assert manifest().rows("pairs") == 6
    assert manifest().rows("drops") == 5
    assert manifest().rows("judgments") == 0
    assert manifest().splits() == {"test": 2, "train": 4}


def test_the_split_of_a_file_may_have_any_name():
    assert split_of("pairs/hold_out_2-00000-of-00001.parquet") == "hold_out_2"


def test_the_digest_covers_tables_and_recipe_and_nothing_else():
    digest = content_digest(FILES, "f")
    reversed_files = dict(reversed(FILES.items()))
    assert content_digest(reversed_files, "f") == digest
    assert content_digest(FILES | {"README.md": INFO, "report.html": INFO}, "f") == digest
    assert content_digest(FILES, "g") != digest
    changed = FILES | {"drops/part-00000-of-00001.parquet": INFO}
    assert content_digest(changed, "f") != digest
    renamed = {path.replace("test", "dev"): info for path, info in FILES.items()}
    assert content_digest(renamed, "f") != digest


def test_keys_of_a_later_release_of_the_same_schema_are_passed_over():
    made = manifest()
    later = made.model_dump(by_alias=True) | {"something_new": 1}
    assert Manifest.model_validate(later) == made


@pytest.mark.parametrize(
    "path", ["../x.parquet", "/etc/passwd", "a/../../b", "a//b", "./a", ".", "a/.."]
)
def test_a_file_outside_the_version_is_refused(path):
    with pytest.raises(ValidationError, match="no path inside the version"):
        manifest(files={path: INFO})


@pytest.mark.parametrize("name", ["", "A", "a b", "../a", "a\n", "-a", "a" * 65, "ü"])
def test_a_name_that_is_no_safe_folder_is_refused(name):
    with pytest.raises(ValidationError, match="name"):
        manifest(name=name)
