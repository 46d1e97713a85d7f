import re

import pytest

from flows.texts.fields import keys_in_words
from flows.texts.recipe_shape import places
from flows.texts.reference import reference
from pipelines.part import Part

KINDS = [(place, kind) for place in places() for kind in place.kinds()]


def rows(section: str) -> dict[str, list[str]]:
    """Key -> value, default and meaning."""
    cells = (re.split(r" (?<!\\)\| ", line[2:-2]) for line in section.splitlines() if "| `" in line)
    return {key.strip("`"): rest for key, *rest in cells}


@pytest.fixture(scope="module")
def sections() -> dict[str, dict[str, list[str]]]:
    """Heading -> rows; the heading of a kind has its table's before it."""
    found, table = {}, ""
    for section in re.split(r"^(?=###)", "\n\n".join(reference()), flags=re.MULTILINE)[1:]:
        marks, _, heading = section.partition("\n")[0].partition(" ")
        table = heading if marks == "###" else table
        found[heading if marks == "###" else f"{table} {heading}"] = rows(section)
    return found


@pytest.mark.parametrize(("place", "kind"), KINDS, ids=lambda one: getattr(one, "word", one))
def test_every_key_of_a_kind_is_in_its_section_or_in_that_of_all_kinds(
    sections: dict[str, dict[str, list[str]]], place, kind: str
) -> None:
    table = f"`{place.opening}`"
    shown = sections["Every part"] | sections[table] | sections[f'{table} `kind = "{kind}"`']
    for key in keys_in_words(place.part(kind)):
        value, default, meaning = shown[key.name]
        assert meaning, f"{key.name} has no text under it"
        assert ("*runtime*" in value) == key.runtime
        assert (default == "required") == key.required
        assert key.default in default
        assert value.startswith("[" if key.tables else key.values)


@pytest.mark.parametrize(
    "place", [one for one in places() if not one.shelf], ids=lambda one: one.word
)
def test_every_key_of_a_table_without_kinds_is_in_its_section(
    sections: dict[str, dict[str, list[str]]], place
) -> None:
    shown = sections[f"`{place.opening}`"]
    assert list(shown) == [key.name for key in keys_in_words(place.table)]
    runtime = {key.name for key in keys_in_words(place.table) if key.runtime}
    marked = {name for name, (value, _, _) in shown.items() if "*runtime*" in value}
    assert marked == (set(shown) if place.outside else runtime)


def test_a_table_in_a_table_has_a_section_that_its_key_leads_to(
    sections: dict[str, dict[str, list[str]]],
) -> None:
    value, _, _ = sections["`[models.NAME]`"]["sampling"]
    assert value == "[table](#keys-of-sampling)"
    assert "temperature" in sections["Keys of `sampling`"]


def test_a_key_has_the_name_that_a_recipe_writes(
    sections: dict[str, dict[str, list[str]]],
) -> None:
    shown = sections['`[models.NAME]` `kind = "openai_api"`']
    assert "identity" in shown
    assert "endpoint_identity" not in shown


def test_what_all_kinds_share_stands_once(sections: dict[str, dict[str, list[str]]]) -> None:
    assert sections["Every part"].keys() == {key.name for key in keys_in_words(Part)}
    assert "omit" in sections["`[models.NAME]`"]
    assert "omit" not in sections['`[models.NAME]` `kind = "openai_api"`']
