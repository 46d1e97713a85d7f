import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from flows.cli import main
from flows.trees.picture import ROW, extremes, picture, spots
from flows.trees.searched import SearchedTrees, Step, Tree
from flows.trees.text import tree_lines
from pipelines.publishing.versions import Version
from tests.exports import plain_version
from tests.searched import searched, store_of
from tests.trees import ORACLE, Steps

NASTY = "</div><script>alert(1)</script> & \"'\x1b[31m\u202e"
TREES: dict[str, Steps] = {
    "How <b>?": {**ORACLE, "b": {**ORACLE["b"], "text": NASTY, "flags": "no_logprobs"}},
}


@pytest.fixture(scope="module")
def version(tmp_path_factory: pytest.TempPathFactory) -> Version:
    return searched(tmp_path_factory.mktemp("searched"), TREES, questions=1)


def prompt_of(version: Version, question: str) -> str:
    found = {one.question: one.prompt_id for one in SearchedTrees(version).some(9)}
    return found[question]


def run(version: Version, *words: str) -> int:
    return main(["tree", "trees", *words, "--store", str(store_of(version).root)])


def test_the_tree_is_drawn_with_its_figures_path_and_pairs(
    version: Version, capsys: pytest.CaptureFixture[str]
) -> None:
    prompt = prompt_of(version, "Question 0?")
    assert run(version, prompt) == 0
    assert (
        capsys.readouterr().out
        == f"""\
trees@v0001, prompt {prompt}
search, 7 nodes, depth 2, 21 visits, 4 ended answers, solved

 N      Q  value  prior
21                       *   Question 0?
19   1.59    0.6    0.5  *+  ├─ step a
19    1.1    1.7    0.5  *+  │  ├─ step ab [outcome 1]
 0   -1.1   -0.5    0.5    - │  └─ step aa [outcome -1]
 1  -0.65    0.5    0.5    - └─ step b
 1   -1.1   -0.6    0.5         ├─ step ba [outcome -1]
 0   -1.2   -0.7    0.5         └─ step bb [outcome -1]

* on the path that the search decided for, + chosen and - rejected in a pair
"""
    )


def test_an_id_may_be_shortened_and_prompts_are_listed(
    version: Version, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(version) == 0
    listed = capsys.readouterr().out
    assert "How <b>?" in listed
    short = prompt_of(version, "Question 0?")[:12]
    assert re.search(rf"^{short}      7      2      4  solved  Question 0\?$", listed, re.MULTILINE)
    assert run(version, short) == 0
    assert "step ab" in capsys.readouterr().out


def test_no_text_commands_the_terminal(
    version: Version, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(version, prompt_of(version, "How <b>?")) == 0
    drawn = capsys.readouterr().out
    assert "\x1b" not in drawn
    assert "\u202e" not in drawn
    assert "(no_logprobs)" in drawn


class Page(HTMLParser):
    """What a browser would make of a page: its elements, attributes and texts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.closed: list[str] = []
        self.said = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            assert not name.startswith("on")
            if name in ("href", "src"):
                self.links.append(value or "")
            if name == "id":
                self.ids.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        self.closed.append(tag)

    def handle_data(self, data: str) -> None:
        self.said += data


def test_the_picture_stands_alone_and_no_text_is_markup(
    version: Version, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "tree.html"
    assert run(version, prompt_of(version, "How <b>?"), "--html", str(file)) == 0
    assert capsys.readouterr().out.startswith(f"{file}: trees@v0001, prompt ")
    page = Page(file.read_text(encoding="utf-8"))
    assert "script" not in page.tags
    assert page.tags.count("circle") == 7
    assert page.tags.count("line") == 6
    assert sorted(page.links) == sorted(f"#{id_}" for id_ in page.ids)
    assert "<script>alert(1)</script>" in page.said
    assert "How <b>?" in page.said
    assert "\x1b" not in file.read_text(encoding="utf-8")
    assert "default-src 'none'" in file.read_text(encoding="utf-8")


def test_steps_of_one_depth_stand_below_each_other_without_touching(version: Version) -> None:
    [tree] = SearchedTrees(version).find(prompt_of(version, "Question 0?"))
    placed = {spot.step.node_id.rpartition("-")[2]: spot for spot in spots(tree)}
    assert (placed["a"].x, placed["ab"].x) == (50, 100)
    assert placed["a"].y == (placed["ab"].y + placed["aa"].y) / 2
    leaves = sorted(placed[name].y for name in ("aa", "ab", "ba", "bb"))
    assert leaves == [(row + 0.5) * ROW for row in range(4)]
    assert extremes(tree) == (-1.2, 1.59)
    assert (placed["a"].shade, placed["bb"].shade) == (100, 0)
    assert placed["a"].radius > placed["b"].radius > placed["bb"].radius


def test_a_search_of_any_depth_is_drawn() -> None:
    deepest = 1200
    root = step = made_step("0", None, 0)
    for depth in range(1, deepest + 1):
        step.below.append(made_step(f"{depth}", step.node_id, depth))
        step.below.append(made_step(f"{depth}b", step.node_id, depth))
        step = step.below[0]
    tree = Tree("p", [{"role": "user", "content": "How?", "tool_calls": None}], root)
    page = Page(picture("deep@v0001", [tree]))
    assert page.tags.count("circle") == 2 * deepest + 1
    assert page.tags.count("li") == page.closed.count("li") == 2 * deepest
    assert page.tags.count("ol") == page.closed.count("ol") == deepest
    assert len(list(tree_lines(tree, 80))) == 2 * deepest + 2


def made_step(node_id: str, parent_id: str | None, depth: int) -> Step:
    return Step(node_id, parent_id, "search", depth, f"step {node_id}", 1, 0.0, 0.5, 0.5, 0.5, 0.5,
                terminal=False, outcome=None, on_path=False, flags=None)  # fmt: skip


def test_a_missing_folder_is_named_by_its_name(
    version: Version, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "none" / "x.html"
    assert run(version, prompt_of(version, "Question 0?"), "--html", str(file)) == 2
    said = capsys.readouterr().err
    assert f"{tmp_path / 'none'}: no such folder" in said
    assert "unfinished" not in said


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("zz",), 'no tree of a prompt "zz"'),
        (("",), 'several prompts begin with ""'),
        (("--html", "x.html"), "name its prompt too"),
    ],
)
def test_what_cannot_be_drawn_is_said(
    version: Version, words: tuple[str, ...], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(version, *words) == 2
    assert complaint in capsys.readouterr().err


def test_a_picture_is_not_written_into_the_store(
    version: Version, capsys: pytest.CaptureFixture[str]
) -> None:
    inside = store_of(version).root / "tree.html"
    assert run(version, prompt_of(version, "Question 0?"), "--html", str(inside)) == 2
    assert not inside.exists()


def test_a_version_without_trees_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    version = plain_version(tmp_path)
    for file in version.files("tree_nodes"):
        file.unlink()
    manifest = version.folder / "manifest.json"
    text = re.sub(r'"tree_nodes/[^}]*\},?\s*', "", manifest.read_text())
    manifest.write_text(re.sub(r",(\s*\})", r"\1", text))
    assert main(["tree", "toy", "--store", str(store_of(version).root)]) == 2
    assert "has no trees" in capsys.readouterr().err
