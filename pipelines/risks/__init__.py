"""Risks of pairs: what lets a model learn something else than what is better.

words ─ edit              how near two answers are
      ├ ngrams            what stands in evaluation sets
      └ features ─ probe ─ separability, shortcuts    what tells chosen from rejected too easily
minhash ─ near            prompts that are nearly the same
"""
