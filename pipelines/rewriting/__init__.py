"""Rewriting of instructions, as P-Aligner searches for it (arXiv 2508.04626).

rules.py      what may be done to an instruction: the actions of the search
request.py    how a model is asked to do it, and what of its reply is the instruction
policy.py     P-Aligner's selection and backup, on the core of `pipelines.searching`
"""
