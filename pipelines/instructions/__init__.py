"""Instructions that a program can check: "at least 300 words", "no commas" (IFEval, arXiv 2311.07911)."""
