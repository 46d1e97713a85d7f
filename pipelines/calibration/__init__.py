"""Calibration: a judge is held against labels before its judgments count.

labels ─ columns, labelled ─> pairs ─ run ─> judgments ─ opinion ─> what it said of each pair
                                                            │ figures, temperature, wilson
gate <─ stored <─ identity ────────────── calibration <─────┘
"""
