"""A reader of the documentation who does what every block says, to the letter.

A block `text output` shows what the block before it prints; `output-varies` says that its figures
differ from machine to machine. Between `<!-- output of `COMMAND` -->` and `<!-- end of output -->`
stands what COMMAND prints, as Markdown. The reader sees what is really printed.
"""

import io
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import pytest

from flows.cli import main
from pipelines.publishing.store import Store
from pipelines.recipe import Recipe, make_recipe, read_recipe

ROOT = Path(__file__).parents[2]
README, RECIPES = ROOT / "README.md", ROOT / "docs" / "recipes.md"
PAGES_OF_DOCS = [
    page for where in ("*", "methods/*") for page in sorted(ROOT.glob(f"docs/{where}.md"))
]
BLOCK = re.compile(
    r"(?:<!-- not run: (?P<why>[^>]+) -->\n)?^```(?P<language>\w*) ?(?P<name>\S*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
RENDERED = re.compile(
    r"(?<=<!-- output of `)(?P<command>[^`]+)` -->\n(?P<text>.*?)(?=<!-- end of output -->)",
    re.DOTALL,
)


class Screen(io.TextIOWrapper):
    """What is printed, by a command that believes to be on a terminal."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", write_through=True)

    def isatty(self) -> bool:
        return True

    def text(self) -> str:
        """All of it so far."""
        assert isinstance(self.buffer, io.BytesIO)
        return self.buffer.getvalue().decode()


@dataclass
class Reader:
    """Someone who follows a page in a folder, to the letter."""

    folder: Path
    recipes: list[Recipe] = field(default_factory=list)
    base: dict[str, Any] = field(default_factory=dict)
    """What a recipe in pieces is completed with: tables that stood on the page before."""

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)
        cache = {"HF_HOME": str(self.folder / "cache"), "HF_HUB_OFFLINE": "1"}
        self.environment = {**os.environ, **cache, "PYTHONPATH": str(ROOT)}
        self.store = Store(self.folder / "data" / "store")

    @classmethod
    def newcomer(cls, folder: Path) -> Self:
        """Someone with an empty store, and the questions that the README's recipe is about."""
        reader = cls(folder)
        (folder / "questions.jsonl").write_text('{"question": "Why?"}\n')
        return reader

    @classmethod
    def tutor(cls, folder: Path) -> Self:
        """Someone who starts with docs/recipes.md."""
        reader = cls(folder)
        blocks = BLOCK.finditer(RECIPES.read_text())
        recipe = next(one["text"] for one in blocks if one["name"] == "tutor.toml")
        (folder / "tutor.toml").write_text(recipe)
        table = tomllib.loads(recipe, parse_float=Decimal)
        needed = ("name", "sources", "models", "samplers", "pairings")
        reader.base = {key: table[key] for key in needed} | {"judges": table["judges"][:1]}
        reader.base["prompts"] = table["prompts"] | {"source": "problems"}
        return reader

    def twin(self, folder: Path) -> "Reader":
        """Another who has read and made as much, in a folder of their own."""
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        return Reader(folder, list(self.recipes), self.base.copy())

    def follow(self, page: Path) -> str:
        """Saves the files of a page, then does what its blocks say, in their order.

        Returns the page as it should be: with what was really printed.
        """
        text = page.read_text()
        blocks = list(BLOCK.finditer(text))
        assert 2 * len(blocks) == text.count("\n```"), f"{page.name}: an odd fence"
        for block in blocks:
            if block["name"] and not block["name"].startswith("output"):
                (self.folder / block["name"]).write_text(block["text"])
        pieces, end, printed = [], 0, ""
        for block in blocks:
            if block["name"].startswith("output"):
                pieces += [text[end : block.start("text")], printed]
                end = block.end("text")
            elif not block["why"]:
                printed = getattr(self, f"try_{block['language']}")(block["text"], block["name"])
        return RENDERED.sub(self._rendered, "".join(pieces) + text[end:])

    def try_sh(self, text: str, name: str) -> str:
        return "".join(self._printed(words) for words in commands(text))

    def _printed(self, words: list[str]) -> str:
        """What a command prints; of one that shall fail, what it complains."""
        if words[0] != "pairwright":
            return self._run("sh", "-c", " ".join(words))
        called, _, wanted = " ".join(words).partition(" || test $? -eq ")
        arguments = words[1 : words.index("||") if wanted else None]
        printed, said = Screen(), io.StringIO()
        with self._here(), redirect_stdout(printed), redirect_stderr(said):
            code = main(arguments)
        assert code == int(wanted or 0), f"{called}: {code}\n{said.getvalue()}"
        return (printed.text() or said.getvalue()).replace(f"{self.folder}/", "")

    @contextmanager
    def _here(self) -> Iterator[None]:
        with chdir(self.folder), pytest.MonkeyPatch.context() as patch:
            patch.delenv("PAIRWRIGHT_STORE", raising=False)
            patch.setenv("COLUMNS", "100")
            patch.setenv("NO_COLOR", "1")
            yield

    def try_python(self, text: str, name: str) -> str:
        return "" if name else self._run(sys.executable, "-W", "error", "-c", text)

    def try_jsonl(self, text: str, name: str) -> str:
        assert name
        return ""

    try_jinja = try_jsonl

    def try_sql(self, text: str, name: str) -> str:
        printed = self._printed(["pairwright", "sql", "--dataset", "tutor", text])
        assert printed.count("\n") > 1, f"no row: {text}"
        return printed

    def try_toml(self, text: str, name: str) -> str:
        path = self.folder / (name or "pieces.toml")
        table = tomllib.loads(text, parse_float=Decimal)
        if "dimensions" in table:  # a rubric
            return ""
        if not name and "name" not in table:
            for key in ("sources", "models"):
                self.base[key] |= table.get(key, {})
            table = self.base | table | {key: self.base[key] for key in ("sources", "models")}
        self.recipes.append(read_recipe(path) if name else make_recipe(path, table))
        return ""

    def _rendered(self, region: re.Match[str]) -> str:
        printed = self._printed(shlex.split(region["command"]))
        return f"{region['command']}` -->\n\n{printed}\n"

    def _run(self, *command: str) -> str:
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{command[-1]}\n{done.stdout}\n{done.stderr}"
        return done.stdout


def commands(text: str) -> Iterator[list[str]]:
    """The words of each command; `pairwright` runs in this process, however it is started."""
    command = ""
    for line in text.replace("\\\n", " ").splitlines():
        command += line.removeprefix("sh tools/uv.sh run ") + "\n"
        with suppress(ValueError):  # a quotation goes on in the next line
            yield shlex.split(command, comments=True)
            command = ""
    assert not command


class Readers:
    """Those who follow the pages, each in a folder of their own below `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @cached_property
    def _tutor(self) -> tuple[Reader, str]:
        tutor = Reader.tutor(self.folder / "tutor")
        return tutor, tutor.follow(RECIPES)

    def student(self, name: str) -> Reader:
        """Someone who has worked through docs/recipes.md: every other page uses its datasets."""
        return self._tutor[0].twin(self.folder / name)

    def follow(self, page: Path) -> str:
        """A page as it should be, with what its commands really print."""
        if page == README:
            return Reader.newcomer(self.folder / "newcomer").follow(README)
        return self._tutor[1] if page == RECIPES else self.student(page.stem).follow(page)


def settled(page: str) -> str:
    """A page without what differs from run to run, and from machine to machine."""
    return BLOCK.sub(_settled, page)


def _settled(block: re.Match[str]) -> str:
    if not block["name"].startswith("output"):
        return block[0]
    text = re.sub(r"\d{4}-\d\d-\d\d[T ][\d:.]+(\+00:00)?", "TIME", block[0])
    text = re.sub(r"\b(in|about) \d+(:\d\d)+", "in TIME", text)
    text = re.sub(r"[\d.,]+(k bytes|k| bytes)\b", "SIZE", text)
    if block["name"] == "output-varies":
        text = "\n".join(_openings(text))
    return re.sub(" +", " ", text)


def _openings(text: str) -> Iterator[str]:
    """How the lines begin that are not indented; ids are all one, and so are numbers.

    >>> list(_openings("51 pairs\\n  of one\\n304cb84ac444  1 > 0\\nnext: pairwright"))
    ['0', 'ID', 'next:']
    """
    for line in text.splitlines():
        if line[:1].strip():
            first = re.sub(r"^[0-9a-f]{12}$", "ID", line.split()[0])
            yield re.sub(r"[\d.,]+", "0", first)
