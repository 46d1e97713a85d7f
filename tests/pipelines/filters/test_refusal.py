from tests.pipelines.tables import part, reasons


def test_refusals_go():
    rows = [{"refused": True}, {"refused": False}, {"refused": None}]
    assert reasons(part("filters", "refusal"), rows) == [{"refused"}, set(), set()]
