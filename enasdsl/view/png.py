"""A scene as PNG, painted with Pillow and the font that it carries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import BytesIO
from itertools import pairwise
from math import atan2, cos, dist, pi, sin
from typing import TYPE_CHECKING

from enasdsl.view.scene import Curve, Point, Rect, Scene, Text

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

FINE = 2
"""How many times finer than the file the scene is painted, for smooth edges."""

LARGEST = 120_000_000
"""How many points may be painted."""


def to_png(scene: Scene, *, scale: float = 2.0) -> bytes:
    """The bytes of a PNG file, `scale` points for each unit of the scene.

    Raises ImportError without Pillow. A page too large is made at a smaller scale.
    """
    from PIL import Image, ImageDraw

    area = scene.width * scene.height * FINE**2
    scale = min(scale, (LARGEST / area) ** 0.5)
    zoom = scale * FINE
    size = round(scene.width * zoom), round(scene.height * zoom)
    image = Image.new("RGB", size, "#ffffff")
    painter = _Painter(ImageDraw.Draw(image), zoom)
    for item in scene.items:
        painter.paint(item)
    small = image.resize((size[0] // FINE, size[1] // FINE), Image.Resampling.BOX)
    file = BytesIO()
    small.save(file, "png", optimize=True)
    return file.getvalue()


class _Painter:
    def __init__(self, draw: ImageDraw, zoom: float) -> None:
        self.draw = draw
        self.zoom = zoom
        self._fonts: dict[float, FreeTypeFont] = {}

    def paint(self, item: Rect | Curve | Text) -> None:
        match item:
            case Rect():
                self._rect(item)
            case Curve():
                self._curve(item)
            case Text():
                self._text(item)

    def _rect(self, item: Rect) -> None:
        corners = (item.x, item.y, item.x + item.width, item.y + item.height)
        box = [v * self.zoom for v in corners]
        self.draw.rounded_rectangle(
            box, item.radius * self.zoom, item.fill, item.stroke, round(self.zoom)
        )

    def _curve(self, item: Curve) -> None:
        points = [item.start, *_flattened(item)]
        if item.arrow:
            points = self._head(points, item.stroke)
        for stretch in _dashes(points) if item.dashed else [points]:
            scaled = [(x * self.zoom, y * self.zoom) for x, y in stretch]
            self.draw.line(scaled, item.stroke, round(item.width * self.zoom), "curve")

    def _head(self, points: list[Point], colour: str) -> list[Point]:
        """Paints an arrow head; gives the line without its last stretch, which lies below it."""
        tip = points[-1]
        back = next((p for p in reversed(points) if dist(p, tip) > 5), points[0])
        angle = atan2(tip[1] - back[1], tip[0] - back[0])
        sides = [
            (tip[0] - 7.5 * cos(angle + turn), tip[1] - 7.5 * sin(angle + turn))
            for turn in (pi / 8, -pi / 8)
        ]
        corners = [(x * self.zoom, y * self.zoom) for x, y in (tip, *sides)]
        self.draw.polygon(corners, colour)
        neck = tip[0] - 5 * cos(angle), tip[1] - 5 * sin(angle)
        return [*(p for p in points[:-1] if dist(p, tip) > 5), neck]

    def _text(self, item: Text) -> None:
        font = self._font(item.size)
        wide = font.getlength(item.text)
        room = item.width * self.zoom
        if wide > room:
            font = self._font(item.size * room / wide)
            wide = font.getlength(item.text)
        x = item.x * self.zoom + (room - wide) / 2 * item.centred
        stroke = self.zoom * 0.22 if item.bold else 0
        place = x, item.y * self.zoom
        self.draw.text(
            place, item.text, item.colour, font, "ls", stroke_width=stroke, stroke_fill=item.colour
        )

    def _font(self, size: float) -> FreeTypeFont:
        from PIL import ImageFont

        if size not in self._fonts:
            font = ImageFont.load_default(size * self.zoom)
            assert isinstance(font, ImageFont.FreeTypeFont)
            self._fonts[size] = font
        return self._fonts[size]


def _flattened(curve: Curve) -> Iterator[Point]:
    """The points of a curve, close enough to each other."""
    here = curve.start
    for piece in curve.pieces:
        if len(piece) == 1:
            yield piece[0]
        else:
            first, second, last = piece
            steps = max(24, int(dist(here, last) / 24))
            for n in range(1, steps + 1):
                t = n / steps
                weights = (1 - t) ** 3, 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t**2, t**3
                ends = (here, first, second, last)
                yield (
                    sum(w * p[0] for w, p in zip(weights, ends, strict=True)),
                    sum(w * p[1] for w, p in zip(weights, ends, strict=True)),
                )
        here = piece[-1]


def _dashes(points: Sequence[Point], on: float = 4.0, off: float = 3.0) -> Iterator[list[Point]]:
    """The painted stretches of a dashed line."""
    stretch, left, painting = [points[0]], on, True
    for start, stop in pairwise(points):
        here, far = start, dist(start, stop)
        while far > left:
            share = left / far
            here = here[0] + (stop[0] - here[0]) * share, here[1] + (stop[1] - here[1]) * share
            if painting:
                yield [*stretch, here]
            painting = not painting
            stretch, far, left = [here], far - left, on if painting else off
        left -= far
        stretch.append(stop)
    if painting and len(stretch) > 1:
        yield stretch
