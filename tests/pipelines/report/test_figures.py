"""The figures of a version, from what was worked out by hand."""

from pathlib import Path

import pytest

from pipelines.publishing.store import Store
from pipelines.report.estimates import off_half
from pipelines.report.figures import figures
from pipelines.report.pair_figures import PROBES
from schemas.version import Figure
from tests.pipelines.versions import Content, make_content, publish


def found(store: Store, name: str) -> dict[str, Figure]:
    return {one.figure: one for one in figures(store.resolve(name))}


def test_pairs_are_measured(store: Store) -> None:
    own = found(store, "plain")
    assert own["length_bias"].value == 0.5  # the rejected answer has a character more, always
    assert own["length_bias"].n == own["length_bias"].prompts == 6
    assert (own["mean_margin"].value, own["mean_margin"].low) == (2.0, 2.0)
    assert own["mean_variance"].value == pytest.approx(2 / 3, abs=1e-4)
    assert (own["kept_share"].value, own["kept_share"].low, own["kept_share"].n) == (0.5, None, 12)
    assert own["prompt_share"].value == 1.0
    assert (own["top_model_share"].subject, own["top_model_share"].value) == ("model0", 1.0)
    assert (own["top_source_share"].subject, own["top_source_share"].value) == ("s", 1.0)
    assert (own["top_lang_share"].subject, own["top_lang_share"].value) == ("en", 1.0)


def test_a_share_that_no_pair_contradicts_is_not_certain(store: Store) -> None:
    # Wilson's interval of 6 of 6 is from 0.6097 on; from one half that is 0.1097 away
    bias = found(store, "plain")["length_bias"]
    assert (bias.low, bias.high) == (0.1097, 0.5)


def test_judges_are_measured(store: Store) -> None:
    own = found(store, "plain")
    assert (own["unread_rate"].subject, own["unread_rate"].value) == ("rater", 0.0)
    assert (own["tie_rate"].value, own["tie_rate"].n) == (0.0, 18)  # three duels of each prompt
    bias = own["judge_length_bias"]
    assert (bias.value, bias.n) == (0.5, 12)  # of each prompt two duels of unequal lengths
    assert "position_bias" not in own  # nothing was compared
    assert "judge_agreement" not in own


def test_what_few_pairs_cannot_tell_is_not_probed(store: Store) -> None:
    assert not PROBES & found(store, "plain").keys()
    assert not PROBES & {one.figure for one in figures(store.resolve("plain"), PROBES)}


def test_probes_run_where_they_are_asked_for(tmp_path: Path) -> None:
    content = make_content(60)
    store = Store(tmp_path)
    version, _ = publish(store, "many", content)
    assert not PROBES & {one.figure for one in figures(version)}
    (own,) = [one for one in figures(version, {"separability"}) if one.figure == "separability"]
    assert own.value == 1.0  # "A answer" is always better than "C answer"
    assert own.n == 120


def test_a_version_without_pairs_has_the_figures_of_its_judges(tmp_path: Path) -> None:
    content = make_content(3)
    content.pairs.clear()
    store = Store(tmp_path)
    version, _ = publish(store, "none", content)
    assert {one.figure for one in figures(version)} == {"unread_rate", "tie_rate"}  # equal lengths
    assert figures(publish(store, "empty", Content())[0]) == ()


def test_figures_are_the_same_whatever_they_are_asked_after(store: Store) -> None:
    assert figures(store.resolve("nasty")) == figures(store.resolve("nasty-first"))


def test_what_is_not_defined_stays_so() -> None:
    assert off_half(None) is None
