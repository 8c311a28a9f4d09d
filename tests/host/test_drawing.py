"""Laws of drawing: what the page gets is a picture or a scene, and whatever else is returned is refused by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pyodide_runtime.drawing import DEFAULT_SIZE, Drawing, encode_view
from pyodide_runtime.errors import DrawingError

DOT = {"shape": "circle", "x": 1, "y": 2, "radius": 0.5}


def scene_of(view: bytes) -> Any:
    assert view[0] == 0
    return json.loads(view[1:])


def test_a_list_of_shapes_is_a_scene_of_the_default_size() -> None:
    scene = {"width": DEFAULT_SIZE[0], "height": DEFAULT_SIZE[1], "background": "#ffffff", "shapes": [DOT]}
    assert scene_of(encode_view([DOT])) == scene_of(encode_view((DOT,))) == scene
    assert Drawing.size(encode_view([DOT])) == DEFAULT_SIZE


def test_a_scene_says_its_own_size() -> None:
    view = encode_view({"width": 9, "height": 4.5, "shapes": []})
    assert scene_of(view)["shapes"] == [] and Drawing.size(view) == (9, 4.5)


def test_numbers_of_numpy_are_numbers() -> None:
    view = encode_view({"width": np.int64(3), "height": np.float32(2), "shapes": [{**DOT, "points": np.array([[0, 1.5]])}]})
    assert Drawing.size(view) == (3, 2) and scene_of(view)["shapes"][0]["points"] == [[0, 1.5]]


def test_a_picture_is_its_pixels_row_by_row_however_it_lies_in_memory() -> None:
    picture = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    view = encode_view(np.asfortranarray(picture))
    assert view == encode_view(picture) and view[8:] == bytes(range(24)) and Drawing.size(view) == (3, 2)


BAD: dict[str, Any] = {
    "nothing": None,
    "a text": "picture",
    "a number": 3,
    "a mapping without shapes": {"width": 3},
    "shapes that are a mapping": {"shapes": DOT},
    "shapes that are no list": {"shapes": 5},
    "a shape that is a text": ["circle"],
    "a shape without a name": [{"x": 1}],
    "a shape whose name is a number": [{"shape": 1}],
    "a number that is none": [{**DOT, "x": float("nan")}],
    "an object": [{**DOT, "x": object()}],
    "a set": [{**DOT, "points": {1}}],
    "a key that is a tuple": [{**DOT, (1, 2): 1}],
    "no width": {"shapes": [], "width": None},
    "a width of text": {"shapes": [], "width": "9"},
    "a width of nought": {"shapes": [], "width": 0},
    "a height below nought": {"shapes": [], "height": -1},
    "an endless height": {"shapes": [], "height": float("inf")},
    "a height that is true": {"shapes": [], "height": True},
    "a grey picture": np.zeros((2, 2), np.uint8),
    "two channels": np.zeros((2, 2, 2), np.uint8),
    "floats": np.zeros((2, 2, 3)),
    "an empty picture": np.zeros((0, 2, 3), np.uint8),
    "too wide a picture": np.zeros((1, 65_536, 3), np.uint8),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_neither_picture_nor_shapes_is_refused(name: str) -> None:
    with pytest.raises(DrawingError):
        encode_view(BAD[name])


def test_a_scene_that_holds_itself_or_is_too_deep_is_refused() -> None:
    ring: dict[str, Any] = dict(DOT)
    ring["inner"] = ring
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    for shape in (ring, {**DOT, "points": deep}):
        with pytest.raises(DrawingError):
            encode_view([shape])


class Picture:
    """An environment that draws itself, or does not."""

    def __init__(self, value: Any) -> None:
        self.render = lambda: value


def test_without_a_draw_function_the_environment_draws_itself() -> None:
    pixels = np.zeros((1, 1, 3), np.uint8)
    assert Drawing(None).view(Picture(pixels)) == encode_view(pixels)
    with pytest.raises(DrawingError, match="rgb_array"):
        Drawing(None).view(Picture(None))


def by_keyword(env: Any, *, player: str = "") -> Any:
    return [{**DOT, "of": player}]


@pytest.mark.parametrize(
    ("draw", "of"),
    [
        (lambda env: [{**DOT, "of": "nobody"}], "nobody"),
        (lambda env, player: [{**DOT, "of": player}], "fox"),
        (lambda env, player=None: [{**DOT, "of": player}], "fox"),
        (lambda *both: [{**DOT, "of": both[1]}], "fox"),
        (by_keyword, ""),
    ],
)
def test_a_draw_function_is_told_who_looks_if_it_wants_to_know(draw: Callable[..., Any], of: str) -> None:
    assert scene_of(Drawing(draw, "fox").view(object()))["shapes"][0]["of"] == of


def test_what_draw_raises_is_passed_on() -> None:
    def draw(env: Any) -> Any:
        raise LookupError("no such colour")

    with pytest.raises(LookupError, match="no such colour"):
        Drawing(draw).view(object())
