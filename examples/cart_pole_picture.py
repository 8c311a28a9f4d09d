"""How the cart and its pole look: one scene of shapes from CartPole's four numbers.

It only reads the environment; drawing a frame twice, or never, changes nothing. It never knows of networks
or of rollback.
"""

from __future__ import annotations

import math
from typing import Any

from shapes import Shape, circle, ellipse, line, polygon, rect, scene, text

WIDTH, HEIGHT = 840.0, 480.0
SCALE = 150.0
"""Scene units for one of CartPole's; the track ends at 2.4 of them to either side."""
RAIL = 370.0
POLE = 230.0
"""Length of the drawn pole, longer than CartPole's so that its lean is easy to see."""
SKY, GROUND, GROUND_EDGE, INK, WHITE = "#101c2e", "#24364f", "#3d5677", "#0b1422", "#ffffff"
QUIET, CALM, WARN, CART, CART_EDGE = "#8ea3c0", "#51cf66", "#ff6b6b", "#4dabf7", "#1864ab"


def draw(env: Any, player: str | None = None) -> dict[str, Any]:
    """CartPole's picture, 840 by 480; there is one player only, so `player` changes nothing."""
    inner = env.unwrapped
    x, _, angle, _ = (float(number) for number in inner.state)
    lean = abs(angle) / inner.theta_threshold_radians
    cart_x = WIDTH / 2 + x * SCALE
    limit = inner.x_threshold * SCALE
    shapes = _track(limit)
    shapes += _safe_range(cart_x, inner.theta_threshold_radians, lean)
    shapes += _cart(cart_x, x)
    shapes += _pole(cart_x, angle, WARN if lean > 0.7 else "#ffd43b")
    shapes += _board(env, abs(x) / inner.x_threshold, lean)
    if lean > 1.0 or abs(x) > inner.x_threshold:
        words = "The pole fell" if lean > 1.0 else "Off the track"
        shapes.append(rect(WIDTH / 2 - 170, 408, 340, 60, INK, radius=16, stroke=WARN, line_width=3))
        shapes.append(text(WIDTH / 2, 439, words, 30, WHITE, "center", weight="bold"))
    return scene(WIDTH, HEIGHT, SKY, shapes)


def _track(limit: float) -> list[Shape]:
    middle = WIDTH / 2
    shapes = [
        rect(0, RAIL + 26, WIDTH, HEIGHT - RAIL - 26, GROUND),
        line([(0, RAIL + 26), (WIDTH, RAIL + 26)], GROUND_EDGE, 3),
        line([(middle - limit, RAIL + 24), (middle + limit, RAIL + 24)], QUIET, 6),
        polygon([(middle - 7, RAIL + 52), (middle + 7, RAIL + 52), (middle, RAIL + 38)], QUIET),
    ]
    for step in range(-4, 5):
        x = middle + step * limit / 4
        shapes.append(line([(x, RAIL + 27), (x, RAIL + 34)], QUIET, 2))
    for side in (-1.0, 1.0):
        shapes.append(rect(middle + side * limit - 6, RAIL - 26, 12, 56, WARN, radius=4))
    return shapes


def _safe_range(cart_x: float, threshold: float, lean: float) -> list[Shape]:
    """The fan within which the pole counts as standing."""
    top = RAIL - 44
    edge = [-threshold + 2 * threshold * step / 8 for step in range(9)]
    reach = POLE + 24
    fan = [(cart_x, top)] + [(cart_x + reach * math.sin(a), top - reach * math.cos(a)) for a in edge]
    return [polygon(fan, WARN if lean > 0.7 else CALM, opacity=0.14)]


def _cart(cart_x: float, x: float) -> list[Shape]:
    shapes = [
        ellipse(cart_x, RAIL + 26, 74, 7, INK, opacity=0.5),
        rect(cart_x - 62, RAIL - 44, 124, 50, CART, radius=12, stroke=CART_EDGE, line_width=4),
        rect(cart_x - 50, RAIL - 36, 100, 12, WHITE, radius=6, opacity=0.25),
    ]
    turn = x * 6.0
    for side in (-36.0, 36.0):
        wheel = (cart_x + side, RAIL + 6)
        spoke = (15 * math.cos(turn), 15 * math.sin(turn))
        shapes.append(circle(*wheel, 17, INK, stroke=QUIET, line_width=4))
        shapes.append(
            line(
                [(wheel[0] - spoke[0], wheel[1] - spoke[1]), (wheel[0] + spoke[0], wheel[1] + spoke[1])],
                QUIET,
                3,
            )
        )
    return shapes


def _pole(cart_x: float, angle: float, colour: str) -> list[Shape]:
    top = RAIL - 44
    end = (cart_x + POLE * math.sin(angle), top - POLE * math.cos(angle))
    return [
        line([(cart_x, top), end], INK, 20),
        line([(cart_x, top), end], colour, 14),
        circle(*end, 13, colour, stroke=INK, line_width=3),
        circle(cart_x, top, 11, WHITE, stroke=INK, line_width=3),
    ]


def _board(env: Any, strayed: float, lean: float) -> list[Shape]:
    """How long the pole has stood, and how near the two ends of the game are."""
    shapes = []
    if env.has_wrapper_attr("_elapsed_steps"):
        frames = env.get_wrapper_attr("_elapsed_steps") or 0
        shapes.append(text(28, 34, "FRAMES UPRIGHT", 14, QUIET, weight="bold"))
        shapes.append(text(28, 68, str(frames), 38, WHITE, weight="bold"))
    for row, (word, share) in enumerate((("LEAN", lean), ("TRACK", strayed))):
        y = 36.0 + 28 * row
        shapes.append(text(WIDTH - 192, y, word, 14, QUIET, "right", weight="bold"))
        shapes.append(rect(WIDTH - 180, y - 6, 152, 12, GROUND, radius=6))
        shown = max(12.0, 152 * min(1.0, share))
        shapes.append(rect(WIDTH - 180, y - 6, shown, 12, WARN if share > 0.7 else CALM, radius=6))
    return shapes
