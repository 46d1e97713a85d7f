"""Pending."""

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None: ...
def run(chosen: argparse.Namespace) -> int:
    return 0
