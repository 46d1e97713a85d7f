"""Difficulty of pairs by held-out loss: Selective DPO (arXiv 2502.09650), section 4.

    pairs ─ halves ─> reference runs (seeds x halves) ─ checkpoints ─> val_losses ─> difficulty
                       each trains on one half, and scores the other, which it never saw

The runs are training, in an environment of its own (`crossfit.py`). All after them is table to
table, and works as well on losses that another trainer wrote.
"""
