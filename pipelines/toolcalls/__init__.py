"""Calls of tools: read, compared and written; and the search for steps towards them (iTool)."""
