from pathlib import Path

from flows.texts.refused import refused_text
from schemas.version import Manifest, Refused

BARE = Manifest(
    name="toy", recipe_fingerprint="", content_digest="", seed=0, files={}, schema_hashes={},
    code_version="",
)  # fmt: skip


def test_nothing_is_said_where_nothing_was_refused() -> None:
    assert refused_text(BARE, Path("store")) == ""


def test_the_endpoint_s_words_are_shown_on_a_line_with_the_commands_that_help() -> None:
    said = Refused(asked=60, refused=7, example="m at http://x: HTTP 400: no\nsuch \x1b[31mmodel")
    text = refused_text(BARE.model_copy(update={"refused": {"judges.rating": said}}), Path("store"))
    assert text.splitlines()[:2] == [
        "part           asked  refused  the endpoint said",
        "judges.rating     60        7  m at http://x: HTTP 400: no such [31mmodel",
    ]
    assert "`pairwright retry --failed --store store`" in text
    assert "`pairwright doctor RECIPE`" in text
