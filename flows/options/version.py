"""The version that a command was given the name of, and a word where that may not be the expected one."""

import sys
from typing import TYPE_CHECKING

from flows.texts.plain import counted

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.publishing.versions import Version


def named_version(store: "Path", ref: str) -> "Version":
    """The version in `store` that "NAME[@V]" means: without @V, the newest that is no trial.

    Says on standard error that a newer one is a trial, or that all are. Raises NotThere.
    """
    from pipelines.publishing.store import Store

    version = Store(store).resolve(ref)
    if "@" not in ref:
        newest = Store(store).latest(version.name) or version
        if version.is_trial:
            print(f"{version.ref} is {trial_text(version)}: there is no other", file=sys.stderr)
        elif newest.number > version.number:
            told = f"{newest.ref} is newer, and {trial_text(newest)}: {newest.ref} names it"
            print(f"this is {version.ref}; {told}", file=sys.stderr)
    return version


def trial_text(version: "Version") -> str:
    """What a trial is: "a trial of 20 prompts"; "" for other versions."""
    trial = version.manifest.run.trial
    return "" if trial is None else f"a trial of {counted(trial, 'prompt')}"
