"""The shapes that a picture is made of, as small functions, so that the examples' drawings read as drawings.

Each returns one entry of a scene's list of shapes. Coordinates are in units of the scene, x to the right and
y down; angles in radians, clockwise; colours as "#rrggbb"; opacity from 0 to 1. A text's y is the middle of
its line. This module knows of no environment and of no canvas.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

Shape = dict[str, Any]
Point = tuple[float, float]


def scene(width: float, height: float, background: str, shapes: list[Shape]) -> dict[str, Any]:
    """A whole picture: its size, its background and its shapes, the first one lowest."""
    return {"width": width, "height": height, "background": background, "shapes": shapes}


def rect(x: float, y: float, width: float, height: float, fill: str, **more: Any) -> Shape:
    """A rectangle by its top left corner; `radius` rounds corners, `rotation` turns it about its centre."""
    return {"shape": "rect", "x": x, "y": y, "width": width, "height": height, "fill": fill, **more}


def circle(x: float, y: float, radius: float, fill: str | None = None, **more: Any) -> Shape:
    """A circle by its centre; without `fill` only its outline, if `stroke` is given."""
    shape: Shape = {"shape": "circle", "x": x, "y": y, "radius": radius, **more}
    if fill is not None:
        shape["fill"] = fill
    return shape


def ellipse(x: float, y: float, radius_x: float, radius_y: float, fill: str, **more: Any) -> Shape:
    """An ellipse by its centre and its two radii."""
    return {
        "shape": "ellipse",
        "x": x,
        "y": y,
        "radius_x": radius_x,
        "radius_y": radius_y,
        "fill": fill,
        **more,
    }


def line(points: Iterable[Point], stroke: str, line_width: float, **more: Any) -> Shape:
    """A line through all the points, in order."""
    return {
        "shape": "line",
        "points": [[x, y] for x, y in points],
        "stroke": stroke,
        "line_width": line_width,
        **more,
    }


def polygon(points: Iterable[Point], fill: str, **more: Any) -> Shape:
    """A closed figure through all the points, in order."""
    return {"shape": "polygon", "points": [[x, y] for x, y in points], "fill": fill, **more}


def text(x: float, y: float, words: str, size: float, fill: str, align: str = "left", **more: Any) -> Shape:
    """One line of text whose left end, centre or right end, as `align` says, is at (x, y)."""
    return {
        "shape": "text",
        "x": x,
        "y": y,
        "text": words,
        "size": size,
        "fill": fill,
        "align": align,
        **more,
    }


def star(x: float, y: float, outer: float, inner: float, points: int, turn: float, fill: str, **more: Any) -> Shape:
    """A star of so many points between two radii, turned by an angle."""
    corners = []
    for corner in range(2 * points):
        radius = outer if corner % 2 == 0 else inner
        angle = turn + math.pi * corner / points
        corners.append((x + radius * math.cos(angle), y + radius * math.sin(angle)))
    return polygon(corners, fill, **more)


def arc(x: float, y: float, radius: float, begin: float, end: float, stroke: str, width: float, **more: Any) -> Shape:
    """Part of a circle's outline between two angles, made of short straight pieces."""
    pieces = max(2, math.ceil(abs(end - begin) / 0.3))
    angles = [begin + (end - begin) * piece / pieces for piece in range(pieces + 1)]
    return line([(x + radius * math.cos(a), y + radius * math.sin(a)) for a in angles], stroke, width, **more)
