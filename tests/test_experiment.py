"""Laws of `Experiment`: what it accepts, how it names what is wrong, and that its settings are canonical."""

from __future__ import annotations

import enum
import json
import math
import subprocess
import sys
from typing import Any

import pytest

from pyodide_runtime.errors import ExperimentError
from pyodide_runtime.experiment import Experiment, SettingError, split_chord
from pyodide_runtime.rollback.delay import InputDelay


def make_env() -> object:
    return object()


def experiment(**fields: Any) -> Experiment:
    chosen: dict[str, Any] = {"name": "Test", "environment": make_env, **fields}
    return Experiment(**chosen)


def test_name_and_environment_suffice() -> None:
    made = experiment()
    assert (made.players, made.fps, made.episodes, made.max_steps, made.seed) == (1, 30.0, 1, None, None)
    assert (made.input_delay, made.prediction_window, made.prediction) == (0, 8, "last")
    assert made.settings()["disconnect_after_ms"] == 5000


def test_an_experiment_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        experiment().players = 2  # type: ignore[misc]


@pytest.mark.parametrize("draw", [lambda env: [], lambda env, player: [], lambda env, player=None: [], lambda *both: []])
def test_a_draw_function_takes_the_environment_and_the_player_if_it_wants(draw: Any) -> None:
    assert experiment(draw=draw).draw is draw


def test_fields_are_named_not_counted() -> None:
    with pytest.raises(TypeError):
        Experiment("Test", make_env)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "  "),
        ("name", 3),
        ("name", "two\nlines"),
        ("name", "x" * 201),
        ("environment", 3),
        ("environment", lambda seed: seed),
        ("players", 0),
        ("players", 9),
        ("players", True),
        ("players", 2.0),
        ("players", "2"),
        ("fps", 0),
        ("fps", 121),
        ("fps", math.nan),
        ("fps", math.inf),
        ("fps", "30"),
        ("fps", True),
        ("episodes", 0),
        ("episodes", None),
        ("max_steps", 0),
        ("snapshot_every", 0),
        ("snapshot_every", 61),
        ("max_steps", 4.5),
        ("seed", -1),
        ("seed", 2**53),
        ("seed", 1.0),
        ("keys", ["ArrowUp"]),
        ("keys", {1: 1}),
        ("keys", {"": 1}),
        ("keys", {"ArrowUp+": 1}),
        ("keys", {"a+a": 1}),
        ("keys", {"a+b": 1, "b+a": 2}),
        ("keys", {"a": math.nan}),
        ("keys", {"a": None}),
        ("keys", {"a": object()}),
        ("keys", {"a": {1: 2}}),
        ("keys", {"a": [1, {"x": math.inf}]}),
        ("keys", {"a": 2**53}),
        ("default_action", None),
        ("default_action", {1, 2}),
        ("requirements", "cogrid"),
        ("requirements", {"cogrid": "0.3.2"}),
        ("requirements", [3]),
        ("requirements", ["cogrid=0.3.2"]),
        ("requirements", ["pip install cogrid"]),
        ("requirements", [""]),
        ("requirements", ["cogrid=="]),
        ("draw", "render"),
        ("draw", lambda: None),
        ("draw", lambda env, player, more: None),
        ("input_delay", -1),
        ("input_delay", 61),
        ("input_delay", "adapt"),
        ("input_delay", None),
        ("input_delay", True),
        ("input_delay", 2.0),
        ("when_hidden", "stop"),
        ("when_hidden", None),
        ("hidden_limit_ms", 3000),
        ("hidden_limit_ms", 0),
        ("hidden_limit_ms", "long"),
        ("prediction_window", 0),
        ("prediction_window", 61),
        ("prediction", "best"),
        ("prediction", ["last"]),
        ("instructions", None),
        ("sprites", ["chef.png"]),
        ("sprites", {"a/b": "chef.png"}),
        ("sprites", {"..": "chef.png"}),
        ("sprites", {"chef": "../chef.png"}),
        ("sprites", {"chef": "a/../../chef.png"}),
        ("sprites", {"chef": "/etc/chef.png"}),
        ("sprites", {"chef": "C:\\chef.png"}),
        ("sprites", {"chef": "chef.py"}),
        ("sprites", {"chef": ""}),
        ("state_digest_every", 0),
        ("disconnect_after_ms", 0),
        ("disconnect_after_ms", math.nan),
        ("spectators", -1),
        ("spectators", 9),
        ("spectators", True),
        ("ice_servers", "stun:stun.example.org"),
        ("ice_servers", {"urls": "stun:stun.example.org"}),
        ("ice_servers", [{}]),
        ("ice_transport_policy", "turn"),
        ("ice_transport_policy", None),
    ],
)
def test_a_wrong_value_is_refused_by_name_with_what_to_do(field: str, value: object) -> None:
    with pytest.raises(SettingError) as caught:
        experiment(**{field: value})
    assert isinstance(caught.value, ExperimentError)
    assert caught.value.setting.split("[")[0] == field
    message = str(caught.value)
    assert message.startswith(field)
    assert ";" in message, "the message must say what to do"
    assert "\n" not in message


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("Space", "' '"),
        ("space", "' '"),
        ("up", "'ArrowUp'"),
        ("Left", "'ArrowLeft'"),
        ("arrowdown", "'ArrowDown'"),
        ("Esc", "'Escape'"),
        ("KeyW", "'w'"),
        ("Digit1", "'1'"),
        ("ShiftLeft", "'Shift'"),
        ("Ctrl", "'Control'"),
    ],
)
def test_a_key_that_browsers_never_report_is_answered_with_the_name_that_they_do(written: str, meant: str) -> None:
    with pytest.raises(SettingError, match=f"write {meant}"):
        experiment(keys={written: 1})


@pytest.mark.parametrize("key", ["ArrowUp", " ", "w", "W", "+", "ß", "Enter", "F5", "PageUp", "Control", "Tab"])
def test_the_browsers_names_of_keys_are_accepted(key: str) -> None:
    assert experiment(keys={key: 1}).keys == {key: 1}
    assert split_chord(key) == (key,)


def test_a_chord_is_the_set_of_its_keys_and_plus_may_be_one() -> None:
    assert split_chord("ArrowUp+ ") == split_chord(" +ArrowUp") == (" ", "ArrowUp")
    assert split_chord("ArrowUp++") == split_chord("++ArrowUp") == ("+", "ArrowUp")
    assert split_chord("a+b+c") == ("a", "b", "c")


@pytest.mark.parametrize(
    "requirement",
    [
        "cogrid",
        "cogrid==0.3.2",
        "cogrid >= 0.3, < 0.4",
        "cogrid (>=0.3)",
        "pettingzoo[classic,sisl]~=1.27.0",
        "numpy==2.*",
        'tomli; python_version < "3.11"',
        "mine @ https://example.org/mine-1.0-py3-none-any.whl",
    ],
)
def test_requirements_are_written_as_pip_writes_them(requirement: str) -> None:
    assert experiment(requirements=[requirement]).requirements == (requirement,)


@pytest.mark.parametrize(("written", "meant"), [("adaptive", InputDelay()), ("matched", InputDelay(matched=True)), (3, 3)])
def test_an_input_delay_is_a_number_a_word_or_bounds(written: Any, meant: Any) -> None:
    made = experiment(input_delay=written)
    assert made == experiment(input_delay=meant, environment=made.environment) and made.input_delay == meant
    assert InputDelay.of(json.loads(json.dumps(made.settings()))["input_delay"]) == meant


def test_a_hidden_page_may_pause_or_end_the_match_and_an_end_needs_a_time() -> None:
    assert experiment().settings()["when_hidden"] == "play"
    for when, limit in (("pause", None), ("pause", 5000), ("end", 5000.0)):
        settings = experiment(when_hidden=when, hidden_limit_ms=limit).settings()
        assert (settings["when_hidden"], settings["hidden_limit_ms"]) == (when, limit)
    with pytest.raises(SettingError, match="hidden_limit_ms"):
        experiment(when_hidden="end")


class Move(enum.IntEnum):
    STAY = 0
    GO = 1


ARROW, LETTER = {"ArrowUp": 1}, {"w": 1}


def test_several_players_at_one_browser_have_keys_of_their_own() -> None:
    made = experiment(players=4, players_per_page=2, keys=[ARROW, LETTER])
    assert (made.pages, made.hosts) == (2, ((0, 1), (2, 3)))
    assert made.keys_of_players == (ARROW, LETTER)
    assert (made.settings()["players_per_page"], made.settings()["keys"]) == (2, [ARROW, LETTER])
    alone = experiment(players=2, keys=ARROW)
    assert (alone.pages, alone.hosts, alone.keys_of_players) == (2, ((0,), (1,)), (ARROW,))


def test_all_may_play_at_one_browser() -> None:
    made = experiment(players=2, players_per_page=2, keys=(ARROW, LETTER))
    assert (made.pages, made.hosts) == (1, ((0, 1),))


def test_one_player_at_each_browser_may_have_a_list_of_one() -> None:
    assert experiment(players=2, keys=[ARROW]).keys_of_players == (ARROW,)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"players": 4, "players_per_page": 3}, "players_per_page: 3 does not divide players=4"),
        ({"players": 2, "players_per_page": 4}, "players_per_page: 4 does not divide players=2"),
        ({"players_per_page": 0}, "players_per_page: 0 is out of range"),
        ({"players_per_page": True}, "players_per_page: True is a bool"),
        ({"players": 2, "players_per_page": 2, "keys": ARROW}, "are not those of 2 players"),
        ({"players": 2, "players_per_page": 2, "keys": [ARROW]}, "are not those of 2 players"),
        ({"players": 2, "players_per_page": 2, "keys": [ARROW, LETTER, {"x": 1}]}, "are not those of 2 players"),
        ({"players": 2, "players_per_page": 2, "keys": "ab"}, "are not those of 2 players"),
        ({"players": 2, "players_per_page": 2, "keys": [ARROW, {"ArrowUp": 2}]}, "'ArrowUp' is a key of two players"),
        ({"players": 2, "players_per_page": 2, "keys": [{"w": 1}, {"W": 2}]}, "is a key of two players"),
        ({"players": 2, "players_per_page": 2, "keys": [{"a+b": 1}, {"b+c": 2}]}, "'b' is a key of two players"),
        ({"players": 2, "players_per_page": 2, "keys": [ARROW, ["w"]]}, "is a list"),
    ],
)
def test_players_at_one_browser_that_cannot_be_are_refused_by_name(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingError) as caught:
        experiment(**fields)
    assert message in str(caught.value)


def test_every_common_action_is_an_action() -> None:
    keys = {
        "a": 1,
        "b": 0.5,
        "c": [1, 0],
        "d": (1, 2),
        "e": {"y": 1, "x": [0.5]},
        "f": True,
        "g": "n",
        "h": Move.GO,
    }
    made = experiment(keys=keys, default_action=Move.STAY)
    assert made.keys_of_players[0]["d"] == (1, 2), "fields keep what the user wrote"
    assert made.settings()["keys"] == {
        "a": 1,
        "b": 0.5,
        "c": [1, 0],
        "d": [1, 2],
        "e": {"x": [0.5], "y": 1},
        "f": True,
        "g": "n",
        "h": 1,
    }


def test_equal_meaning_gives_equal_settings() -> None:
    one = experiment(fps=30, keys={"b": (1, 2), " +a": -0.0}, default_action=1.0, requirements=("x",))
    other = experiment(fps=30.0, keys={"a+ ": 0, "b": [1.0, 2]}, default_action=1, requirements=["x"])
    assert json.dumps(one.settings()) == json.dumps(other.settings())


def test_settings_are_plain_json_that_survives_a_reader_without_floats_and_ints() -> None:
    settings = experiment(fps=30, keys={"a": [1.0, 0.1]}, max_steps=450, default_action=Move.STAY).settings()
    text = json.dumps(settings, allow_nan=False)
    assert ".0" not in text, "JavaScript writes 30.0 as 30, so the canonical form must as well"
    assert json.dumps(json.loads(text)) == text


def test_what_differs_between_browsers_by_nature_is_no_shared_setting() -> None:
    turn = {"urls": "turn:turn.example.org", "username": "me", "credential": "secret"}
    settings = experiment(seed=5, draw=lambda env: [], sprites={"chef": "chef.png"}, ice_servers=[turn]).settings()
    assert {"seed", "environment", "draw", "sprites", "instructions", "ice_servers"}.isdisjoint(settings)
    assert "secret" not in json.dumps(settings)


def test_later_changes_to_the_callers_collections_change_nothing() -> None:
    keys = {"a": 1}
    requirements = ["cogrid"]
    made = experiment(keys=keys, requirements=requirements)
    keys["b"] = 2
    requirements.append("more")
    assert made.keys == {"a": 1}
    assert made.requirements == ("cogrid",)


def test_a_class_or_a_builtin_may_be_the_environment() -> None:
    class Env:
        def __init__(self, size: int = 3) -> None:
            self.size = size

    assert experiment(environment=Env).environment is Env
    assert experiment(environment=dict).environment is dict


def test_the_module_needs_the_standard_library_only() -> None:
    code = (
        "import sys; from importlib.util import spec_from_file_location, module_from_spec\n"
        "import pyodide_runtime.experiment\n"
        "print(*{name.partition('.')[0] for name in sys.modules} - set(sys.stdlib_module_names))"
    )
    run = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True)
    assert set(run.stdout.split()) <= {"pyodide_runtime", "__main__"}


# -- when a player is gone -------------------------------------------------------------------------------------------------


def follow(env: object, player: str, random: object) -> int:
    return 0


def test_on_a_drop_an_experiment_ends_unless_it_says_otherwise() -> None:
    made = experiment()
    assert (made.on_drop, made.partner, made.return_within_ms) == ("end", None, 60_000.0)
    assert made.settings()["on_drop"] == "end" and made.settings()["return_within_ms"] == 60_000


@pytest.mark.parametrize("partner", [follow, lambda *all_three: 0, lambda env, player, random, more=1: more])
def test_a_partner_takes_environment_player_and_random_generator(partner: Any) -> None:
    made = experiment(on_drop="partner", partner=partner, return_within_ms=0)
    assert made.partner is partner and "partner" not in made.settings()
    for on_drop in ("end", "pause", "default"):
        assert experiment(on_drop=on_drop).settings()["on_drop"] == on_drop


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"on_drop": "wait"}, "on_drop: 'wait' is none of the choices; write 'end', 'pause', 'default' or 'partner'"),
        ({"on_drop": None}, "on_drop: None is none of the choices"),
        ({"on_drop": "partner"}, "on_drop: 'partner' needs a partner; give partner, a function of environment, player and"),
        ({"partner": follow}, "would never play, for on_drop is 'end'; write on_drop='partner', or leave it out"),
        ({"partner": follow, "on_drop": "default"}, "would never play, for on_drop is 'default'"),
        ({"partner": 3, "on_drop": "partner"}, "partner: 3 is a int, which cannot be called; give a function of the environment"),
        ({"partner": make_env, "on_drop": "partner"}, "cannot be called with three arguments, the environment, the player and a"),
        ({"return_within_ms": -1}, "return_within_ms: -1 is out of range; write a number from 0 to 3600000"),
        ({"return_within_ms": "60 s"}, "return_within_ms: '60 s' is a str, not a number"),
    ],
)
def test_what_cannot_happen_on_a_drop_is_refused_by_name(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingError) as refused:
        experiment(**fields)
    assert message in str(refused.value)
