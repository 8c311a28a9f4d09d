"""What an experiment is: an environment, its players, its pace and its rules, said once in a Python file.

An experiment file sets a module variable `experiment = pr.Experiment(...)`. The same file is read by the
server, which never calls `environment` or `draw`, and by every player's browser, which does. So this module
knows nothing of servers, browsers or environments, and imports the standard library only. Everything is
checked when the object is made: an `Experiment` that exists is valid.
"""

from __future__ import annotations

import inspect
import math
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, Literal, NoReturn, TypeAlias

from pyodide_runtime.errors import ExperimentError, SessionError
from pyodide_runtime.ice import IceError, IceTransportPolicy, checked_policy, checked_servers
from pyodide_runtime.rollback.delay import InputDelay, plain_delay
from pyodide_runtime.spacing import AUTO

Action: TypeAlias = Any
"""A bool, int, finite float, str, or a list, tuple or dict (with str keys) of these."""

MOST_PLAYERS = 8
MOST_SPECTATORS = 8
MOST_FPS = 120
MOST_INPUT_DELAY = 60
MOST_PREDICTION_WINDOW = 60
MOST_SNAPSHOT_EVERY = 60
LARGEST_WHOLE_NUMBER = 2**53 - 1
"""Largest whole number that survives JSON in JavaScript; seeds and actions travel as such."""

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg", ".avif"})

_GIVEN = {
    0: "no arguments",
    2: "one argument, the environment",
    3: "three arguments, the environment, the player and a random generator",
}
"""What a function of an experiment is called with, by the greatest number of arguments."""

_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_CLAUSE = r"(?:===|==|~=|!=|<=|>=|<|>)\s*[A-Za-z0-9.*+!_-]+"
_CLAUSES = rf"{_CLAUSE}(?:\s*,\s*{_CLAUSE})*"
_REQUIREMENT = re.compile(
    rf"{_NAME}\s*(?:\[\s*{_NAME}(?:\s*,\s*{_NAME})*\s*\])?\s*"
    rf"(?:{_CLAUSES}|\(\s*{_CLAUSES}\s*\)|@\s*https?://[^\s;]+)?\s*(?:;\s*\S.*)?"
)
_SPRITE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")
_NAMED_KEY = re.compile(r"[A-Z][A-Za-z0-9]*")
_PHYSICAL_KEY = re.compile(r"Key([A-Z])|Digit([0-9])|Numpad([0-9])|(Shift|Control|Alt|Meta)(?:Left|Right)")
_WRONG_KEYS = {
    "space": " ",
    "spacebar": " ",
    "up": "ArrowUp",
    "down": "ArrowDown",
    "left": "ArrowLeft",
    "right": "ArrowRight",
    "arrowup": "ArrowUp",
    "arrowdown": "ArrowDown",
    "arrowleft": "ArrowLeft",
    "arrowright": "ArrowRight",
    "esc": "Escape",
    "escape": "Escape",
    "return": "Enter",
    "enter": "Enter",
    "del": "Delete",
    "ctrl": "Control",
    "control": "Control",
    "shift": "Shift",
    "alt": "Alt",
    "tab": "Tab",
}


class SettingError(ExperimentError):
    """One setting of an experiment is wrong.

    Attributes:
        setting: the name of the field of `Experiment`.
    """

    def __init__(self, setting: str, message: str) -> None:
        super().__init__(f"{setting}: {message}")
        self.setting = setting


def split_chord(name: str) -> tuple[str, ...]:
    """The keys of a chord, in canonical order: `"ArrowUp+ "` -> `(" ", "ArrowUp")`.

    A lone key is a chord of one. Keys are named as the browser's `KeyboardEvent.key` names them. The plus key
    itself is `"+"`, also within a chord: `"ArrowUp++"`. Raises ValueError, whose text says what to write.
    """
    parts: list[str] = []
    rest = name
    while True:
        end = rest.find("+", 1)
        part, rest, more = (rest, "", False) if end < 0 else (rest[:end], rest[end + 1 :], True)
        if not part:
            raise ValueError("a key's name is missing; join the keys of a chord by a single '+', as in 'ArrowUp+ '")
        parts.append(_checked_key(part))
        if not more:
            break
    if len(set(parts)) != len(parts):
        raise ValueError("the same key stands in the chord twice; name it once")
    return tuple(sorted(parts))


def _checked_key(key: str) -> str:
    if len(key) == 1 and key.isprintable():
        return key
    physical = _PHYSICAL_KEY.fullmatch(key)
    meant = next((group for group in physical.groups() if group), "").lower() if physical else None
    if meant and len(meant) > 1:
        meant = meant.capitalize()
    meant = meant or (_WRONG_KEYS.get(key.lower()) if key not in _WRONG_KEYS.values() else None)
    if meant:
        raise ValueError(f"{key!r} is not a KeyboardEvent.key name; write {meant!r}")
    if not _NAMED_KEY.fullmatch(key):
        raise ValueError(
            f"{key!r} is not a KeyboardEvent.key name; write a single character such as 'w', or a name such as 'ArrowUp'"
        )
    return key


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """One experiment.

    Raises `SettingError`, an `ExperimentError`, whose message names the field, its value and what to do.

    Attributes:
        name: shown to players; one line.
        environment: called in each browser without arguments; returns a Gymnasium or PettingZoo environment.
        players: how many people play together, 1 to 8.
        players_per_page: how many of them sit at one browser, in the order of the environment's players; divides `players`.
        fps: frames a second, above 0, at least 1 and at most 120.
        episodes: how many episodes make a session, at least 1.
        max_steps: the frame at which an episode ends at the latest; None leaves it to the environment.
        seed: the session's seed, 0 to 2**53 - 1; None draws one for each session, which is then recorded.
        keys: what a key or a chord of keys ("ArrowUp+ ") does; names as in the browser's `KeyboardEvent.key`. Where several players
            sit at one browser, a list of these, one for each.
        default_action: the action while no key is held; the neutral input of the first `input_delay` frames.
        requirements: packages that the environment needs in the browser, as in requirements.txt.
        draw: called in the browser with the environment, or with the environment and the name of the player who looks;
            returns a picture or a list of shapes. None calls the environment's own `render()`.
        input_delay: frames between a key press and its effect, 0 to 60; or "adaptive": each player's page chooses by how long
            packets take; or "matched": so, but the same for all players; or an `InputDelay` that says within which bounds.
        prediction_window: frames that may be simulated ahead of the confirmed frame, 1 to 60.
        prediction: what a remote player is thought to do until its input arrives: "last", go on with its last action; "default",
            the default action; "learned", what it was seen to do so far, by how long it holds an action and what follows; or a
            function of yours, `predict(player, actions, ahead)`, which is given the player's name, its last actions that are known
            (up to 64, oldest first), and how many frames after the last of them the one lies whose action it returns. It is called
            often and must be quick. A guess never becomes data.
        instructions: shown to players before and beside the game.
        sprites: name -> image file beside the experiment file.
        state_digest_every: frames between two comparisons of the whole state; None compares once a second.
        snapshot_every: the environment is captured in every frame whose number is a multiple of this, 1 to 60. More than 1 pays
            where a step costs less than a capture: a rollback to a frame between begins at the one before. "auto": where it
            pays, found out by each page for itself, but in every frame if there are sets, whose order depends on it.
        disconnect_after_ms: silence, in milliseconds, after which a player counts as lost.
        on_drop: what happens when a player is lost or leaves in mid-episode. "end": the match ends. "pause": all wait for the
            player to come back. "default": the default action is used until the player comes back. "partner": the partner plays
            until then.
        partner: the policy that plays for a player who is gone, with on_drop="partner". Called in each browser in every such
            frame, as `partner(env, player, random)`; returns an action as the environment takes it. It must be deterministic:
            what it draws it draws from `random`, and what it remembers it keeps in objects of its own.
        return_within_ms: how long a player may take to come back, in milliseconds, 0 to 3600000.
        when_hidden: what happens while a player's page is hidden (another tab, a minimised window): "play" goes on, and the player
            does nothing; "pause" lets all wait until it is seen again; "end" ends the match after `hidden_limit_ms`.
        hidden_limit_ms: hidden for so long in a row, in milliseconds, a page ends the match; needed by "end", possible with
            "pause".
        spectators: how many people may watch, besides the players, 0 to 8.
        ice_servers: STUN and TURN servers that help browsers to connect directly, as `RTCIceServer` objects:
            `{"urls": "turn:HOST:PORT", "username": ..., "credential": ...}`. This file is part of every record: credentials that
            are to stay secret belong into the server's `--ice-servers` file.
        ice_transport_policy: "all", or "relay" to connect through TURN servers only, which hides the players' addresses from
            each other.
    """

    name: str
    environment: Callable[[], Any]
    players: int = 1
    players_per_page: int = 1
    fps: float = 30
    episodes: int = 1
    max_steps: int | None = None
    seed: int | None = None
    keys: Mapping[str, Action] | Sequence[Mapping[str, Action]] = field(default_factory=dict)
    default_action: Action = 0
    requirements: Sequence[str] = ()
    draw: Callable[..., Any] | None = None
    input_delay: int | InputDelay | Literal["adaptive", "matched"] = 0
    prediction_window: int = 8
    prediction: Literal["last", "default", "learned"] | Callable[[str, Sequence[Any], int], Any] = "last"
    instructions: str = ""
    sprites: Mapping[str, str] = field(default_factory=dict)
    state_digest_every: int | None = None
    snapshot_every: int | Literal["auto"] = AUTO
    disconnect_after_ms: float = 5000
    on_drop: Literal["end", "pause", "default", "partner"] = "end"
    partner: Callable[[Any, str, random.Random], Action] | None = None
    return_within_ms: float = 60_000
    when_hidden: Literal["play", "pause", "end"] = "play"
    hidden_limit_ms: float | None = None
    spectators: int = 0
    ice_servers: Sequence[Mapping[str, Any]] = ()
    ice_transport_policy: IceTransportPolicy = "all"

    def __post_init__(self) -> None:
        _check_text("name", self.name, one_line=True)
        _check_callable("environment", self.environment, (0,), "make_env, a function that makes the environment")
        _check_whole("players", self.players, 1, MOST_PLAYERS)
        _check_number("fps", self.fps, 1, MOST_FPS)
        _check_whole("episodes", self.episodes, 1)
        _check_whole("max_steps", self.max_steps, 1, or_none="to let the environment end its episodes")
        _check_whole("seed", self.seed, 0, LARGEST_WHOLE_NUMBER, or_none="to draw one for each session")
        _check_whole("players_per_page", self.players_per_page, 1, MOST_PLAYERS)
        if self.players % self.players_per_page:
            fault = f"does not divide players={self.players}"
            _wrong("players_per_page", self.players_per_page, fault, "let every page have as many")
        _check_all_keys(self.keys, self.players_per_page)
        _json_action("default_action", self.default_action, "")
        _check_requirements(self.requirements)
        if self.draw is not None:
            _check_callable("draw", self.draw, (2, 1), "a function of the environment, and of the player if need be, or None")
        object.__setattr__(self, "input_delay", _input_delay(self.input_delay))
        _check_whole("prediction_window", self.prediction_window, 1, MOST_PREDICTION_WINDOW)
        if not callable(self.prediction) and self.prediction not in ("last", "default", "learned"):
            _wrong("prediction", self.prediction, "is none of these", "write 'last', 'default' or 'learned', or give a function")
        _check_text("instructions", self.instructions, one_line=False)
        _check_sprites(self.sprites)
        _check_whole("state_digest_every", self.state_digest_every, 1, or_none="to compare once a second")
        if self.snapshot_every != AUTO:
            _check_whole("snapshot_every", self.snapshot_every, 1, MOST_SNAPSHOT_EVERY, or_else="'auto'")
        _check_number("disconnect_after_ms", self.disconnect_after_ms, 100, 600_000)
        _check_drops(self.on_drop, self.partner)
        _check_number("return_within_ms", self.return_within_ms, 0, 3_600_000)
        _check_hidden(self.when_hidden, self.hidden_limit_ms)
        _check_whole("spectators", self.spectators, 0, MOST_SPECTATORS)
        object.__setattr__(self, "ice_servers", tuple(_checked_ice("ice_servers", checked_servers, self.ice_servers)))
        _checked_ice("ice_transport_policy", checked_policy, self.ice_transport_policy)
        object.__setattr__(self, "fps", float(self.fps))
        object.__setattr__(self, "disconnect_after_ms", float(self.disconnect_after_ms))
        object.__setattr__(self, "return_within_ms", float(self.return_within_ms))
        kept = dict(self.keys) if isinstance(self.keys, Mapping) else tuple(map(dict, self.keys))
        object.__setattr__(self, "keys", kept)
        object.__setattr__(self, "requirements", tuple(self.requirements))
        object.__setattr__(self, "sprites", dict(self.sprites))

    @property
    def pages(self) -> int:
        """How many browsers play together."""
        return self.players // self.players_per_page

    @property
    def hosts(self) -> tuple[tuple[int, ...], ...]:
        """For each page the places of its players."""
        size = self.players_per_page
        return tuple(tuple(range(page * size, (page + 1) * size)) for page in range(self.pages))

    @property
    def keys_of_players(self) -> tuple[Mapping[str, Action], ...]:
        """The keys of each player at one browser."""
        return (self.keys,) if isinstance(self.keys, Mapping) else tuple(self.keys)

    def settings(self) -> dict[str, Any]:
        """The settings that all players of a session must share, as JSON values in canonical form.

        Experiments that mean the same give equal settings, and these survive JSON in JavaScript unchanged:
        chords are spelled in one order and sorted, tuples are lists, a float without a fraction is an int.
        """
        keys = [
            dict(sorted(("+".join(split_chord(chord)), _json_action("keys", action, "")) for chord, action in of_player.items()))
            for of_player in self.keys_of_players
        ]
        return {
            "name": self.name,
            "players": int(self.players),
            "players_per_page": int(self.players_per_page),
            "fps": _json_number(self.fps),
            "episodes": int(self.episodes),
            "max_steps": None if self.max_steps is None else int(self.max_steps),
            "input_delay": plain_delay(InputDelay.of(self.input_delay)),
            "prediction_window": int(self.prediction_window),
            "prediction": "own" if callable(self.prediction) else str(self.prediction),
            "default_action": _json_action("default_action", self.default_action, ""),
            "keys": keys[0] if isinstance(self.keys, Mapping) else keys,
            "requirements": list(self.requirements),
            "state_digest_every": None if self.state_digest_every is None else int(self.state_digest_every),
            "snapshot_every": AUTO if self.snapshot_every == AUTO else int(self.snapshot_every),
            "disconnect_after_ms": _json_number(self.disconnect_after_ms),
            "on_drop": str(self.on_drop),
            "return_within_ms": _json_number(self.return_within_ms),
            "when_hidden": str(self.when_hidden),
            "hidden_limit_ms": None if self.hidden_limit_ms is None else _json_number(self.hidden_limit_ms),
        }


def _wrong(setting: str, value: object, fault: str, remedy: str) -> NoReturn:
    shown = repr(value)
    if len(shown) > 80:
        shown = shown[:77] + "..."
    raise SettingError(setting, f"{shown} {fault}; {remedy}")


def _check_text(setting: str, value: object, *, one_line: bool) -> None:
    if not isinstance(value, str):
        _wrong(setting, value, f"is a {type(value).__name__}, not a text", "write a text in quotes")
    if one_line and not value.strip():
        _wrong(setting, value, "is empty", "write the words that players shall see")
    if one_line and (len(value) > 200 or not value.isprintable()):
        _wrong(setting, value, "is no single line of at most 200 characters", "shorten it")


def _check_callable(setting: str, value: object, counts: tuple[int, ...], remedy: str) -> None:
    """Refuse what cannot be called with any of these numbers of arguments."""
    if not callable(value):
        _wrong(setting, value, f"is a {type(value).__name__}, which cannot be called", f"give {remedy}")
    try:
        signature = inspect.signature(value)
    except (TypeError, ValueError):
        return  # some builtins have no readable signature
    for arguments in counts:
        try:
            signature.bind(*[None] * arguments)
            return
        except TypeError as error:
            problem = error
    given = _GIVEN[max(counts)]
    _wrong(setting, value, f"cannot be called with {given} ({problem})", f"give {remedy}")


def _check_drops(on_drop: object, partner: object) -> None:
    if on_drop not in ("end", "pause", "default", "partner"):
        _wrong("on_drop", on_drop, "is none of the choices", "write 'end', 'pause', 'default' or 'partner'")
    if partner is not None:
        _check_callable("partner", partner, (3,), "a function of the environment, the player and a random generator, or None")
        if on_drop != "partner":
            _wrong("partner", partner, f"would never play, for on_drop is {on_drop!r}", "write on_drop='partner', or leave it out")
    elif on_drop == "partner":
        _wrong("on_drop", on_drop, "needs a partner", "give partner, a function of environment, player and random generator")


def _check_whole(
    setting: str, value: object, least: int, most: int | None = None, *, or_none: str | None = None, or_else: str = ""
) -> None:
    if value is None and or_none is not None:
        return
    allowed = f"a whole number, {least} or more" if most is None else f"a whole number from {least} to {most}"
    remedy = f"write {allowed}" + (f", or None {or_none}" if or_none is not None else "") + (f", or {or_else}" if or_else else "")
    if isinstance(value, bool) or not isinstance(value, int):
        _wrong(setting, value, f"is a {type(value).__name__}, not a whole number", remedy)
    if value < least or (most is not None and value > most):
        _wrong(setting, value, "is out of range", remedy)


def _check_number(setting: str, value: object, least: float, most: float) -> None:
    remedy = f"write a number from {least:.15g} to {most:.15g}"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        _wrong(setting, value, f"is a {type(value).__name__}, not a number", remedy)
    if not (least <= value <= most):  # also true of NaN
        _wrong(setting, value, "is out of range", remedy)


def _check_hidden(when: object, limit_ms: object) -> None:
    if when not in ("play", "pause", "end"):
        _wrong("when_hidden", when, "is none of these", "write 'play', 'pause' or 'end'")
    if limit_ms is not None:
        _check_number("hidden_limit_ms", limit_ms, 100, 86_400_000)
        if when == "play":
            _wrong("hidden_limit_ms", limit_ms, "means nothing with when_hidden='play'", "write when_hidden='end' or 'pause'")
    elif when == "end":
        _wrong("hidden_limit_ms", limit_ms, "is no time", "say after how many milliseconds a hidden page ends the match")


def _input_delay(value: object) -> int | InputDelay:
    if isinstance(value, int):
        _check_whole("input_delay", value, 0, MOST_INPUT_DELAY)
        return int(value)
    try:
        return InputDelay.of(value)
    except SessionError as error:
        raise SettingError("input_delay", str(error).removeprefix("input_delay").lstrip("=: ")) from None


def _checked_ice(setting: str, check: Callable[[object], Any], value: object) -> Any:
    try:
        return check(value)
    except IceError as error:
        raise SettingError(setting, str(error)) from None


def _check_all_keys(keys: object, players: int) -> None:
    """The keys of the players at one browser."""
    if players == 1 and (isinstance(keys, Mapping) or not isinstance(keys, Sequence)):
        _check_keys(keys)
        return
    if isinstance(keys, Mapping | str) or not isinstance(keys, Sequence) or len(keys) != players:
        _wrong("keys", keys, f"are not those of {players} players", "write a list of dicts, one for each player at a browser")
    seen: dict[str, int] = {}
    for player, of_player in enumerate(keys):
        _check_keys(of_player)
        for key in {key for chord in of_player for key in split_chord(chord)}:
            # With shift or caps lock a letter arrives in the other case.
            if seen.setdefault(key.lower() if len(key) == 1 else key, player) != player:
                _wrong("keys", key, "is a key of two players at one browser", "give each keys of their own")


def _check_keys(keys: object) -> None:
    if not isinstance(keys, Mapping):
        _wrong("keys", keys, f"is a {type(keys).__name__}", 'write a dict such as {"ArrowUp": 1}')
    seen: dict[tuple[str, ...], str] = {}
    for name, action in keys.items():
        if not isinstance(name, str):
            _wrong("keys", name, "is not the name of a key", 'write a text such as "ArrowUp"')
        try:
            chord = split_chord(name)
        except ValueError as error:
            raise SettingError("keys", f"{name!r}: {error}") from None
        if chord in seen:
            _wrong("keys", name, f"is the same chord as {seen[chord]!r}", "leave one of them out")
        seen[chord] = name
        _json_action("keys", action, f"[{name!r}]")


def _json_number(value: float) -> int | float:
    whole = int(value)
    return whole if whole == value and abs(whole) <= LARGEST_WHOLE_NUMBER else float(value)


def _json_action(setting: str, value: object, where: str) -> Any:
    """The action as a canonical JSON value; `where` is the place within the setting, for the message."""
    if isinstance(value, bool):
        return bool(value)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int):
        if abs(value) > LARGEST_WHOLE_NUMBER:
            _wrong(
                setting + where,
                value,
                "is out of range",
                "keep whole numbers within -(2**53 - 1) to 2**53 - 1",
            )
        return int(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            _wrong(setting + where, value, "is not finite", "write a finite number")
        return _json_number(value)
    if isinstance(value, (list, tuple)):
        return [_json_action(setting, item, f"{where}[{place}]") for place, item in enumerate(value)]
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                _wrong(setting + where, key, "is a key of the action that is not a text", "use texts as keys")
        return {key: _json_action(setting, value[key], f"{where}[{key!r}]") for key in sorted(value)}
    _wrong(
        setting + where,
        value,
        f"is a {type(value).__name__}, which is no action",
        "write an int, float, bool or text, or a list, tuple or dict of these (array.tolist() for arrays)",
    )


def _check_requirements(requirements: object) -> None:
    if isinstance(requirements, str) or not isinstance(requirements, Sequence):
        kind = type(requirements).__name__
        _wrong("requirements", requirements, f"is a {kind}, not a list", 'write a list such as ["cogrid==0.3.2"]')
    for requirement in requirements:
        if not isinstance(requirement, str):
            _wrong("requirements", requirement, "is not a text", 'write texts such as "cogrid==0.3.2"')
        if not _REQUIREMENT.fullmatch(requirement.strip()):
            _wrong(
                "requirements",
                requirement,
                "is not a requirement",
                'write a name with or without versions, such as "cogrid" or "cogrid==0.3.2"',
            )


def _check_sprites(sprites: object) -> None:
    if not isinstance(sprites, Mapping):
        _wrong("sprites", sprites, f"is a {type(sprites).__name__}", 'write a dict such as {"chef": "chef.png"}')
    for name, path in sprites.items():
        if not isinstance(name, str) or not _SPRITE_NAME.fullmatch(name):
            _wrong("sprites", name, "is no name of a sprite", "use up to 64 letters, digits, '_', '-' and '.'")
        setting = f"sprites[{name!r}]"
        if not isinstance(path, str) or not path:
            _wrong(setting, path, "is not the name of a file", "name an image file beside the experiment file")
        parts = PurePosixPath(path).parts
        if "\\" in path or ":" in path or path.startswith("/") or ".." in parts or not path.isprintable():
            _wrong(
                setting,
                path,
                "leads out of the experiment's folder",
                "name a file beside the experiment file, folders parted by '/'",
            )
        if PurePosixPath(path).suffix.lower() not in IMAGE_SUFFIXES:
            _wrong(
                setting,
                path,
                "is no image that browsers show",
                f"use one of {', '.join(sorted(IMAGE_SUFFIXES))}",
            )
