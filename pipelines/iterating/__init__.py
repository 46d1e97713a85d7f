"""Iterating: rounds that build with the policy as it is, and have it trained on what was built.

    recipe ─ build ─> version ─ training command ─> model ─ build ─> version ─> ...

A round's dataset is the next version of the recipe's name. What is done is kept in the store, so
that the same command goes on with the first round that is not.
"""
