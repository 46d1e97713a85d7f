"""Labelled pairs for tests."""

from pipelines.calibration.columns import columns_of
from pipelines.calibration.labelled import LabelledPair
from pipelines.calibration.labelled_row import read_pair

Row = dict[str, object]


def row(number: int = 1, label: str = "a", **more: object) -> Row:
    """A labelled row about sum `number`: response a is the right one."""
    return {
        "prompt": f"{number}+1?",
        "response_a": f"{number + 1}",
        "response_b": f"{number + 2}",
        "label": label,
        **more,
    }


def pair(given: Row, seed: int = 0, place: str = "row 1") -> LabelledPair:
    """The labelled pair in a row whose columns are called as the fields are."""
    return read_pair(columns_of(list(given), [], place="x"), given, place, seed)


def turned(given: Row) -> Row:
    """The same row with the sides in each other's place."""
    label = {"a": "b", "b": "a"}.get(str(given["label"]), given["label"])
    sides = {"response_a": given["response_b"], "response_b": given["response_a"]}
    return given | sides | {"label": label}
