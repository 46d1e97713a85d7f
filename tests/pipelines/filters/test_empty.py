from tests.pipelines.tables import part, reasons


def test_failed_and_empty_responses_are_told_apart():
    rows = [
        {"has_text": True, "failed": False},
        {"has_text": False, "failed": False},
        {"has_text": False, "failed": True},
    ]
    assert reasons(part("filters", "empty"), rows) == [set(), {"empty"}, {"failed"}]
