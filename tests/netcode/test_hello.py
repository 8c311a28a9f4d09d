"""Hellos: who plays by other terms is refused, by both, with the first difference by name."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from pyodide_runtime.drops import OnDrop
from pyodide_runtime.errors import SessionError, WireError
from pyodide_runtime.network.virtual import NetworkConditions
from pyodide_runtime.network.wire import MAX_PACKET, PROTOCOL_VERSION, Hello, decode, encode, session_key
from pyodide_runtime.playing.match import Match
from pyodide_runtime.playing.outbox import CONTROL
from pyodide_runtime.rollback.inputs import Prediction
from pyodide_runtime.settings import MatchSettings, Outcome, Phase
from pyodide_runtime.terms import encode_terms, first_difference

from .environments import Pond
from .sessions import Table

KEY = session_key("virtual")
TERMS = {
    "experiment": "Pond",
    "experiment_files": "0123456789abcdef",
    "packages": {"gymnasium": "1.4.0", "numpy": "2.3.1"},
}

#: What may differ, and what the refusal says of it.
DIFFERENCES: dict[str, tuple[Callable[[MatchSettings], MatchSettings], str]] = {
    "experiment": (lambda s: replace(s, terms={**s.terms, "experiment": "Lake"}), 'experiment is "Pond" here and "Lake" there'),
    "files": (
        lambda s: replace(s, terms={**s.terms, "experiment_files": "fedcba9876543210"}),
        'experiment_files is "0123456789abcdef" here and "fedcba9876543210" there',
    ),
    "package": (
        lambda s: replace(s, terms={**s.terms, "packages": {"gymnasium": "1.4.0", "numpy": "2.3.2"}}),
        'packages.numpy is "2.3.1" here and "2.3.2" there',
    ),
    "one package more": (
        lambda s: replace(s, terms={**s.terms, "packages": {**s.terms["packages"], "cogrid": "0.3.2"}}),
        "packages.cogrid is among the terms there only",
    ),
    "seed": (lambda s: replace(s, seed=1), "seed is 0 here and 1 there"),
    "fps": (lambda s: replace(s, fps=60.0), "fps is 30.0 here and 60.0 there"),
    "episodes": (lambda s: replace(s, episodes=2), "episodes is 1 here and 2 there"),
    "input delay": (lambda s: replace(s, input_delay=3), "input_delay is 0 here and 3 there"),
    "window": (lambda s: replace(s, prediction_window=9), "prediction_window is 8 here and 9 there"),
    "prediction": (lambda s: replace(s, prediction=Prediction.DEFAULT), 'prediction is "last" here and "default" there'),
    "digests": (lambda s: replace(s, state_digest_every=7), "state_digest_every is 30 here and 7 there"),
    "drops": (lambda s: replace(s, on_drop=OnDrop.PAUSE), 'on_drop is "end" here and "pause" there'),
    "returns": (lambda s: replace(s, return_within_ms=5.0), "return_within_ms is 60000.0 here and 5.0 there"),
}


class Lagoon(Pond):
    """A pond with other water."""

    def __init__(self, players: int = 2) -> None:
        super().__init__(players)
        self.salt = 35


class Fewer(Pond):
    """A pond whose second frog has another name."""

    def __init__(self) -> None:
        super().__init__(2)
        self.possible_agents = ["frog_0", "newt"]


def refused(table: Table) -> list[str]:
    """Play until it is over; what each host says. Nobody plays, and nobody goes on talking."""
    table.run(limit_ms=3000)
    for match, journal in zip(table.matches, table.journals, strict=True):
        assert match.outcome is Outcome.REFUSED
        assert journal.cells == [] and journal.result is not None and journal.result["outcome"] == "refused"
    end = table.now
    table.run(lambda: table.now > end + 500)  # what was on its way when they refused has arrived
    sent = [peer.bytes_sent for match in table.matches for peer in match.peers.values()]
    table.run(lambda: table.now > end + 2500)
    assert sent == [peer.bytes_sent for match in table.matches for peer in match.peers.values()], "two refusals answer each other"
    return [match.detail for match in table.matches]


def with_terms(change: Callable[[MatchSettings], MatchSettings]) -> Callable[[int, MatchSettings], MatchSettings]:
    return lambda place, settings: (change if place == 1 else lambda same: same)(replace(settings, terms=TERMS))


@pytest.mark.parametrize("name", DIFFERENCES)
@pytest.mark.parametrize("late_ms", [0, 700])
def test_whatever_differs_is_refused_by_name(name: str, late_ms: float) -> None:
    change, said = DIFFERENCES[name]
    table = Table(
        lambda: Pond(2),
        conditions=NetworkConditions(latency_ms=50),
        reliable_control=True,
        settings=with_terms(change),
        start_skew_ms=late_ms,
    )
    here, there = refused(table)
    assert here == f"player frog_1 plays by other terms: {said}"
    name_of_term = said.split(" is ")[0]
    assert there.startswith(("player frog_0 plays by other terms: ", "player frog_0 says: ")) and name_of_term in there


@pytest.mark.parametrize(
    "factories, said",
    [
        (lambda place: Lagoon if place else Pond, "start is "),
        (lambda place: Fewer if place else Pond, 'players is ["frog_0", "frog_1"] here and ["frog_0", "newt"] there'),
    ],
)
def test_another_environment_is_refused(factories: Callable[[int], Callable[[], Any]], said: str) -> None:
    details = refused(Table(lambda: Pond(2), factories=factories, reliable_control=True))
    assert said in details[0] and said.split(" is ")[0] in details[1]


def test_another_length_of_episode_is_refused() -> None:
    table = Table(lambda: Pond(2), reliable_control=True)
    other = Table(lambda: Pond(2), frames=121)
    table.hosts[1] = other.hosts[1]
    assert "max_steps is 120 here and 121 there" in refused(table)[0]


def test_another_rhythm_of_captures_is_refused() -> None:
    table = Table(lambda: Pond(2), reliable_control=True)
    other = Table(lambda: Pond(2), snapshot_every=3)
    table.hosts[1] = other.hosts[1]
    assert 'snapshot_every is "auto" here and 3 there' in refused(table)[0]


def test_the_first_difference_is_named_in_the_order_of_the_terms() -> None:
    table = Table(
        lambda: Pond(2),
        reliable_control=True,
        settings=with_terms(lambda s: replace(s, input_delay=3, fps=60.0, terms={**s.terms, "experiment": "Lake"})),
    )
    assert "experiment is" in refused(table)[0]


def test_another_version_of_the_protocol_is_refused_by_name() -> None:
    table = Table(lambda: Pond(2), reliable_control=True)
    match = table.matches[0]
    newer = encode(Hello(1, 0, b"a layout that this version cannot know", version=PROTOCOL_VERSION + 1), KEY)
    match.receive(1, newer, 0.0)
    assert match.outcome is Outcome.REFUSED
    assert (
        match.detail == f"player frog_1 plays by other terms: protocol is {PROTOCOL_VERSION} here and {PROTOCOL_VERSION + 1} there"
    )
    hellos = [packet for _, _, data in match.outbox if isinstance(packet := decode(data, KEY), Hello)]
    assert hellos and hellos[0].version == PROTOCOL_VERSION, "so that the other can refuse by name, too"


def test_with_three_players_all_are_told() -> None:
    change, _ = DIFFERENCES["window"]
    table = Table(lambda: Pond(3), players=3, reliable_control=True, settings=with_terms(change))
    table.run(limit_ms=3000)
    assert [match.outcome for match in table.matches] == [Outcome.REFUSED] * 3
    assert all("prediction_window" in match.detail for match in table.matches)


# -- strange hellos --------------------------------------------------------------------------------------------------


def alone() -> Match:
    return Table(lambda: Pond(2)).matches[0]


@pytest.mark.parametrize(
    "terms",
    [b"", b"{", b"[]", b"null", b"[" * 50_000, b'{"a":' * 10_000, b"\xff\xfe", b"NaN", b"1" * 5000, b'{"protocol":1}', b"{}"],
    ids=lambda terms: f"{terms[:8]!r}",
)
def test_terms_that_cannot_be_read_are_refused(terms: bytes) -> None:
    match = alone()
    match.receive(1, encode(Hello(1, 0, terms), KEY), 0.0)
    assert match.outcome is Outcome.REFUSED and "plays by other terms" in match.detail


def test_names_that_cannot_be_shown_are_refused_like_others() -> None:
    match = alone()
    ours = json.loads(hello_of(match).terms)
    match.receive(1, encode(Hello(1, 0, json.dumps({**ours, "\ud800": 1}).encode()), KEY), 0.0)
    assert match.outcome is Outcome.REFUSED
    match.detail.encode()


def test_equal_terms_written_in_another_way_are_refused() -> None:
    match = alone()
    terms = json.dumps(json.loads(hello_of(match).terms), indent=1).encode()
    match.receive(1, encode(Hello(1, 0, terms), KEY), 0.0)
    assert match.outcome is Outcome.REFUSED and "written in another way" in match.detail


def hello_of(match: Match) -> Hello:
    """The hello that a match sends first."""
    match.tick(0.0, lambda player: b"\x01\x00")
    packet = decode(match.outbox[0][2], KEY)
    assert isinstance(packet, Hello) and match.outbox[0][1] == CONTROL
    return packet


def test_a_hello_with_other_terms_in_mid_match_is_dropped() -> None:
    table = Table(lambda: Pond(2), frames=60)
    table.run(lambda: table.matches[0].frame == 20)
    match = table.matches[0]
    match.receive(1, encode(Hello(1, 0, b"{}"), KEY), table.now)
    match.receive(1, encode(Hello(1, 0, b"", version=PROTOCOL_VERSION + 1), KEY), table.now)
    assert match.phase is Phase.PLAYING and match.malformed == 2
    table.run()
    assert [match.outcome for match in table.matches] == [Outcome.COMPLETED] * 2


def test_a_hello_of_somebody_else_is_dropped() -> None:
    match = alone()
    for sender, channel_of in ((0, 1), (1, 0), (5, 1), (1, 5)):
        match.receive(channel_of, encode(Hello(sender, 0, b"{}"), KEY), 0.0)
    assert match.phase is Phase.CONNECTING and match.malformed == 4


def test_inputs_before_the_hello_teach_nothing() -> None:
    table = Table(lambda: Pond(2), frames=60)
    table.run(lambda: table.matches[1].frame == 5)
    late = Table(lambda: Pond(2), frames=60).matches[0]
    table.matches[1].tick(table.now + 200, lambda player: b"\x01\x00")
    for _, _, data in table.matches[1].outbox:
        late.receive(1, data, 1.0)
    assert late.session.queues[1].last == -1 and not late.peers[1].knows_us and late.malformed == 0


# -- terms -----------------------------------------------------------------------------------------------------------


def test_equal_terms_do_not_differ() -> None:
    assert first_difference(encode_terms(TERMS), encode_terms(json.loads(json.dumps(TERMS)))) is None


@pytest.mark.parametrize(
    "ours, theirs, said",
    [
        ({"a": 1, "b": 2}, {"a": 1}, "b is among the terms here only"),
        ({"a": 1}, {"a": 1, "b": 2}, "b is among the terms there only"),
        ({"a": 1}, {"a": True}, "a is 1 here and true there"),
        ({"a": {"b": {"c": None}}}, {"a": {"b": {"c": 0}}}, "a.b.c is null here and 0 there"),
        ({"a": {"b": 1}}, {"a": [1]}, 'a is {"b": 1} here and [1] there'),
        ({"a": "x" * 500}, {"a": "y"}, f'a is "{"x" * 116}... here and "y" there'),
    ],
)
def test_a_difference_is_told_in_words(ours: Mapping[str, Any], theirs: Mapping[str, Any], said: str) -> None:
    assert first_difference(encode_terms(ours), encode_terms(theirs)) == said


# -- settings that cannot be played ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"prediction_window": 0},
        {"input_delay": -1},
        {"episodes": 0},
        {"episodes": 65_536},
        {"default_actions": (0, 0, 0)},
        {"terms": {"long": "x" * MAX_PACKET}},
    ],
    ids=str,
)
def test_settings_that_cannot_be_played_are_refused_at_once(change: dict[str, Any]) -> None:
    with pytest.raises((SessionError, WireError)):
        Table(lambda: Pond(2), settings=lambda place, settings: replace(settings, **change))
