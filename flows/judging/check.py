"""check."""

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the action takes."""


def run(chosen: argparse.Namespace) -> int:
    """Runs it."""
    raise NotImplementedError
