"""Calls of tools: read, compared and written; and steps towards them, as iTool searches for them.

reading.py     the calls in an answer, in any of their usual forms; `calls.py` compares them
fragments.py   where an answer is cut into steps
rewards.py     what a step earns, and how likely it was
policy.py      iTool's selection and backup, on the core of `pipelines.searching`
"""
