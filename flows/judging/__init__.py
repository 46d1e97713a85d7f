"""The actions of `pairwright judge`: one action, one module."""
