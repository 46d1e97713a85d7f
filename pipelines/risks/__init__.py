"""Risks of pairs: what lets a model learn something else than what is better.

words ─ overlap           what stands in evaluation sets
features ─ probe ─ separability, shortcuts    what tells chosen from rejected too easily
minhash ─ near            prompts that are nearly the same

datasketch, scikit-learn and SciPy are the extra `risks`, imported where they are used.
"""
