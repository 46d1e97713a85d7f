"""Calibration: a judge is held against labels before its judgments count.

labels ─ read, labelled_row ─> labelled pairs ─ run ─> opinion of each ─ figures ─> calibration
gate <───────────────── stored, by the judge's identity <──────────────────────────────┘
"""
