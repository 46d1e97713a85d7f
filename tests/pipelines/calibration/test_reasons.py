from pipelines.calibration.reasons import commonest


def test_reasons_that_differ_only_in_numbers_are_one():
    cut = [f"cut off after {tokens:,} of 2,048 tokens" for tokens in (12, 1300, 77)]
    assert commonest(["no reply", *cut, "no reply"]) == {
        "cut off after … of 2,048 tokens": 3,
        "no reply": 2,
    }


def test_a_number_that_all_have_in_common_stays():
    assert commonest(['"11" is not from 1 to 10'] * 2) == {'"11" is not from 1 to 10': 2}


def test_only_the_commonest_are_kept_and_of_equals_the_first():
    assert list(commonest("dcbaa")) == ["a", "d", "c"]
