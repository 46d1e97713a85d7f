"""Feedback: what users say of an answer in their next turn (WildFeedback, arXiv 2408.15549)."""
