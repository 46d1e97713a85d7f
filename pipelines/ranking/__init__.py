"""Ranking: who wins against whom, and how strong that makes each.

games           points of models against each other, by prompt
bradley_terry   strengths from counts of wins
models          the models of a version's pairs, ranked, with intervals
"""
