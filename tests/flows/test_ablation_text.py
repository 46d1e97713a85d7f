from flows.ablation_text import ablation_text
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
    assert page[2].split() == ["nothing", "7", "7", "0.00"]
    assert page[3].split() == ["pair", "rule", "0", "0", "margin_too_small", "1,200"]
    assert any(line.startswith("nothing: the pairing alone") for line in page)
