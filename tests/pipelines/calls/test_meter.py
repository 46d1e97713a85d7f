from pipelines.calls.bought import Bought
from pipelines.calls.meter import Meter, Spend
from pipelines.calls.prices import Prices, Usage
from pipelines.calls.segments import Location

PRICES = Prices(input=1.0, output=2.0)
USAGE = Usage(prompt_tokens=1000, completion_tokens=500)


def bought(usage: Usage | None, *, refused: bool = False) -> Bought:
    return Bought(Location(0, 0, 99), 1, 10, usage, refused=refused, before=True)


def test_what_earlier_runs_paid_is_counted_apart_at_the_prices_of_today() -> None:
    meter = Meter()
    meter.paid_before("m", bought(USAGE), PRICES)
    meter.paid_before("m", bought(None), PRICES)
    meter.paid_before("m", bought(None, refused=True), PRICES)
    assert meter.calls == 0
    assert meter.before == {
        "m": Spend(calls=2, prompt_tokens=1000, completion_tokens=500, money=0.002, missing_usage=1)
    }


def test_shards_add_up_in_what_they_spent_and_in_what_earlier_runs_paid() -> None:
    total = Meter(rows_read=5)
    for _ in range(2):
        shard = Meter(units=3)
        shard.paid("m", USAGE, PRICES)
        shard.paid_before("m", bought(USAGE), PRICES)
        shard.paid_before("n", bought(None), PRICES)
        total.add(shard)
    assert (total.rows_read, total.units, total.calls) == (5, 6, 2)
    assert total.before["m"].prompt_tokens == total.spend["m"].prompt_tokens == 2000
    assert total.before["n"].missing_usage == 2
