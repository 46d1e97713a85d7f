from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from pipelines.backend import Completion, Reply
from pipelines.calls.bought import SeenOnce
from pipelines.calls.ledger import Ledger
from pipelines.calls.prices import Usage
from pipelines.calls.segments import Location

KEY = b"k" * 16
USAGE = Usage(prompt_tokens=9, completion_tokens=5)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 400)), max_size=60))
def test_each_record_is_first_once(places: list[tuple[int, int]]) -> None:
    seen, known = SeenOnce(), set()
    for segment, number in places:
        place = Location(segment, number * 97 + 1, 90)  # records are longer than 64 bytes
        assert seen.first(place) == (place not in known)
        known.add(place)


def test_the_samples_of_a_reply_share_what_it_took(tmp_path: Path) -> None:
    reply = Reply((Completion("four"), Completion("sixsix"), Completion(None)), USAGE)
    with Ledger(tmp_path) as ledger:
        ledger.put("unit", KEY, [0, 1, 2], reply)
        own = ledger.bought_with(KEY, 1)
        assert own is not None
        assert not own.before
        assert ledger.bought_with(KEY, 3) is None
    with Ledger(tmp_path) as ledger:
        found = [ledger.bought_with(KEY, index) for index in range(3)]
    assert len(set(found)) == 1
    assert found[0] is not None
    assert found[0][1:] == (3, 10, USAGE, False, True)


def test_a_refusal_is_told_from_a_reply_without_usage(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        ledger.put("unit", KEY, [0], Reply((Completion(None, error="no", status=400),), None))
        ledger.put("unit", KEY, [1], Reply((Completion("yes"),), None))
        refused, unknown = (ledger.bought_with(KEY, index) for index in (0, 1))
    assert refused is not None
    assert unknown is not None
    assert (refused.refused, refused.usage) == (True, None)
    assert (unknown.refused, unknown.usage) == (False, None)
