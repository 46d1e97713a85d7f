"""Two versions side by side: which pairs differ, and why."""
