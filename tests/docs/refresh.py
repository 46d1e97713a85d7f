"""Writes into the pages what their commands print now: `python -m tests.docs.refresh [PAGE...]`."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.docs.reader import PAGES_OF_DOCS, README, ROOT, Readers, settled

COMMAND = "python -m tests.docs.refresh"


def refresh(named: list[Path]) -> None:
    """Writes the named pages; where none is named, those that differ in more than times and sizes."""
    with TemporaryDirectory() as folder:
        readers = Readers(Path(folder))
        for page in named or [README, *PAGES_OF_DOCS]:
            shown, real = page.read_text(), readers.follow(page)
            if shown != real and (named or settled(shown) != settled(real)):
                print(page.relative_to(ROOT))
                page.write_text(real)


if __name__ == "__main__":
    refresh([Path(page).resolve() for page in sys.argv[1:]])
