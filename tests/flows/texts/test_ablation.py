from flows.texts.ablation import ablation_text
from pipelines.ablation.ablate import Ablation, Row
from pipelines.ablation.figures import Figures


def test_a_row_without_pairs_ends_with_the_commonest_reason_why() -> None:
    def figures(pairs: int, **reasons: int) -> Figures:
        return Figures(pairs, pairs, None, None, None, None, None, None, {}, {}, reasons)

    rows = (
        Row("alone", "nothing", figures(7, identical=9)),
        Row("alone", "pair rule", figures(0, margin_too_small=1200, all_tied=3)),
    )
    page = ablation_text(Ablation(rows, prompts=10, owed=0)).splitlines()
    assert page[2].split() == ["nothing", "7", "7"]
    assert page[3].split() == ["pair", "rule", "0", "0", "margin_too_small", "1,200"]
    assert any(line.startswith("nothing: the pairing alone") for line in page)


def shares(pairs: int, models: dict[str, float], sources: dict[str, float]) -> Figures:
    return Figures(pairs, pairs, None, None, None, None, None, None, models, sources, {})


def test_how_models_and_sources_shift_stands_in_the_table() -> None:
    rows = (
        Row("alone", "nothing", shares(8, {"a": 0.5, "b": 0.5}, {"web": 0.75, "exam": 0.25})),
        Row("alone", "pair rule", shares(4, {"a": 0.75, "b": 0.25}, {"exam": 1.0})),
        Row("without", "filters.x", shares(0, {}, {})),
    )
    page = ablation_text(Ablation(rows, prompts=10, owed=0)).splitlines()
    assert page[0].split()[-2:] == ["models", "sources"]
    assert page[2].split() == ["nothing", "8", "8", "0.00", "0.00"]
    assert page[3].split() == ["pair", "rule", "4", "4", "0.25", "0.75"]
    start = page.index(next(line for line in page if line.startswith("pairs by source")))
    assert [line.split() for line in page[start : start + 6]] == [
        ["pairs", "by", "source", "web", "exam"],
        ["each", "component", "alone"],
        ["nothing", "75%", "25%"],
        ["pair", "rule", "0%", "100%"],
        ["the", "recipe", "without"],
        ["filters.x"],
    ]


def test_one_source_needs_no_table() -> None:
    row = Row("alone", "nothing", shares(8, {"a": 1.0}, {"web": 1.0}))
    assert "pairs by source" not in ablation_text(Ablation((row,), prompts=10, owed=0))


def test_many_sources_share_a_column() -> None:
    sources = {f"s{number}": 0.125 for number in range(8)}
    row = Row("alone", "nothing", shares(8, {"a": 1.0}, sources))
    page = ablation_text(Ablation((row,), prompts=10, owed=0)).splitlines()
    head = next(line for line in page if line.startswith("pairs by source"))
    assert head.split()[3:] == ["s0", "s1", "s2", "s3", "s4", "s5", "others"]
    assert page[page.index(head) + 2].split() == ["nothing", *["12%"] * 6, "25%"]
