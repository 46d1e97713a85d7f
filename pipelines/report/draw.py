"""Drawing: a Vega-Lite specification becomes SVG that stands in a page by itself.

vl-convert renders it, without a browser and without a network. Where it is not installed nothing is
drawn. The same specification gives the same bytes.
"""

import re
from importlib.util import find_spec

from pipelines.report.charts import CONFIG, Spec

INSTALL = "pip install 'pairwright[report]'"
SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"

_ROOT = re.compile(r'<svg [^>]*viewBox="(?P<box>0 0 (?P<width>[\d.]+) [\d.]+)"[^>]*>')
_NEEDLESS = re.compile(r' (?:pointer-events="none"|aria-hidden="true"|stroke-miterlimit="10")')


def can_draw() -> bool:
    """Whether what draws is installed."""
    return find_spec("vl_convert") is not None


def draw(spec: Spec) -> str:
    """The SVG, as wide as there is room for, up to a third more than its own size.

    It says nothing to a screen reader: the same numbers stand in a table beside it.
    """
    import vl_convert  # half a second, and many builds have nothing to draw

    found = vl_convert.vegalite_to_svg(
        {"$schema": SCHEMA, **spec, "config": CONFIG}, allowed_base_urls=[]
    )
    root = _ROOT.match(found)
    assert root is not None, found[:200]
    widest = round(1.3 * float(root["width"]))
    head = f'<svg viewBox="{root["box"]}" style="max-width:{widest}px" aria-hidden="true">'
    return head + _NEEDLESS.sub("", found[root.end() :])
