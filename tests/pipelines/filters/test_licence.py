import pytest

from pipelines.errors import RecipeError
from tests.pipelines.tables import part, reasons

ROWS = [{"licence": one} for one in ("MIT", "GPL-3.0", None)]


def test_only_listed_licences_stay():
    expected = [set(), {"licence_not_allowed"}, {"licence_missing"}]
    assert reasons(part("filters", "licence", allow=("MIT",)), ROWS) == expected


def test_a_missing_licence_stays_only_where_that_is_said():
    filter_ = part("filters", "licence", allow=("MIT",), allow_missing=True)
    assert reasons(filter_, ROWS) == [set(), {"licence_not_allowed"}, set()]


def test_an_empty_list_is_refused():
    with pytest.raises(RecipeError, match="allow"):
        part("filters", "licence", allow=())
