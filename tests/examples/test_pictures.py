"""Laws of the examples' pictures: every scene is one that the page can draw, and drawing changes nothing."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import pytest

from tests.examples.dumps import dump
from tests.examples.playthrough import EXAMPLES, make, play

PLAYERS = {"arena": ("red", "blue"), "overcooked": ("0", "1"), "cart_pole": ("0",)}
PAINT = {"fill", "stroke", "line_width", "opacity"}
FIELDS: dict[str, tuple[set[str], set[str]]] = {
    "rect": ({"x", "y", "width", "height"}, PAINT | {"radius", "rotation"}),
    "circle": ({"x", "y", "radius"}, PAINT),
    "ellipse": ({"x", "y", "radius_x", "radius_y"}, PAINT | {"rotation"}),
    "line": ({"points", "stroke", "line_width"}, {"opacity"}),
    "polygon": ({"points", "fill"}, PAINT),
    "text": ({"x", "y", "text", "size", "fill", "align"}, {"weight", "opacity"}),
}
"""For each shape what it must and what it may say besides its kind."""
COLOUR = re.compile(r"#[0-9a-f]{6}")
SIZES = {"width", "height", "radius", "radius_x", "radius_y", "size", "line_width"}
BEYOND = 60.0
"""How far a shape may reach over the edge of the picture, in units: half of something that is leaving it."""


def faults(scene: dict[str, Any]) -> list[str]:
    """What is wrong with a scene; nothing, if a page can draw it and a person can see all of it."""
    found = []
    if set(scene) != {"width", "height", "background", "shapes"}:
        found.append(f"fields {sorted(scene)}")
    if not COLOUR.fullmatch(scene["background"]):
        found.append(f"background {scene['background']}")
    for place, shape in enumerate(scene["shapes"]):
        found += [f"shape {place} ({shape.get('shape')}): {fault}" for fault in _faults(shape, scene)]
    return found


def _faults(shape: dict[str, Any], scene: dict[str, Any]) -> list[str]:
    kind = shape["shape"]
    if kind not in FIELDS:
        return ["no such shape"]
    must, may = FIELDS[kind]
    said = set(shape) - {"shape"}
    found = [f"lacks {name}" for name in sorted(must - said)]
    found += [f"has {name}" for name in sorted(said - must - may)]
    if not said & {"fill", "stroke"}:
        found.append("cannot be seen")
    for name in said & {"fill", "stroke"}:
        if not COLOUR.fullmatch(shape[name]):
            found.append(f"{name} {shape[name]}")
    points = shape.get("points", [[shape.get("x", 0.0), shape.get("y", 0.0)]])
    numbers = [value for name, value in shape.items() if type(value) in (int, float) and name != "points"]
    numbers += [number for point in points for number in point]
    if not all(type(number) in (int, float) and math.isfinite(number) for number in numbers):
        return [*found, "a number that is none, or not finite"]
    found += [f"{name} {shape[name]}" for name in said & SIZES if shape[name] <= 0]
    if not 0.0 <= shape.get("opacity", 1.0) <= 1.0:
        found.append(f"opacity {shape['opacity']}")
    for x, y in points:
        if not (-BEYOND <= x <= scene["width"] + BEYOND and -BEYOND <= y <= scene["height"] + BEYOND):
            found.append(f"outside of the picture at {x}, {y}")
    if kind == "text" and (not shape["text"] or shape["align"] not in ("left", "center", "right")):
        found.append("text without words or place")
    return found


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_frame_makes_a_scene_that_a_page_can_draw(example: str) -> None:
    env, draw = make(example)
    for _ in play(example, env, 1):
        for player in (None, *PLAYERS[example]):
            scene = draw(env, player)
            assert faults(scene) == []
            assert json.loads(json.dumps(scene, allow_nan=False)) == scene
            assert 10 < len(scene["shapes"]) < 250


@pytest.mark.parametrize("example", EXAMPLES)
def test_drawing_leaves_the_whole_environment_as_it_was(example: str) -> None:
    env, draw = make(example)
    for frame, _ in enumerate(play(example, env, 3)):
        if frame % 25 == 0 or frame == 450:
            before = dump(env)
            for player in (None, *PLAYERS[example]):
                draw(env, player)
            assert dump(env) == before


@pytest.mark.parametrize("example", ["arena", "overcooked"])
def test_each_player_is_shown_which_one_is_theirs(example: str) -> None:
    env, draw = make(example)
    env.reset(seed=1)

    def marks(player: str | None) -> list[tuple[float, float]]:
        return [
            (shape["x"], shape["y"]) for shape in draw(env, player)["shapes"] if shape["shape"] == "text" and shape["text"] == "YOU"
        ]

    first, second = PLAYERS[example]
    assert marks(None) == []
    assert len(marks(first)) == len(marks(second)) == 1
    assert marks(first) != marks(second)


def test_the_check_of_scenes_finds_what_a_page_could_not_draw() -> None:
    whole = {"width": 100, "height": 100, "background": "#000000"}
    good = {"shape": "circle", "x": 1, "y": 2.5, "radius": 3, "fill": "#ffffff"}
    assert faults({**whole, "shapes": [good]}) == []
    for wrong in (
        {**good, "shape": "blob"},
        {**good, "radius": 0},
        {**good, "x": float("nan")},
        {**good, "x": 1000},
        {**good, "fill": "white"},
        {**good, "colour": "#ffffff"},
        {"shape": "circle", "x": 1, "y": 2.5, "radius": 3},
    ):
        assert len(faults({**whole, "shapes": [wrong]})) == 1
