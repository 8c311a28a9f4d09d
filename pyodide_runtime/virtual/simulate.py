"""Plays a whole match on the virtual network and clock, and says whether every host's data are those of a run without network.

Nothing sleeps and nothing is left to chance: the same arguments play the same match.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from ..drops import OnDrop
from ..errors import MatchStuck
from ..network.virtual import NetworkConditions, Partition, PlannedFates
from ..partner import Policy
from ..rollback.delay import InputDelay
from ..rollback.guesses import Predictor
from ..rollback.inputs import Prediction
from ..rows import to_csv
from ..settings import Outcome
from ..spacing import AUTO
from .inputs import Controllers, PlannedInputs
from .oracle import first_divergence, run_straight
from .report import PeerReport, SimulationReport
from .scenario import Clock, Departure, Factory, Freeze, Scenario
from .schedule import Schedule
from .table import Host, Table

__all__ = ["play", "replay", "simulate"]

#: A match is given up after this time, in ms, and so many times what its frames, its line and its mishaps take.
LEAST_LIMIT_MS, PATIENCE = 120_000.0, 8.0
#: An episode without a set end is reckoned with so many frames.
FRAMES_RECKONED = 10_000


def simulate(
    factory: Factory,
    *,
    players: int = 2,
    frames: int | None = 450,
    conditions: NetworkConditions | None = None,
    seed: int = 0,
    controllers: Controllers | None = None,
    input_delay: int | InputDelay | str = 0,
    prediction_window: int = 8,
    fps: float = 30,
    prediction: Prediction | Predictor | str = Prediction.LAST,
    episodes: int = 1,
    lines: Mapping[tuple[int, int], NetworkConditions] | None = None,
    partitions: Iterable[Partition] = (),
    freezes: Iterable[Freeze] = (),
    clocks: Iterable[Clock] = (),
    start_skew_ms: float = 0.0,
    hold: int = 4,
    snapshot_every: int | Literal["auto"] = AUTO,
    state_digest_every: int | None = None,
    default_actions: tuple[Any, ...] | None = None,
    disconnect_after_ms: float = 5000.0,
    on_drop: OnDrop | str = OnDrop.END,
    partner: Policy | None = None,
    return_within_ms: float = 60_000.0,
    reliable_control: bool = True,
    hosts: Sequence[int] | None = None,
    spectators: Sequence[float] = (),
    departures: Iterable[Departure] = (),
) -> SimulationReport:
    """Play a match of an environment on a bad network, in this process, and compare every host with a run without network.

    Args:
        factory: makes the environment: Gymnasium, PettingZoo parallel or AEC. It is called once for each host, and once for the
            run without network.
        players: how many play. A Gymnasium environment has one player, unless its action space has a part for each.
        frames: after so many frames an episode is cut off; None leaves its end to the environment.
        conditions: of every line between two hosts; None: a perfect one.
        seed: everything that is drawn follows from it.
        controllers: one callable for each player, in their order, or a mapping from the names of some. Each is called once for
            each frame of each episode, in order, as `controller(frame, random)`: the number of the frame that the action
            belongs to (from `input_delay` on), and a `random.Random` of its own, seeded by match, player and episode. It is
            given neither environment nor observation: what a host shows while it predicts depends on the network. None, or a
            player without one: random actions of the player's action space, each held for 1 to `hold` frames, one frame in
            ten without the page's focus.
        input_delay: frames between taking an input and the frame it belongs to; "adaptive", "matched", or an `InputDelay`.
        prediction_window: how many frames a host may be ahead of the confirmed frame.
        fps: frames a second.
        prediction: how inputs are guessed: "last", "default", "learned", or a predictor as an experiment may have one.
        episodes: how many are played one after the other.
        lines: conditions of single lines, by (sender, receiver).
        partitions: when which hosts are cut off from each other.
        freezes: when which hosts do nothing.
        clocks: of the hosts, from host 0 on.
        start_skew_ms: how much later than the one before it each host starts.
        hold: see `controllers`.
        snapshot_every, state_digest_every, default_actions, disconnect_after_ms: as for `Scenario`.
        on_drop: what happens when a player's host is gone: "end", "pause", "default" or "partner".
        partner: the policy that plays then, with "partner"; called as `partner(env, player, random)`. One for all hosts will do:
            each has what it remembers to itself.
        return_within_ms: how long a host may take to come back.
        reliable_control: False: hellos, ends and goodbyes are lost, too.
        hosts: how many players each host has, in their order; None: one each.
        spectators: when hosts come that only watch, in ms.
        departures: when which hosts go, and come back.

    Raises:
        SessionError: a setting cannot be.
        EnvironmentNotSupported, ActionError, EnvironmentFailed, SnapshotError: the environment cannot be run. Whatever it
            raises in the match is in the report.
    """
    scenario = Scenario(
        players=players,
        frames=frames,
        episodes=episodes,
        seed=seed,
        fps=fps,
        input_delay=input_delay,  # type: ignore[arg-type]  # Scenario makes it one
        prediction_window=prediction_window,
        prediction=prediction,  # type: ignore[arg-type]  # Scenario makes it one
        snapshot_every=snapshot_every,
        state_digest_every=state_digest_every,
        disconnect_after_ms=disconnect_after_ms,
        on_drop=on_drop,  # type: ignore[arg-type]  # Scenario makes it one
        return_within_ms=return_within_ms,
        default_actions=default_actions,
        conditions=NetworkConditions() if conditions is None else conditions,
        lines={} if lines is None else lines,
        reliable_control=reliable_control,
        partitions=partitions,  # type: ignore[arg-type]
        freezes=freezes,  # type: ignore[arg-type]
        clocks=clocks,  # type: ignore[arg-type]
        start_skew_ms=start_skew_ms,
        hold=hold,
        hosts=hosts,  # type: ignore[arg-type]
        spectators=spectators,  # type: ignore[arg-type]
        departures=departures,  # type: ignore[arg-type]
    )
    return play(factory, scenario, controllers, partner=partner)


def play(
    factory: Factory, scenario: Scenario, controllers: Controllers | None = None, *, partner: Policy | None = None
) -> SimulationReport:
    """As `simulate`, of a scenario."""
    return _played(Table(factory, scenario, controllers=controllers, partner=partner))


def replay(factory: Factory, schedule: Schedule, *, partner: Policy | None = None) -> SimulationReport:
    """Play a match once more that was written down. What it is told by its packets and inputs is what the first one was.

    `factory` and `partner` are not written down with it, and must be those of that match.

    Raises as `simulate`.
    """
    table = Table(
        factory,
        schedule.scenario,
        inputs=lambda neutral: PlannedInputs(schedule.inputs, neutral),
        fates=PlannedFates(schedule.fates),
        partner=partner,
    )
    report = _played(table)
    return replace(report, schedule=replace(report.schedule, target=schedule.target))


def _played(table: Table) -> SimulationReport:
    stuck = ""
    try:
        table.run(limit_ms=_limit_ms(table.scenario))
    except MatchStuck as error:
        stuck = str(error)
    scenario, network = table.scenario, table.network
    earlier = [(host.number, journal) for host in table.hosts for journal in host.before]
    longest = max([*table.journals, *(journal for _, journal in earlier)], key=lambda journal: len(journal.cells))
    every = table.matches[0].settings.digest_every
    oracle = run_straight(table.factory, scenario, longest, digest_every=every, partner=table.partner)
    outcome, detail = (None, stuck) if stuck else _outcome([host for host in table.hosts if host.number not in table.off])
    return SimulationReport(
        seed=scenario.seed,
        players=table.matches[0].runtime.players,
        peers=tuple(map(_peer, table.hosts)),
        oracle_csv=to_csv(oracle.rows),
        divergence=first_divergence(oracle, table.journals, [match.outcome for match in table.matches], earlier),
        outcome=outcome,
        detail=detail,
        frames=len(oracle.rows),
        packets_sent=network.sent,
        packets_lost=network.lost,
        packets_parted=network.parted,
        packets_overflowed=network.overflowed,
        packets_duplicated=network.duplicated,
        virtual_ms=table.now,
        schedule=Schedule.of(scenario, network.fates.told, table.inputs.told, table.inputs.neutral),
    )


def _limit_ms(scenario: Scenario) -> float:
    """When to give a match up: long after any that can end has ended."""
    frames = scenario.episodes * (scenario.frames or FRAMES_RECKONED)
    slowest = max(line.latency_ms + line.jitter_ms for line in (scenario.conditions, *scenario.lines.values()))
    mishaps = sum(cut.for_ms for cut in scenario.partitions) + sum(freeze.for_ms for freeze in scenario.freezes)
    rate = min((clock.rate for clock in scenario.clocks), default=1.0)
    mishaps += max([going.at_ms + (going.back_ms or 0.0) + scenario.return_within_ms for going in scenario.departures], default=0.0)
    mishaps += max(scenario.spectators, default=0.0)
    nominal = frames * (1000 / scenario.fps / min(rate, 1.0) + 2 * slowest) + mishaps + scenario.players * scenario.start_skew_ms
    return LEAST_LIMIT_MS + PATIENCE * nominal


def _outcome(hosts: list[Host]) -> tuple[Outcome | None, str]:
    if not hosts:
        return Outcome.LEFT, "nobody stayed to the end"
    ended = [host for host in hosts if host.match.outcome is not Outcome.COMPLETED]
    if not ended:
        return Outcome.COMPLETED, ""
    first = min(ended, key=lambda host: host.ended_ms or 0.0)
    return first.match.outcome, first.match.detail


def _peer(host: Host) -> PeerReport:
    match, counters = host.match, host.match.counters
    peers = match.peers.values()
    return PeerReport(
        players=tuple(match.runtime.players[player] for player in host.players),
        csv=to_csv(host.journal.cells),
        frames=len(host.journal.cells),
        outcome=match.outcome,
        detail=match.detail,
        certified_through=match.certified_through,
        rollbacks=counters.rollbacks,
        max_rollback_depth=counters.deepest_rollback,
        replayed=counters.replayed,
        spared=counters.spared,
        mispredictions=counters.mispredictions,
        stalls=counters.stalls,
        bytes_sent=sum(peer.bytes_sent for peer in peers),
        bytes_received=sum(peer.bytes_received for peer in peers),
        malformed=match.malformed,
    )
