"""Revising: what a reviser is asked, what it answers, and what it changed."""
