from flows.texts.spend import spend_table
from schemas.version import Forecast, Run, Spent

SPENT = {"policy": Spent(calls=170, prompt_tokens=1700, completion_tokens=9000, money=0.25)}


def test_what_was_expected_of_a_run_stands_beside_what_it_took() -> None:
    wide = {"calls": 12.0, "prompt_tokens": 90.0, "completion_tokens": 400.0, "money": 0.02}
    forecast = {
        "policy": Forecast(
            calls=160.0, prompt_tokens=1600.0, completion_tokens=8000.0, money=0.2, plus_minus=wide
        ),
        "critic": Forecast(
            calls=40.0, prompt_tokens=400.0, completion_tokens=50.0, money=0.1,
            plus_minus={"calls": 8.0, "money": 0.01},
        ),
    }  # fmt: skip
    head, expected, took = spend_table(Run(forecast=forecast, spent=SPENT)).splitlines()
    assert head.split() == ["paid", "by", "calls", "tokens", "in", "tokens", "out"]
    assert expected.split()[1:] == [
        "200", "±", "20", "2.0k", "*", "8.1k", "*", "spend", "0.30", "±", "0.03"
    ]  # fmt: skip
    assert took.split()[2:] == ["170", "1,700", "9,000", "spend", "0.25"]


def test_without_a_forecast_there_is_what_it_took_alone() -> None:
    assert len(spend_table(Run(spent=SPENT)).splitlines()) == 2


def test_a_forecast_without_prices_expects_no_money() -> None:
    forecast = {"m": Forecast(calls=3.0, prompt_tokens=9.0, completion_tokens=5.0)}
    assert spend_table(Run(forecast=forecast, spent=SPENT)).splitlines()[1].split()[1:] == [
        "3", "*", "9", "*", "5", "*"
    ]  # fmt: skip
