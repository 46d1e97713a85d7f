from tests.pipelines.tables import part, reasons

ROWS = [{"finish_reason": one} for one in ("stop", "tool_calls", "length", "content_filter", None)]


def test_by_default_what_was_cut_off_goes_and_the_unknown_stays():
    expected = [set(), set(), {"truncated"}, {"finish_reason"}, set()]
    assert reasons(part("filters", "finish_reason"), ROWS) == expected


def test_allowed_reasons_replace_the_default():
    filter_ = part("filters", "finish_reason", allow=("length",), allow_missing=False)
    assert reasons(filter_, ROWS) == [
        {"finish_reason"},
        {"finish_reason"},
        set(),
        {"finish_reason"},
        {"finish_reason_missing"},
    ]
