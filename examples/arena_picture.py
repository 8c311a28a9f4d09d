"""How the arena looks: one scene of shapes from its present state.

It only reads the environment; drawing a frame twice, or never, changes nothing. It never knows of networks or
of rollback.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import arena_floor as floor
import arena_world as rules
from shapes import Shape, arc, circle, ellipse, line, polygon, rect, scene, star, text

if TYPE_CHECKING:
    from arena_environment import Arena

TOP = 80.0
"""Height of the score board above the floor."""
LOOKS = {"red": ("#ff6b6b", "#b92f3e"), "blue": ("#4dabf7", "#1864ab")}
"""Fill and outline of each player."""
NIGHT, FLOOR, FLOOR_LINE, WALL, WALL_TOP = "#0f1424", "#1b2338", "#232d47", "#3b4768", "#55648f"
GOLD, GOLD_DARK, GOLD_LIGHT, GEM, GEM_LIGHT = "#ffc53d", "#b7791f", "#ffe8a3", "#3ddbd9", "#c5fffd"
STEEL, STEEL_DARK, WHITE, QUIET = "#b8c1d6", "#5c6784", "#ffffff", "#8b97b8"


def draw(env: Arena, player: str | None = None) -> dict[str, Any]:
    """The arena's picture, 960 by 640; `player` ("red" or "blue") is marked as "you"."""
    shapes = _floor()
    for coin in env.world.coins:
        shapes += _coin(coin, env.world.frame)
    for index, name in enumerate(env.possible_agents):
        shapes += _trail(env.world.players[index], LOOKS[name][0])
    for saw in env.world.saws:
        shapes += _saw(saw, env.world.frame)
    for index, name in enumerate(env.possible_agents):
        shapes += _player(env.world.players[index], LOOKS[name], env.world.frame, name == player)
    for popup in env.world.popups:
        colour = LOOKS[env.possible_agents[popup.player]][0]
        faint = min(1.0, popup.life / 10.0)
        bold = {"weight": "bold", "opacity": faint}
        shapes.append(text(popup.x + 1.5, TOP + popup.y + 1.5, popup.text, 20, NIGHT, "center", **bold))
        shapes.append(text(popup.x, TOP + popup.y, popup.text, 20, colour, "center", **bold))
    shapes += _score_board(env, player)
    if env.world.frame >= env.max_steps:
        shapes += _end(env, player)
    return scene(floor.WIDTH, TOP + floor.HEIGHT, NIGHT, shapes)


def _floor() -> list[Shape]:
    shapes = [rect(0, TOP, floor.WIDTH, floor.HEIGHT, FLOOR)]
    for x in range(80, 960, 80):
        shapes.append(line([(x, TOP), (x, TOP + floor.HEIGHT)], FLOOR_LINE, 1))
    for y in range(80, 560, 80):
        shapes.append(line([(0, TOP + y), (floor.WIDTH, TOP + y)], FLOOR_LINE, 1))
    for left, top, width, height in floor.BLOCKS:
        shapes.append(rect(left + 4, TOP + top + 6, width, height, NIGHT, radius=7, opacity=0.5))
        shapes.append(rect(left, TOP + top, width, height, WALL, radius=7))
        shapes.append(rect(left + 4, TOP + top + 4, width - 8, height - 12, WALL_TOP, radius=5))
    return shapes


def _coin(coin: rules.Coin, frame: int) -> list[Shape]:
    x, y = coin.x, TOP + coin.y
    shown = 0.3 if coin.life < 75 and coin.life % 12 < 6 else 1.0
    shapes = [ellipse(x, y + 14, 10, 3.5, NIGHT, opacity=0.4 * shown)]
    if coin.value == rules.GEM_VALUE:
        size = 14.0 + 1.5 * math.sin(frame * 0.25)
        around = [
            (x, y - size),
            (x + size * 0.8, y - size * 0.2),
            (x, y + size),
            (x - size * 0.8, y - size * 0.2),
        ]
        facet = [
            (x, y - size),
            (x + size * 0.3, y - size * 0.15),
            (x, y + size),
            (x - size * 0.3, y - size * 0.15),
        ]
        shapes.append(polygon(around, GEM, stroke="#0b7285", line_width=2, opacity=shown))
        shapes.append(polygon(facet, GEM_LIGHT, opacity=0.75 * shown))
    else:
        # A coin turns about its upright axis; where it lies decides when, so that they do not all turn alike.
        turn = 0.35 + 0.65 * abs(math.cos(frame * 0.09 + x * 0.05))
        radius = rules.COIN_RADIUS
        shapes.append(ellipse(x, y, radius * turn, radius, GOLD, stroke=GOLD_DARK, line_width=2, opacity=shown))
        shapes.append(ellipse(x, y, radius * turn * 0.5, radius * 0.58, GOLD_LIGHT, opacity=0.8 * shown))
    return shapes


def _saw(saw: floor.Body, frame: int) -> list[Shape]:
    x, y, radius = saw.x, TOP + saw.y, rules.SAW_RADIUS
    turn = frame * 0.28
    return [
        circle(x, y, radius + 6, "#ff4d4f", opacity=0.14),
        star(x, y, radius + 3, radius - 5, 11, turn, STEEL, stroke=STEEL_DARK, line_width=2),
        circle(x, y, radius * 0.5, STEEL_DARK),
        circle(x + 5 * math.cos(turn), y + 5 * math.sin(turn), 3, STEEL),
    ]


def _trail(player: rules.Player, colour: str) -> list[Shape]:
    dashing = player.dash_left > 0
    shapes = []
    for age, (x, y) in enumerate(player.trail):
        share = (age + 1) / rules.TRAIL_LENGTH
        if dashing or age % 2 == 0:
            radius = rules.PLAYER_RADIUS * (0.3 + 0.6 * share)
            shapes.append(circle(x, TOP + y, radius, colour, opacity=(0.4 if dashing else 0.14) * share))
    return shapes


def _player(player: rules.Player, look: tuple[str, str], frame: int, is_you: bool) -> list[Shape]:
    x, y, radius = player.x, TOP + player.y, rules.PLAYER_RADIUS
    fill, edge = look
    shapes = [ellipse(x, y + radius, radius * 0.9, 6, NIGHT, opacity=0.45)]
    if player.safe > 0:
        shapes.append(circle(x, y, radius + 7, stroke=WHITE, line_width=2, opacity=0.55 if frame % 8 < 4 else 0.2))
    shapes.append(circle(x, y, radius, fill, stroke=edge, line_width=3))
    shapes.append(ellipse(x - 6, y - 10, 7, 4, WHITE, opacity=0.35))
    shapes += _face(player, x, y, edge)
    if player.stun > 0:
        for third in range(3):
            angle = frame * 0.25 + third * 2.1
            shapes.append(star(x + 22 * math.cos(angle), y - 22 + 6 * math.sin(angle), 6, 2.6, 5, angle, GOLD))
    ready = 1.0 - player.dash_wait / rules.DASH_WAIT
    ring = WHITE if ready == 1.0 else QUIET
    begin = math.pi * 0.25
    shapes.append(arc(x, y, radius + 7, begin, begin + math.pi * 0.5, NIGHT, 4, opacity=0.6))
    if ready > 0.0:
        shapes.append(arc(x, y, radius + 7, begin, begin + math.pi * 0.5 * ready, ring, 4))
    if player.combo >= rules.COMBO_BONUS_FROM - 1:
        shapes.append(text(x + 34, y + 4, f"x{player.combo}", 16, GOLD, "center", weight="bold"))
    if is_you:
        tip = y - radius - 11 + 2.5 * math.sin(frame * 0.2)
        shapes.append(polygon([(x - 8, tip - 10), (x + 8, tip - 10), (x, tip)], WHITE))
        shapes.append(text(x, tip - 20, "YOU", 14, WHITE, "center", weight="bold"))
    return shapes


def _face(player: rules.Player, x: float, y: float, edge: str) -> list[Shape]:
    """Two eyes that look where the player is heading; crosses while it is dazed."""
    ahead_x, ahead_y = player.heading_x, player.heading_y
    shapes = []
    for side in (-1.0, 1.0):
        eye_x = x + ahead_x * 7 - ahead_y * 7 * side
        eye_y = y + ahead_y * 7 + ahead_x * 7 * side
        if player.stun > 0:
            shapes.append(line([(eye_x - 4, eye_y - 4), (eye_x + 4, eye_y + 4)], edge, 2.5))
            shapes.append(line([(eye_x - 4, eye_y + 4), (eye_x + 4, eye_y - 4)], edge, 2.5))
        else:
            shapes.append(circle(eye_x, eye_y, 5.5, WHITE))
            shapes.append(circle(eye_x + ahead_x * 2, eye_y + ahead_y * 2, 2.8, NIGHT))
    return shapes


def _score_board(env: Arena, you: str | None) -> list[Shape]:
    world = env.world
    shapes = [rect(0, 0, floor.WIDTH, TOP, NIGHT)]
    for index, name in enumerate(env.possible_agents):
        fill, edge = LOOKS[name]
        left = index == 0
        x = 24.0 if left else floor.WIDTH - 24.0
        inward, align = (1.0, "left") if left else (-1.0, "right")
        shapes.append(rect(16.0 if left else floor.WIDTH - 300.0, 12, 284, 56, edge, radius=12, opacity=0.35))
        shapes.append(circle(x + inward * 26, 40, 18, fill, stroke=edge, line_width=3))
        label = f"{name.upper()} · YOU" if name == you else name.upper()
        shapes.append(text(x + inward * 56, 41, label, 17, WHITE, align, weight="bold"))
        shapes.append(ellipse(x + inward * 198, 40, 10, 10, GOLD, stroke=GOLD_DARK, line_width=2))
        coins = str(world.players[index].coins)
        shapes.append(text(x + inward * 238, 41, coins, 34, GOLD, "center", weight="bold"))
    left_share = max(0.0, 1.0 - world.frame / env.max_steps)
    seconds = math.ceil((env.max_steps - world.frame) / 30)
    hurry = left_share < 0.2
    middle = floor.WIDTH / 2
    shapes.append(text(middle, 28, str(max(0, seconds)), 30, "#ff8787" if hurry else WHITE, "center", weight="bold"))
    shapes.append(rect(middle - 150, 52, 300, 10, FLOOR_LINE, radius=5))
    if left_share > 0.0:
        shapes.append(rect(middle - 150, 52, max(10.0, 300 * left_share), 10, "#ff8787" if hurry else GEM, radius=5))
    return shapes


def _end(env: Arena, you: str | None) -> list[Shape]:
    coins = {name: p.coins for name, p in zip(env.possible_agents, env.world.players, strict=True)}
    best = max(coins.values())
    winners = [name for name, count in coins.items() if count == best]
    if len(winners) > 1:
        headline, colour = "A draw!", WHITE
    else:
        headline = "You win!" if winners[0] == you else f"{winners[0].capitalize()} wins!"
        colour = LOOKS[winners[0]][0]
    middle, height = floor.WIDTH / 2, TOP + floor.HEIGHT / 2
    score = " : ".join(str(count) for count in coins.values())
    return [
        rect(0, TOP, floor.WIDTH, floor.HEIGHT, NIGHT, opacity=0.6),
        rect(middle - 210, height - 80, 420, 160, NIGHT, radius=18, stroke=colour, line_width=3),
        text(middle, height - 24, headline, 52, colour, "center", weight="bold"),
        text(middle, height + 38, score, 34, GOLD, "center", weight="bold"),
    ]
