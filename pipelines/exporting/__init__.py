"""Exports: the pairs of a published version in another folder, in the form a trainer wants."""
