import pytest

from flows.cli import main

NUMBERS = [
    ("plan", "--pilot", 0),
    ("plan", "--units", 1),
    ("diff b", "--limit", 0),
    ("drops", "--limit", 0),
    ("show", "--examples", 0),
    ("risks", "--models", 0),
    ("tree", "--limit", 1),
    ("retry", "--limit", 1),
    ("difficulty", "--batch", 1),
    ("difficulty", "--seeds", 0),
    ("export --format trl --out o", "--max-length", 1),
    ("iterate", "--rounds", 1),
    ("judge check", "--epochs", 1),
]


@pytest.mark.parametrize(("command", "option", "least"), NUMBERS)
@pytest.mark.parametrize("given", ["below", "many", "1.5", "٣", "1_0"])
def test_what_is_no_number_of_things_is_refused_in_words(
    command: str, option: str, least: int, given: str, capsys: pytest.CaptureFixture[str]
) -> None:
    given = str(least - 1) if given == "below" else given
    with pytest.raises(SystemExit) as ended:
        main([*command.split(), "a", f"{option}={given}"])
    assert ended.value.code == 2
    said = f"error: argument {option}: a number of at least {least} is wanted, not {given}. `"
    assert capsys.readouterr().err.startswith(said)
