"""A scene as SVG: plain shapes and text, without scripts, styles or fonts of its own."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from enasdsl.view.scene import THIN, Curve, Point, Rect, Scene, Text

FONT = "Helvetica, Arial, 'Liberation Sans', sans-serif"
HEAD = 7.8
"""The length of an arrow head."""


def to_svg(scene: Scene, *, note: str = "") -> str:
    """The text of an SVG file; `note` is kept in it as its description."""
    width, height = _number(scene.width), _number(scene.height)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}" font-family="{FONT}">',
            f"<title>{escape(scene.title)}</title>",
            *([f"<desc>{escape(note)}</desc>"] if note else []),
            "<defs>",
            *_markers(scene),
            "</defs>",
            f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
            *map(_item, scene.items),
            "</svg>",
            "",
        ]
    )


def _markers(scene: Scene) -> Iterator[str]:
    """An arrow head for each kind of line."""
    curves = (i for i in scene.items if isinstance(i, Curve) and i.arrow)
    for name, curve in sorted({_marker(c): c for c in curves}.items()):
        side = _number(HEAD / curve.width)
        yield (
            f'<marker id="{name}" viewBox="0 0 8 8" refX="7.5" refY="4" '
            f'markerWidth="{side}" markerHeight="{side}" orient="auto-start-reverse">'
            f'<path d="M0 0.8 8 4 0 7.2z" fill="{curve.stroke}"/></marker>'
        )


def _marker(curve: Curve) -> str:
    width = "" if curve.width == THIN else f"-{_number(10 * curve.width)}"
    return f"head-{curve.stroke.removeprefix('#')}{width}"


def _item(item: Rect | Curve | Text) -> str:
    match item:
        case Rect():
            return _rect(item)
        case Curve():
            return _curve(item)
        case Text():
            return _text(item)


def _rect(item: Rect) -> str:
    dashes = ' stroke-dasharray="3 2"' if item.dashed else ""
    return (
        f'<rect x="{_number(item.x)}" y="{_number(item.y)}" width="{_number(item.width)}" '
        f'height="{_number(item.height)}" rx="{_number(item.radius)}" fill="{item.fill}" '
        f'stroke="{item.stroke}"{dashes}/>'
    )


def _curve(item: Curve) -> str:
    steps = "".join(f"{'C' if len(p) == 3 else 'L'}{' '.join(map(_point, p))}" for p in item.pieces)
    dashes = ' stroke-dasharray="4 3"' if item.dashed else ""
    head = f' marker-end="url(#{_marker(item)})"' if item.arrow else ""
    return (
        f'<path d="M{_point(item.start)}{steps}" fill="none" stroke="{item.stroke}" '
        f'stroke-width="{_number(item.width)}"{dashes}{head}/>'
    )


def _text(item: Text) -> str:
    bold = ' font-weight="bold"' if item.bold else ""
    return (
        f'<text x="{_number(item.x)}" y="{_number(item.y)}" font-size="{_number(item.size)}" '
        f'textLength="{_number(item.width)}" lengthAdjust="spacingAndGlyphs" '
        f'fill="{item.colour}"{bold}>{escape(item.text)}</text>'
    )


def _point(point: Point) -> str:
    return f"{_number(point[0])} {_number(point[1])}"


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
