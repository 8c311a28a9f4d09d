"""Scripted players that really play the examples, so that the tests see matches in which things happen.

They read an environment's state and answer with an action; they change nothing and draw no random numbers.
"""

from __future__ import annotations

from collections import deque
from typing import Any

Cell = tuple[int, int]

COMPASS = {
    (0, 0): 0,
    (0, -1): 1,
    (0, 1): 2,
    (-1, 0): 3,
    (1, 0): 4,
    (-1, -1): 5,
    (1, -1): 6,
    (-1, 1): 7,
    (1, 1): 8,
}
DASH_EVERY = 70

KITCHEN_MOVES = {(-1, 0): 0, (1, 0): 1, (0, -1): 2, (0, 1): 3}
FACING = ((0, 1), (1, 0), (0, -1), (-1, 0))
INTERACT, NOTHING = 4, 6
POT_HOLDS = 3


def hunt(env: Any, name: str) -> int:
    """An arena player who runs to the coin that promises most and now and then dashes."""
    index = env.possible_agents.index(name)
    me = env.world.players[index]
    if (env.world.frame + 31 * index) % DASH_EVERY == DASH_EVERY - 1:
        return 9
    coins = [coin for coin in env.world.coins if coin.waits == 0]
    if not coins:
        return 0
    goal = min(coins, key=lambda coin: _distance_squared(coin, me) / coin.value)
    dx, dy = goal.x - me.x, goal.y - me.y
    return COMPASS[(dx > 6) - (dx < -6), (dy > 6) - (dy < -6)]


def _distance_squared(one: Any, other: Any) -> float:
    dx, dy = one.x - other.x, one.y - other.y
    return float(dx * dx + dy * dy)


def balance(observation: Any) -> int:
    """A player of CartPole who pushes to the side that the pole falls to."""
    _, speed, angle, turning = (float(number) for number in observation)
    return 1 if angle + 0.6 * turning + 0.05 * speed > 0.0 else 0


def cook(env: Any, index: int) -> int:
    """One of two chefs in cogrid's cramped room: chef 0 brings onions, chef 1 plates and serves."""
    from cogrid.core.objects import object_to_idx

    state = env.get_state()
    kinds = state["object_type_map"]
    extra = state["extra_state"]
    onions = sum(1 for item in extra["overcooked.pot_contents"]["data"][0] if item > 0)
    ready = onions == POT_HOLDS and extra["overcooked.pot_timer"]["data"][0] == 0
    held = state["agent_inv"][index][0]

    def number(kind: str) -> int:
        return int(object_to_idx(kind, scope="overcooked"))

    if index == 0:
        if held != number("onion"):
            goal = "onion_stack"
        elif onions < POT_HOLDS:
            goal = "pot"
        else:
            goal = "onion_stack"  # wait there, out of the way of the plate
    elif held == number("onion_soup"):
        goal = "delivery_zone"
    elif held == number("plate"):
        goal = "pot" if ready else "plate_stack"
    else:
        goal = "plate_stack"
    waiting = goal.endswith("_stack") and held > 0
    return _approach(state, kinds, index, number(goal), INTERACT if not waiting else NOTHING)


def _approach(state: dict[str, Any], kinds: list[list[int]], index: int, goal: int, there: int) -> int:
    """The next action on the way to face the nearest cell of a kind; `there` once it is faced."""
    start: Cell = (state["agent_pos"][index][0], state["agent_pos"][index][1])
    others = {tuple(place) for number, place in enumerate(state["agent_pos"]) if number != index}
    ahead = FACING[state["agent_dir"][index]]
    first: dict[Cell, int] = {start: NOTHING}
    queue = deque([start])
    while queue:
        here = queue.popleft()
        for step, action in KITCHEN_MOVES.items():
            cell = (here[0] + step[0], here[1] + step[1])
            if not (0 <= cell[0] < state["height"] and 0 <= cell[1] < state["width"]):
                continue
            if kinds[cell[0]][cell[1]] == goal:
                if here != start:
                    return first[here]
                return there if step == ahead else action
            if kinds[cell[0]][cell[1]] == 0 and cell not in others and cell not in first:
                first[cell] = action if here == start else first[here]
                queue.append(cell)
    return NOTHING
