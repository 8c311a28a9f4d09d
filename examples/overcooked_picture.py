"""How the kitchen looks: one scene of shapes from cogrid's public `get_state()`.

It only reads the environment; drawing a frame twice, or never, changes nothing. cogrid is imported when the
first picture is drawn, so this module can be read where cogrid is not installed. It never knows of networks
or of rollback.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

from shapes import Shape, circle, ellipse, line, polygon, rect, scene, star, text

STEPS = 450
FRAMES_A_SECOND = 10
TILE = 120.0
MARGIN, TOP = 20.0, 96.0
CHEFS = (("#4dabf7", "#1864ab"), ("#ff922b", "#b8510d"))
"""Fill and outline of each chef."""
FACING = ((1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0))
"""cogrid's directions as unit vectors: right, down, left, up."""
WALL, FLOOR_LIGHT, FLOOR_DARK, INK, WHITE = "#2b2118", "#f3e6cf", "#ead9bb", "#3b2d20", "#ffffff"
WOOD, WOOD_TOP, WOOD_EDGE = "#a9713f", "#c98f55", "#7d5029"
STEEL, STEEL_LIGHT, STEEL_DARK = "#8d98a7", "#c3ccd8", "#4b5563"
ONION, ONION_EDGE, ONION_LIGHT, SOUP, SOUP_EDGE = "#e8b64c", "#a8741a", "#fbe7b2", "#d98a2b", "#9c5a12"
PLATE, PLATE_EDGE, READY, HOT, SKIN = "#fdfdfb", "#aab2bd", "#2f9e44", "#ff6b35", "#ffd8b1"


@cache
def _type_name(type_id: int) -> str:
    """cogrid's name for a type's number; numbers that stand for nothing give the empty text."""
    from cogrid.core.objects import idx_to_object

    return (idx_to_object(type_id, scope="overcooked") or "") if type_id > 0 else ""


@cache
def _cooking_frames() -> int:
    from cogrid.envs.overcooked.overcooked_grid_objects import Pot

    return int(Pot.recipes[0].cook_time)


def draw(env: Any, player: str | None = None) -> dict[str, Any]:
    """The kitchen's picture, 640 by 596; `player` ("0" or "1") is marked as "you"."""
    state = env.get_state()
    rows, columns = state["height"], state["width"]
    width, height = columns * TILE + 2 * MARGIN, rows * TILE + TOP + MARGIN
    frame = state["t"]
    shapes = [rect(MARGIN - 6, TOP - 6, columns * TILE + 12, rows * TILE + 12, WOOD_EDGE, radius=14)]
    for row in range(rows):
        for column in range(columns):
            x, y = MARGIN + column * TILE, TOP + row * TILE
            kind = _type_name(state["object_type_map"][row][column])
            # What lies on a counter is the counter's state; a pot's state means something else.
            lying = _type_name(state["object_state_map"][row][column]) if kind == "counter" else ""
            shapes += _cell(kind, lying, x, y, (row + column) % 2 == 0)
    extra = state["extra_state"]
    for place, contents, timer in zip(
        extra["overcooked.pot_positions"]["data"],
        extra["overcooked.pot_contents"]["data"],
        extra["overcooked.pot_timer"]["data"],
        strict=True,
    ):
        onions = sum(1 for item in contents if item > 0)
        shapes += _pot(MARGIN + (place[1] + 0.5) * TILE, TOP + (place[0] + 0.5) * TILE, onions, timer, frame)
    names = [str(name) for name in env.possible_agents]
    for index, (row, column) in enumerate(state["agent_pos"]):
        x, y = MARGIN + (column + 0.5) * TILE, TOP + (row + 0.5) * TILE
        held = _type_name(state["agent_inv"][index][0])
        is_you = names[index] == player
        if is_you:
            shapes.append(circle(x, y, 44, WHITE, stroke=INK, line_width=1))
        shapes += _chef(x, y, index, FACING[state["agent_dir"][index]], held)
        if is_you:
            shapes += _you(x, y, frame)
    # Every reward is shared and cogrid adds up both players': half of that sum is what each of them has.
    score = state["cumulative_score"] / len(names)
    shapes += _board(width, score, frame)
    if frame >= STEPS:
        shapes += _end(width, height, score)
    return scene(width, height, WALL, shapes)


def _cell(kind: str, lying: str, x: float, y: float, light: bool) -> list[Shape]:
    """One square of the kitchen with its top left corner at (x, y), and what lies on it."""
    middle_x, middle_y = x + TILE / 2, y + TILE / 2
    floor = rect(x, y, TILE, TILE, FLOOR_LIGHT if light else FLOOR_DARK)
    if kind in ("", "free_space", "floor"):
        return [floor]
    if kind in ("onion", "plate", "onion_soup"):
        return [floor, *_item(kind, middle_x, middle_y, 26.0)]
    shapes = [
        rect(x + 1, y + 1, TILE - 2, TILE - 2, WOOD, radius=10, stroke=WOOD_EDGE, line_width=2),
        rect(x + 8, y + 6, TILE - 16, TILE - 22, WOOD_TOP, radius=8),
    ]
    if kind == "onion_stack":
        shapes += _onion_crate(middle_x, middle_y)
    elif kind == "plate_stack":
        for layer in range(5):
            rim = {"stroke": PLATE_EDGE, "line_width": 2}
            shapes.append(ellipse(middle_x, middle_y + 16 - layer * 8, 36, 19, PLATE, **rim))
        shapes.append(ellipse(middle_x, middle_y - 16, 22, 11, "#eef1f4", stroke=PLATE_EDGE, line_width=1.5))
    elif kind == "delivery_zone":
        shapes += _hatch(x, y)
    elif lying:
        shapes += _item(lying, middle_x, middle_y - 4, 28.0)
    return shapes


def _onion_crate(x: float, y: float) -> list[Shape]:
    shapes = [
        rect(x - 44, y - 38, 88, 78, WOOD_EDGE, radius=8),
        rect(x - 38, y - 32, 76, 66, "#5b3a1e", radius=6),
    ]
    for across, down in ((-19, -14), (19, -14), (0, -4), (-20, 14), (20, 14), (0, 21)):
        shapes += _onion(x + across, y + down, 17)
    shapes.append(rect(x - 44, y + 28, 88, 12, WOOD, radius=4, stroke=WOOD_EDGE, line_width=2))
    return shapes


def _hatch(x: float, y: float) -> list[Shape]:
    """Where soups go out: a green counter with an arrow out of the kitchen and a bell."""
    middle = x + TILE / 2
    bell = (middle + 34, y + 34)
    return [
        rect(x + 8, y + 6, TILE - 16, TILE - 16, READY, radius=10),
        rect(x + 15, y + 13, TILE - 30, TILE - 30, "#51cf66", radius=8),
        polygon([(middle - 17, y + 46), (middle + 17, y + 46), (middle, y + 76)], WHITE),
        rect(middle - 6, y + 24, 12, 26, WHITE, radius=3),
        text(middle, y + 91, "SERVE", 15, WHITE, "center", weight="bold"),
        circle(*bell, 9, "#ffd43b", stroke=ONION_EDGE, line_width=2),
        circle(*bell, 2.5, ONION_EDGE),
    ]


def _item(kind: str, x: float, y: float, size: float) -> list[Shape]:
    """Something that a chef can carry, about `size` in radius."""
    if kind == "onion":
        return _onion(x, y, size)
    plate = [
        circle(x, y, size, PLATE, stroke=PLATE_EDGE, line_width=2),
        circle(x, y, size * 0.72, stroke=PLATE_EDGE, line_width=1.5),
    ]
    if kind == "plate":
        return plate
    return [
        *plate,
        circle(x, y, size * 0.68, SOUP, stroke=SOUP_EDGE, line_width=2),
        ellipse(x - size * 0.22, y - size * 0.2, size * 0.2, size * 0.13, ONION_LIGHT),
        ellipse(x + size * 0.2, y + size * 0.18, size * 0.2, size * 0.13, ONION_LIGHT),
    ]


def _onion(x: float, y: float, size: float) -> list[Shape]:
    tip = [(x - size * 0.22, y - size * 0.78), (x + size * 0.22, y - size * 0.78), (x, y - size * 1.3)]
    return [
        polygon(tip, "#7cb342", stroke="#558b2f", line_width=1.5),
        ellipse(x, y, size, size * 0.88, ONION, stroke=ONION_EDGE, line_width=2),
        ellipse(x - size * 0.3, y - size * 0.2, size * 0.22, size * 0.4, ONION_LIGHT, opacity=0.8),
    ]


def _pot(x: float, y: float, onions: int, timer: int, frame: int) -> list[Shape]:
    """A pot on its stove: what is in it, how far it has cooked, and whether it can be served."""
    full = onions == 3
    cooking, ready = full and timer > 0, full and timer == 0
    shapes = [
        rect(x - 54, y - 56, 108, 106, STEEL_DARK, radius=10),
        circle(x, y - 8, 47, HOT if cooking else "#343c48", opacity=0.9 if cooking else 1.0),
        rect(x - 56, y - 15, 112, 14, STEEL, radius=6),
        circle(x, y - 8, 40, STEEL_LIGHT, stroke=STEEL, line_width=4),
        circle(x, y - 8, 32, "#39424e"),
    ]
    if onions:
        shapes.append(circle(x, y - 8, 18.0 + 14.0 * onions / 3, SOUP if full else "#b9945a"))
    for number in range(onions):
        angle = 2.1 * number - 1.6 + (0.12 * frame if cooking else 0.0)
        bit_x, bit_y = x + 15 * math.cos(angle), y - 8 + 15 * math.sin(angle)
        shapes += [circle(bit_x, bit_y, 9, ONION_LIGHT)] if full else _onion(bit_x, bit_y + 2, 11)
    if cooking:
        share = 1.0 - timer / _cooking_frames()
        for third in range(3):
            rise = (frame * 3 + third * 14) % 42
            shapes.append(circle(x - 16 + third * 16, y - 20 - rise, 7, WHITE, opacity=0.5 * (1 - rise / 42)))
        shapes.append(rect(x - 46, y + 33, 92, 12, INK, radius=6))
        shapes.append(rect(x - 44, y + 35, max(8.0, 88 * share), 8, "#ffd43b", radius=4))
    elif ready:
        shapes.append(circle(x, y - 8, 46 + 3 * (frame % 4), stroke="#69db7c", line_width=4, opacity=0.9))
        shapes.append(rect(x - 46, y + 28, 92, 22, READY, radius=8))
        shapes.append(text(x, y + 39.5, "READY", 15, WHITE, "center", weight="bold"))
    else:
        for number in range(3):
            shapes.append(circle(x - 18 + 18 * number, y + 39, 6, ONION if number < onions else "#2f3742"))
    return shapes


def _chef(x: float, y: float, index: int, facing: tuple[float, float], held: str) -> list[Shape]:
    fill, edge = CHEFS[index]
    ahead_x, ahead_y = facing
    side_x, side_y = -ahead_y, ahead_x
    shapes = [
        ellipse(x, y + 34, 34, 10, INK, opacity=0.3),
        circle(x, y, 37, fill, stroke=edge, line_width=4),
        circle(x + ahead_x * 12, y + ahead_y * 12, 22, SKIN),
    ]
    for side in (-1, 1):
        eye_x = x + ahead_x * 24 + side_x * 9 * side
        eye_y = y + ahead_y * 24 + side_y * 9 * side
        shapes.append(circle(eye_x, eye_y, 4, INK))
    hat_x, hat_y = x - ahead_x * 8, y - ahead_y * 8
    for across, along in ((-13, 2), (13, 2), (0, -11), (0, 9)):
        puff_x = hat_x + side_x * across + ahead_x * along
        puff_y = hat_y + side_y * across + ahead_y * along
        shapes.append(circle(puff_x, puff_y, 14, WHITE, stroke="#d5dae0", line_width=1.5))
    shapes.append(circle(hat_x, hat_y, 15, WHITE))
    reach = 40 if held else 34
    if held:
        shapes += _item(held, x + ahead_x * 50, y + ahead_y * 50, 21.0)
    for side in (-1, 1):
        hand_x = x + ahead_x * reach + side_x * 22 * side
        hand_y = y + ahead_y * reach + side_y * 22 * side
        shapes.append(circle(hand_x, hand_y, 8, SKIN, stroke=edge, line_width=2))
    return shapes


def _you(x: float, y: float, frame: int) -> list[Shape]:
    tip = y - 46 + 3 * math.sin(frame * 0.6)
    return [
        polygon([(x - 11, tip - 14), (x + 11, tip - 14), (x, tip)], WHITE, stroke=INK, line_width=2),
        rect(x - 23, tip - 36, 46, 20, INK, radius=6),
        text(x, tip - 25.5, "YOU", 14, WHITE, "center", weight="bold"),
    ]


def _board(width: float, score: float, frame: int) -> list[Shape]:
    """Score, recipe and time left above the kitchen."""
    shapes = [
        text(MARGIN, 30, "SCORE", 15, "#d8c3a5", weight="bold"),
        text(MARGIN, 60, f"{score:g}", 36, "#ffd43b", weight="bold"),
    ]
    left = max(0, STEPS - frame)
    hurry = left < 10 * FRAMES_A_SECOND
    colour = "#ff8787" if hurry else WHITE
    seconds = math.ceil(left / FRAMES_A_SECOND)
    shapes.append(text(width - MARGIN, 30, "TIME", 15, "#d8c3a5", "right", weight="bold"))
    shapes.append(text(width - MARGIN, 60, str(seconds), 36, colour, "right", weight="bold"))
    shapes += _recipe(width / 2 - 165, 34)
    shapes.append(rect(width / 2 - 180, 66, 360, 8, "#463628", radius=4))
    if left:
        shapes.append(rect(width / 2 - 180, 66, max(8.0, 360 * left / STEPS), 8, colour, radius=4))
    return shapes


def _recipe(x: float, y: float) -> list[Shape]:
    """What to do, as a row of pictures: three onions, pot, plate, hatch."""
    shapes = [rect(x - 15, y - 24, 360, 50, "#463628", radius=12)]
    for number in range(3):
        shapes += _onion(x + 14 + 28 * number, y + 3, 12)
    for arrow in (94, 184, 264):
        shapes.append(line([(x + arrow, y), (x + arrow + 18, y)], "#d8c3a5", 3))
        shapes.append(polygon([(x + arrow + 16, y - 6), (x + arrow + 26, y), (x + arrow + 16, y + 6)], "#d8c3a5"))
    shapes += [
        rect(x + 128, y - 4, 48, 7, STEEL, radius=3),
        circle(x + 152, y, 18, STEEL_LIGHT, stroke=STEEL, line_width=3),
        circle(x + 152, y, 12, SOUP),
    ]
    shapes += _item("onion_soup", x + 236, y, 18)
    shapes.append(rect(x + 296, y - 18, 36, 36, READY, radius=8))
    shapes.append(polygon([(x + 304, y - 4), (x + 324, y - 4), (x + 314, y + 11)], WHITE))
    return shapes


def _end(width: float, height: float, score: float) -> list[Shape]:
    middle = (TOP + height) / 2
    return [
        rect(0, TOP - 8, width, height - TOP + 8, WALL, opacity=0.65),
        rect(width / 2 - 190, middle - 85, 380, 170, WALL, radius=18, stroke="#ffd43b", line_width=4),
        star(width / 2, middle - 85, 30, 13, 5, -math.pi / 2, "#ffd43b", stroke=ONION_EDGE, line_width=2),
        text(width / 2, middle - 22, "Kitchen closed", 36, WHITE, "center", weight="bold"),
        text(width / 2, middle + 38, f"Team score {score:g}", 30, "#ffd43b", "center", weight="bold"),
    ]
