"""Drawing: a Vega-Lite specification becomes SVG that stands in a page by itself.

vl-convert renders it, without a browser and without a network. Where it is not installed nothing is
drawn. The same specification gives the same bytes.
"""

import re
from importlib.util import find_spec
from typing import Any

from pipelines.report.charts import CONFIG, Spec

INSTALL = "pip install 'pairwright[report]'"
SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"

_ROOT = re.compile(r'<svg [^>]*viewBox="(?P<box>0 0 (?P<width>[\d.]+) [\d.]+)"[^>]*>')
_NEEDLESS = re.compile(r' (?:pointer-events="none"|aria-hidden="true"|stroke-miterlimit="10")')

_NO_XML = re.compile("[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\ufffe\\uffff]")
"""Characters that no SVG can hold: vl-convert ends the whole process over one."""


def can_draw() -> bool:
    """Whether what draws is installed."""
    return find_spec("vl_convert") is not None


def draw(spec: Spec) -> str:
    """The SVG, as wide as there is room for, up to a third more than its own size.

    It says nothing to a screen reader: the same numbers stand in a table beside it.
    """
    import vl_convert  # half a second, and many builds have nothing to draw

    found = vl_convert.vegalite_to_svg(
        {"$schema": SCHEMA, **drawable(spec), "config": CONFIG}, allowed_base_urls=[]
    )
    root = _ROOT.match(found)
    assert root is not None, found[:200]
    widest = round(1.3 * float(root["width"]))
    head = f'<svg viewBox="{root["box"]}" style="max-width:{widest}px" aria-hidden="true">'
    return head + _NEEDLESS.sub("", found[root.end() :])


def drawable(value: Any) -> Any:
    r"""`value` with a picture of each character, in any of its texts, that cannot be drawn.

    >>> drawable({"label": ["a\x00b", "\uffff", "\n", 3]})
    {'label': ['a␀b', '�', '\n', 3]}
    """
    if isinstance(value, str):
        return _NO_XML.sub(lambda one: _picture(one[0]), value)
    if isinstance(value, dict):
        return {key: drawable(one) for key, one in value.items()}
    return [drawable(one) for one in value] if isinstance(value, list | tuple) else value


def _picture(control: str) -> str:
    return chr(0x2400 + ord(control)) if control < " " else "\ufffd"
