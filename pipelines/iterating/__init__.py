"""Iterating: rounds that build with the policy as it is, and have it trained on what they built."""
