"""The arena's rules: two players, coins, blocks to bump into, and saws, all of it plain numbers.

A match is a pure function of the seed and the actions. To be so on every host, the arithmetic keeps to what
IEEE 754 fixes to the last bit: + - * / on floats, `math.sqrt`, comparisons, integers. No sine, no power, no
`sum` of floats (its rounding differs between versions of Python), and of `random.Random` only draws that are
made of whole random bits. A test reads this file and refuses anything else.

Lengths are in units of the floor (960 by 560, y down), velocities in units a frame, durations in frames (30 a
second). This module never knows of PettingZoo, of drawing, of networks or of rollback.
"""

from __future__ import annotations

import math
import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from arena_floor import BLOCKS, HEIGHT, WIDTH, Body, normal_between, push_out_of_walls, touching

PLAYER_RADIUS, COIN_RADIUS, SAW_RADIUS = 22.0, 13.0, 25.0
ACCELERATION = 0.95
FRICTION = 0.9
DASH_SPEED = 19.0
DASH_FRAMES = 10
DASH_WAIT = 50
WALL_BOUNCE = 0.55
PLAYER_BOUNCE = 0.9
HARD_BUMP = 9.0
HARD_WALL = 12.0
EVEN_BUMP = 2.5
STUN_FRAMES = 14
SAFE_FRAMES = 45
COMBO_FRAMES = 45
COMBO_BONUS_FROM = 3
COIN_LIFE, GEM_LIFE = 300, 170
GEM_VALUE = 3
COINS_AT_START, COINS_AT_MOST = 6, 9
SAWS_QUICKEN_EVERY = 150
TRAIL_LENGTH = 10
POPUP_LIFE = 24

DIAGONAL = math.sqrt(0.5)
DIRECTIONS: tuple[tuple[float, float], ...] = (
    (0.0, 0.0),
    (0.0, -1.0),
    (0.0, 1.0),
    (-1.0, 0.0),
    (1.0, 0.0),
    (-DIAGONAL, -DIAGONAL),
    (DIAGONAL, -DIAGONAL),
    (-DIAGONAL, DIAGONAL),
    (DIAGONAL, DIAGONAL),
)
"""The unit vector of each action: 0 stay, 1 up, 2 down, 3 left, 4 right, 5 to 8 the diagonals."""
DASH = 9
"""The action that dashes where the player is heading; while the dash recovers, it runs there."""
ACTION_COUNT = 10


@dataclass
class Player(Body):
    """One player. Counters count frames down to 0; `event` names what happened last in this frame."""

    heading_x: float
    heading_y: float
    coins: int = 0
    gained: int = 0
    bumps: int = 0
    combo: int = 0
    combo_left: int = 0
    dash_left: int = 0
    dash_wait: int = 0
    stun: int = 0
    safe: int = 0
    event: str = ""
    trail: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=TRAIL_LENGTH))


@dataclass
class Coin(Body):
    """A coin (value 1) or gem on the floor: not to be taken before `waits` is 0, gone when `life` is 0."""

    value: int
    life: int
    waits: int = 0


@dataclass(slots=True)
class Popup:
    """A short text that floats up from where something happened."""

    x: float
    y: float
    text: str
    player: int
    life: int = POPUP_LIFE


class World:
    """One match: everything that changes between two frames, random generator included."""

    def __init__(self, generator: random.Random) -> None:
        self.generator = generator
        self.frame = 0
        self.players = [
            Player(120.0, HEIGHT / 2.0, 0.0, 0.0, PLAYER_RADIUS, 1.0, 0.0),
            Player(WIDTH - 120.0, HEIGHT / 2.0, 0.0, 0.0, PLAYER_RADIUS, -1.0, 0.0),
        ]
        self.saws = [
            self._saw(WIDTH / 2.0, HEIGHT / 2.0, 3.6),
            self._saw(WIDTH / 2.0, 50.0, 3.0),
            self._saw(WIDTH / 2.0, HEIGHT - 50.0, 3.0),
        ]
        self.coins: list[Coin] = []
        self.popups: list[Popup] = []
        self.coin_wait = 20
        self.quicken_wait = SAWS_QUICKEN_EVERY
        for _ in range(COINS_AT_START):
            self._lay_coin()

    def step(self, actions: Sequence[int]) -> None:
        """Play one frame with one action for each player."""
        self.frame += 1
        for player, action in zip(self.players, actions, strict=True):
            self._move_player(player, action)
        self._bump_players()
        self._move_saws()
        self._move_coins()
        self._take_coins()
        self._time_coins()
        for popup in self.popups:
            popup.y -= 1.2
            popup.life -= 1
        self.popups = [popup for popup in self.popups if popup.life > 0]

    # players

    def _move_player(self, player: Player, action: int) -> None:
        player.gained = 0
        player.event = ""
        player.dash_left = max(0, player.dash_left - 1)
        player.dash_wait = max(0, player.dash_wait - 1)
        player.stun = max(0, player.stun - 1)
        player.safe = max(0, player.safe - 1)
        player.combo_left = max(0, player.combo_left - 1)
        if player.combo_left == 0:
            player.combo = 0
        player.trail.append((player.x, player.y))

        if action == DASH:
            if player.dash_wait == 0 and player.stun == 0:
                player.vx, player.vy = player.heading_x * DASH_SPEED, player.heading_y * DASH_SPEED
                player.dash_left, player.dash_wait = DASH_FRAMES, DASH_WAIT
                player.event = "dash"
            push_x, push_y = player.heading_x, player.heading_y
        else:
            push_x, push_y = DIRECTIONS[action]
            if action != 0:
                player.heading_x, player.heading_y = push_x, push_y
        strength = ACCELERATION if player.stun == 0 else ACCELERATION * 0.3
        player.vx = (player.vx + push_x * strength) * FRICTION
        player.vy = (player.vy + push_y * strength) * FRICTION
        player.x += player.vx
        player.y += player.vy
        impact = push_out_of_walls(player, WALL_BOUNCE)
        if impact > HARD_WALL:
            player.bumps += 1
            player.stun = STUN_FRAMES
            player.event = "wall"
            self._drop(player, 1)

    def _bump_players(self) -> None:
        one, other = self.players
        if not touching(one, other):
            return
        normal_x, normal_y, distance = normal_between(one, other)
        apart = (one.radius + other.radius - distance) / 2.0
        one.x -= normal_x * apart
        one.y -= normal_y * apart
        other.x += normal_x * apart
        other.y += normal_y * apart
        push_out_of_walls(one, WALL_BOUNCE)
        push_out_of_walls(other, WALL_BOUNCE)
        speed_of_one = one.vx * normal_x + one.vy * normal_y
        speed_of_other = -(other.vx * normal_x + other.vy * normal_y)
        closing = speed_of_one + speed_of_other
        if closing <= 0.0:
            return
        impulse = closing * (1.0 + PLAYER_BOUNCE) / 2.0
        one.vx -= impulse * normal_x
        one.vy -= impulse * normal_y
        other.vx += impulse * normal_x
        other.vy += impulse * normal_y
        if closing < EVEN_BUMP:
            return
        for player in self.players:
            player.bumps += 1
            player.event = "bump"
        if closing < HARD_BUMP:
            return
        if speed_of_one - speed_of_other > EVEN_BUMP:
            self._rob(0, 1)
        elif speed_of_other - speed_of_one > EVEN_BUMP:
            self._rob(1, 0)
        else:
            for player in self.players:
                player.event = "clash"
                player.stun = STUN_FRAMES
                self._drop(player, 1)

    def _rob(self, robber: int, victim: int) -> None:
        """The quicker of two players who bumped hard takes a coin of the other, who is dazed."""
        taker, loser = self.players[robber], self.players[victim]
        if loser.safe > 0:
            return
        loser.stun = STUN_FRAMES
        loser.safe = SAFE_FRAMES
        if loser.coins == 0:
            return
        self._gain(loser, -1)
        self._gain(taker, 1)
        loser.event, taker.event = "robbed", "steal"
        self.popups.append(Popup(taker.x, taker.y - 30.0, "stolen!", robber))

    def _gain(self, player: Player, coins: int) -> None:
        player.coins += coins
        player.gained += coins

    def _drop(self, player: Player, coins: int) -> None:
        """Let up to `coins` coins of a player roll away over the floor."""
        for _ in range(min(coins, player.coins)):
            self._gain(player, -1)
            away_x, away_y = DIRECTIONS[self.generator.randrange(1, len(DIRECTIONS))]
            speed = 8.0 + 4.0 * self.generator.random()
            self.coins.append(Coin(player.x, player.y, away_x * speed, away_y * speed, COIN_RADIUS, 1, COIN_LIFE, waits=18))

    # saws

    def _saw(self, x: float, y: float, speed: float) -> Body:
        towards_x, towards_y = DIRECTIONS[self.generator.randrange(5, len(DIRECTIONS))]
        return Body(x, y, towards_x * speed, towards_y * speed, SAW_RADIUS)

    def _move_saws(self) -> None:
        self.quicken_wait -= 1
        quicken = self.quicken_wait == 0
        if quicken:
            self.quicken_wait = SAWS_QUICKEN_EVERY
        for saw in self.saws:
            if quicken:
                saw.vx *= 1.15
                saw.vy *= 1.15
            saw.x += saw.vx
            saw.y += saw.vy
            push_out_of_walls(saw, 1.0)
            for index, player in enumerate(self.players):
                if player.safe == 0 and touching(saw, player):
                    self._cut(saw, index)

    def _cut(self, saw: Body, index: int) -> None:
        """A saw throws a player back, who loses up to two coins and is then safe for a while."""
        player = self.players[index]
        normal_x, normal_y, _ = normal_between(saw, player)
        player.vx, player.vy = normal_x * 13.0, normal_y * 13.0
        player.bumps += 1
        player.stun = STUN_FRAMES
        player.safe = SAFE_FRAMES
        player.dash_left = 0
        player.combo = player.combo_left = 0
        player.event = "saw"
        if player.coins > 0:
            self.popups.append(Popup(player.x, player.y - 30.0, f"-{min(2, player.coins)}", index))
        self._drop(player, 2)

    # coins

    def _lay_coin(self) -> None:
        """Put a coin, or now and then a gem, where there is room; where chance finds no room, put none."""
        for _ in range(12):
            x = float(self.generator.randrange(40, 921))
            y = float(self.generator.randrange(40, 521))
            coin = Coin(x, y, 0.0, 0.0, COIN_RADIUS, 1, COIN_LIFE)
            if self._has_room(coin):
                if self.generator.randrange(8) == 0:
                    coin.value, coin.life = GEM_VALUE, GEM_LIFE
                self.coins.append(coin)
                return

    def _has_room(self, coin: Coin) -> bool:
        for left, top, width, height in BLOCKS:
            if left - 24.0 < coin.x < left + width + 24.0 and top - 24.0 < coin.y < top + height + 24.0:
                return False
        for player in self.players:
            dx, dy = coin.x - player.x, coin.y - player.y
            if dx * dx + dy * dy < 90.0 * 90.0:
                return False
        for other in self.coins:
            dx, dy = coin.x - other.x, coin.y - other.y
            if dx * dx + dy * dy < 40.0 * 40.0:
                return False
        return True

    def _move_coins(self) -> None:
        for coin in self.coins:
            if coin.vx != 0.0 or coin.vy != 0.0:
                coin.x += coin.vx
                coin.y += coin.vy
                coin.vx *= 0.88
                coin.vy *= 0.88
                push_out_of_walls(coin, 0.7)
                if coin.vx * coin.vx + coin.vy * coin.vy < 0.01:
                    coin.vx = coin.vy = 0.0

    def _take_coins(self) -> None:
        left: list[Coin] = []
        for coin in self.coins:
            takers = [i for i, player in enumerate(self.players) if coin.waits == 0 and touching(player, coin)]
            if not takers:
                left.append(coin)
            else:
                self._take(coin, takers[0] if len(takers) == 1 else self.generator.choice(takers))
        self.coins = left

    def _take(self, coin: Coin, index: int) -> None:
        """Coins taken in quick succession make a combo: from the third on each is worth one more."""
        player = self.players[index]
        player.combo += 1
        player.combo_left = COMBO_FRAMES
        worth = coin.value + (1 if player.combo >= COMBO_BONUS_FROM else 0)
        self._gain(player, worth)
        player.event = "gem" if coin.value == GEM_VALUE else "combo" if worth > coin.value else "coin"
        self.popups.append(Popup(coin.x, coin.y - 16.0, f"+{worth}", index))

    def _time_coins(self) -> None:
        for coin in self.coins:
            coin.life -= 1
            coin.waits = max(0, coin.waits - 1)
        self.coins = [coin for coin in self.coins if coin.life > 0]
        self.coin_wait -= 1
        if self.coin_wait <= 0:
            self.coin_wait = self.generator.randrange(12, 31)
            if len(self.coins) < COINS_AT_MOST:
                self._lay_coin()
