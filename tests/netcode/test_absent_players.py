"""Laws of frames in which players are absent: rollback, rows and re-runs are what they are in all others."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyodide_runtime.batch import Runtime
from pyodide_runtime.drops import OnDrop
from pyodide_runtime.errors import PartnerFailed, RecordError, SessionError
from pyodide_runtime.journal import MemoryJournal, inputs_text
from pyodide_runtime.ledger import EpisodeLedger, more_columns
from pyodide_runtime.partner import Policy
from pyodide_runtime.playing.match import Match
from pyodide_runtime.rerun import replay_episode
from pyodide_runtime.rollback.inputs import ABSENT, FOCUSED, RETURNS, STOPS, Prediction, action_in, make_input
from pyodide_runtime.rollback.session import Counters, RollbackSession
from pyodide_runtime.rows import Cells
from pyodide_runtime.settings import MatchSettings

from .environments import Pond
from .partners import Heron

SEED, FRAMES, PLAYERS, DIGESTS_EVERY = 6, 50, 3, 7
NEUTRAL = make_input(b"\0", True)
STANDING_IN = bytes([ABSENT]) + b"\0"

Inputs = Sequence[tuple[bytes, ...]]
"""Every player's input, of one frame after the other."""


class Played(NamedTuple):
    """What came out of one episode."""

    cells: list[Cells]
    chain: bytes
    counters: Counters


def runtime_of(partner: Policy | None, every: int = 1) -> Runtime:
    return Runtime(Pond(PLAYERS), seed=SEED, max_steps=FRAMES, partner=partner, snapshot_every=every)


def ledger_of(runtime: Runtime, on_drop: OnDrop, *, adaptive_delay: bool = False) -> EpisodeLedger:
    more = more_columns(on_drop, adaptive_delay=adaptive_delay)
    return EpisodeLedger(0, SEED, runtime.players, runtime.simulation.codecs, more)


def drawn(source: random.Random) -> Inputs:
    """Inputs of players each of whom is absent for some spans."""
    streams = []
    for _ in range(PLAYERS):
        stream: list[bytes] = []
        while len(stream) < FRAMES:
            held = source.randint(1, 9)
            if source.random() < 0.4:
                stream += [STANDING_IN] * (held - 1) + [bytes([ABSENT | RETURNS]) + b"\0"]
            else:
                stream += [make_input(bytes([source.randrange(5)]), source.random() < 0.9)] * held
        streams.append(stream[:FRAMES])
    return list(zip(*streams, strict=True))


def play(
    inputs: Inputs,
    source: random.Random,
    partner: Policy | None,
    on_drop: OnDrop,
    *,
    every: int = 1,
    window: int = 8,
    prediction: Prediction = Prediction.LAST,
) -> Played:
    """A host that is told the inputs bit by bit, and predicts what it was not told yet."""
    runtime = runtime_of(partner, every)
    session = RollbackSession(runtime, local=[], neutral=[NEUTRAL] * PLAYERS, window=window, prediction=prediction)
    ledger, cells = ledger_of(runtime, on_drop), []
    told = [0] * PLAYERS
    while not session.ended:
        for player, start in enumerate(told):
            some = [frame[player] for frame in inputs[start : start + source.choice([0, 0, 0, 1, 3])]]
            told[player] += session.receive(player, start, some)
        session.advance(step=source.random() < 0.9)
        for final in session.take_final():
            number = final.record.frame + 1
            digest = runtime.snapshot_digest(number) if number % DIGESTS_EVERY == 0 else b""
            cells.append(ledger.append(final, digest).cells)
        session.retire()
    return Played(cells, ledger.newest, session.counters)


def rerun(inputs: Inputs, partner: Policy | None, on_drop: OnDrop, every: int = 1) -> tuple[list[Cells], bytes]:
    runtime = runtime_of(partner, every)
    ledger = ledger_of(runtime, on_drop)
    return list(replay_episode(runtime, ledger, [inputs_text(inputs)], digest_every=DIGESTS_EVERY)), ledger.newest


def column(cells: list[Cells], name: str) -> list[str]:
    return [dict(row)[name] for row in cells]


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 10**6), st.sampled_from([1, 1, 2, 5]), st.sampled_from([4, 8]), st.sampled_from([*Prediction]), st.booleans())
def test_every_host_comes_to_the_rows_and_states_of_a_straight_run(
    seed: int, every: int, window: int, prediction: Prediction, shared: bool
) -> None:
    source, policy = random.Random(seed), Heron()
    inputs = drawn(source)
    hosts = [
        play(
            inputs,
            random.Random(seed + host),
            policy if shared else Heron(),
            OnDrop.PARTNER,
            every=every,
            window=window,
            prediction=prediction,
        )
        for host in range(2)
    ]
    expected = rerun(inputs, policy if shared else Heron(), OnDrop.PARTNER, every)
    for host in hosts:
        assert (host.cells, host.chain) == expected
    assert sum(host.counters.rollbacks for host in hosts) > 0
    for place in range(PLAYERS):
        absent = [bool(frame[place][0] & ABSENT) for frame in inputs]
        assert column(expected[0], f"absent.frog_{place}") == ["true" if gone else "false" for gone in absent]


def test_the_partner_plays_in_the_frames_of_absence_and_the_default_where_that_was_chosen() -> None:
    inputs = drawn(random.Random(3))
    with_partner = play(inputs, random.Random(1), Heron(), OnDrop.PARTNER)
    with_default = play(inputs, random.Random(1), None, OnDrop.DEFAULT)
    chosen = set()
    for place in range(PLAYERS):
        for played, idle, frame in zip(with_partner.cells, with_default.cells, inputs, strict=True):
            name, data = f"action.frog_{place}", frame[place]
            assert dict(idle)[name] == str(data[1])
            if data[0] & ABSENT:
                chosen.add(dict(played)[name])
            else:
                assert dict(played)[name] == str(data[1])
    assert chosen == {"0", "1", "2", "3", "4"}
    assert (with_default.cells, with_default.chain) == rerun(inputs, None, OnDrop.DEFAULT)
    assert with_default.chain != with_partner.chain


def test_who_is_absent_and_stays_so_is_predicted_rightly_whatever_the_partner_does() -> None:
    gone, present = (STANDING_IN,) * PLAYERS, (NEUTRAL,) * PLAYERS
    counters = play([present] * 20 + [gone] * 30, random.Random(4), Heron(), OnDrop.PARTNER).counters
    assert 0 < counters.rollbacks <= PLAYERS


def test_a_partner_that_fails_only_on_a_wrong_prediction_is_waited_for() -> None:
    def timid(env: Pond, player: str, source: random.Random) -> int:
        if env.clock == 10:
            raise RuntimeError("not this one")
        return source.randrange(5)

    present = (NEUTRAL,) * PLAYERS
    inputs = [present] * 5 + [(STANDING_IN, NEUTRAL, NEUTRAL)] * 5 + [present] * 40
    for seed in range(5):
        assert play(inputs, random.Random(seed), timid, OnDrop.PARTNER).cells == rerun(inputs, timid, OnDrop.PARTNER)[0]
    with pytest.raises(PartnerFailed, match=r"^frame 10: the partner policy .*timid, playing for frog_0, raised RuntimeError"):
        play([(STANDING_IN, NEUTRAL, NEUTRAL)] * 50, random.Random(0), timid, OnDrop.PARTNER)


def test_the_flags_alone_are_no_reason_to_roll_back_without_a_partner() -> None:
    inputs = [(STANDING_IN if frame % 2 else NEUTRAL,) * PLAYERS for frame in range(FRAMES)]
    played = play(inputs, random.Random(4), None, OnDrop.DEFAULT)
    assert played.counters.mispredictions == 0
    assert column(played.cells, "absent.frog_1") == ["false", "true"] * (FRAMES // 2)


@pytest.mark.parametrize("flags", range(256))
def test_an_input_is_a_partners_exactly_if_its_player_is_absent_and_there_is_one(flags: int) -> None:
    data = bytes([flags]) + b"\3\4"
    assert action_in(data, False) == b"\3\4"
    assert action_in(data, True) == (b"" if flags & ABSENT else b"\3\4")


# -- rows ----------------------------------------------------------------------------------------------------------------


def test_a_match_that_ends_with_a_drop_has_the_columns_that_it_always_had() -> None:
    inputs = [(make_input(bytes([frame % 5]), True),) * PLAYERS for frame in range(FRAMES)]
    names = {on_drop: [name for name, _ in play(inputs, random.Random(1), None, on_drop).cells[0]] for on_drop in OnDrop}
    plain = [name for name in names[OnDrop.END] if name.endswith(".frog_1")]
    assert plain == [f"{name}.frog_1" for name in ("action", "reward", "score", "terminated", "truncated", "focused")]
    assert not any(name.startswith(("absent", "input_delay")) for name in names[OnDrop.END])
    for on_drop in (OnDrop.PAUSE, OnDrop.DEFAULT, OnDrop.PARTNER):
        assert [name for name in names[on_drop] if not name.startswith("absent.")] == names[OnDrop.END]
        assert names[on_drop].index("absent.frog_1") == names[on_drop].index("focused.frog_1") + 1


@pytest.mark.parametrize("on_drop", [OnDrop.END, OnDrop.DEFAULT])
def test_an_adaptive_delay_is_a_column_after_that_and_in_the_chain(on_drop: OnDrop) -> None:
    chains = set()
    for delay in range(16):
        runtime = runtime_of(None)
        ledger = ledger_of(runtime, on_drop, adaptive_delay=True)
        inputs = [(bytes([delay << 4 | FOCUSED]) + b"\2", NEUTRAL, NEUTRAL)] * 2
        cells = list(replay_episode(runtime, ledger, [inputs_text(inputs)], digest_every=None))
        names = [name for name, _ in cells[0]]
        assert column(cells, "input_delay.frog_0") == [str(delay)] * 2
        assert names[names.index("input_delay.frog_0") - 1] == ("focused" if on_drop is OnDrop.END else "absent") + ".frog_0"
        chains.add(ledger.newest)
    assert len(chains) == 16


@pytest.mark.parametrize(
    ("flags", "on_drop"),
    [(STOPS, OnDrop.PARTNER), (STOPS | ABSENT, OnDrop.DEFAULT), (ABSENT, OnDrop.END), (RETURNS, OnDrop.END), (16, OnDrop.PARTNER)],
)
def test_an_input_that_no_frame_of_such_a_match_can_have_is_refused(flags: int, on_drop: OnDrop) -> None:
    inputs = [(NEUTRAL,) * PLAYERS, (NEUTRAL, bytes([flags]) + b"\0", NEUTRAL)]
    with pytest.raises(RecordError, match=r"^episode 0, frame 1: an input has flags"):
        rerun(inputs, Heron() if on_drop is OnDrop.PARTNER else None, on_drop)


# -- a match needs what it is to do ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("on_drop", [*OnDrop])
def test_a_match_has_a_partner_exactly_if_one_is_to_play(on_drop: OnDrop) -> None:
    def match_of(partner: Callable[..., Any] | None) -> Match:
        runtime = runtime_of(partner)
        match_settings = MatchSettings(session="s", seed=1, on_drop=on_drop)
        return Match(runtime, host=0, settings=match_settings, journal=MemoryJournal())

    fits, wrong = (Heron(), None) if on_drop is OnDrop.PARTNER else (None, Heron())
    assert match_of(fits).settings.on_drop is on_drop
    with pytest.raises(SessionError, match=r"on_drop='"):
        match_of(wrong)
