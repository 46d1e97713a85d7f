from tests.pipelines.tables import part, reasons


def test_responses_in_another_language_go_and_unknown_ones_stay():
    rows = [{"same_lang": True}, {"same_lang": False}, {"same_lang": None}]
    assert reasons(part("filters", "same_language"), rows) == [set(), {"other_language"}, set()]
