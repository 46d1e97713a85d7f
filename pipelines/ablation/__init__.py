"""Ablation: what each component of a recipe does to the pairs, told from the ledger without a call.

recipe ─ variants ─> recipes without this, with that alone ─┐
ledger ─ replay ──> evidence ───────────────────────────────┴─ select ─> figures of each
"""
