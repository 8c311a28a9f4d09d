"""The arena's floor: its walls, and how round bodies meet them and each other.

Its arithmetic keeps to what `arena_world` says. Lengths are in units of the floor (960 by 560, y down),
velocities in units a frame. This module knows of no players, coins or saws.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

WIDTH, HEIGHT = 960.0, 560.0
BLOCKS: tuple[tuple[float, float, float, float], ...] = (
    (286.0, 180.0, 30.0, 200.0),
    (644.0, 180.0, 30.0, 200.0),
    (400.0, 106.0, 160.0, 28.0),
    (400.0, 426.0, 160.0, 28.0),
)
"""Inner walls, each as left, top, width, height."""


@dataclass
class Body:
    """Something that moves: its centre, velocity and radius."""

    x: float
    y: float
    vx: float
    vy: float
    radius: float


def push_out_of_walls(body: Body, bounce: float) -> float:
    """Move a body out of all walls, turn its velocity back, and return the speed of the hardest impact."""
    impact = 0.0
    radius = body.radius
    if body.x < radius:
        body.x = radius
        if body.vx < 0.0:
            impact = -body.vx
            body.vx = -body.vx * bounce
    elif body.x > WIDTH - radius:
        body.x = WIDTH - radius
        if body.vx > 0.0:
            impact = body.vx
            body.vx = -body.vx * bounce
    if body.y < radius:
        body.y = radius
        if body.vy < 0.0:
            impact = max(impact, -body.vy)
            body.vy = -body.vy * bounce
    elif body.y > HEIGHT - radius:
        body.y = HEIGHT - radius
        if body.vy > 0.0:
            impact = max(impact, body.vy)
            body.vy = -body.vy * bounce
    for left, top, width, height in BLOCKS:
        right, bottom = left + width, top + height
        near_x = min(max(body.x, left), right)
        near_y = min(max(body.y, top), bottom)
        dx, dy = body.x - near_x, body.y - near_y
        distance_squared = dx * dx + dy * dy
        if distance_squared >= radius * radius:
            continue
        if distance_squared > 0.0:
            distance = math.sqrt(distance_squared)
            normal_x, normal_y = dx / distance, dy / distance
        else:  # the centre is inside: leave by the nearest side
            sides = ((body.x - left, -1.0, 0.0), (right - body.x, 1.0, 0.0),
                     (body.y - top, 0.0, -1.0), (bottom - body.y, 0.0, 1.0))  # fmt: skip
            depth, normal_x, normal_y = min(sides)
            near_x, near_y = body.x + normal_x * depth, body.y + normal_y * depth
        body.x = near_x + normal_x * radius
        body.y = near_y + normal_y * radius
        along = body.vx * normal_x + body.vy * normal_y
        if along < 0.0:
            impact = max(impact, -along)
            body.vx -= (1.0 + bounce) * along * normal_x
            body.vy -= (1.0 + bounce) * along * normal_y
    return impact


def touching(one: Body, other: Body) -> bool:
    """Whether two bodies overlap."""
    dx, dy = other.x - one.x, other.y - one.y
    reach = one.radius + other.radius
    return dx * dx + dy * dy < reach * reach


def normal_between(one: Body, other: Body) -> tuple[float, float, float]:
    """The unit vector from one body to another and their distance; straight right where they coincide."""
    dx, dy = other.x - one.x, other.y - one.y
    distance = math.sqrt(dx * dx + dy * dy)
    return (dx / distance, dy / distance, distance) if distance > 0.0 else (1.0, 0.0, 0.0)
