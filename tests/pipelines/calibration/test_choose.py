from hypothesis import given
from hypothesis import strategies as st

from pipelines.calibration.choose import OWN, Trial, keep_best
from schemas.calibration import Figure

Merit = tuple[float | None, float | None, float | None]


def trial(merit: Merit, override: str = "") -> Trial:
    names = ("accuracy", "fairness", "read")
    return Trial(
        override, {name: Figure(value=one) for name, one in zip(names, merit, strict=True)}
    )


def test_accuracy_decides_where_there_are_labels_and_then_fairness():
    trials = [trial((0.7, 0.0, 1.0)), trial((0.8, -0.3, 0.5)), trial((0.8, -0.1, 0.5))]
    assert keep_best(trials) is trials[2]


def test_fairness_decides_without_labels():
    trials = [trial((None, -0.2, 1.0)), trial((None, -0.05, 0.9)), trial((None, None, 1.0))]
    assert keep_best(trials) is trials[1]


def test_of_equals_the_first_is_kept():
    trials = [trial((0.7, -0.1, 1.0)), trial((0.7, -0.1, 1.0))]
    assert keep_best(trials) is trials[0]


shares = st.one_of(st.none(), st.floats(0, 1))


@given(st.lists(st.tuples(shares, shares, shares), min_size=1))
def test_keeping_the_best_never_loses(merits: list[Merit]):
    trials = [trial(merit) for merit in merits]
    best = [keep_best(trials[: n + 1]).merit for n in range(len(trials))]
    assert best == sorted(best)
    assert best[-1] == max(one.merit for one in trials)


def test_a_template_is_shown_by_its_path():
    assert trial((1, 0, 1), 'judges.rating.template="mine.jinja"').template == "mine.jinja"
    assert trial((1, 0, 1)).template == OWN
