"""Batches of operations on a simulation: step, snapshot, restore and rollback, many in one crossing, atomic.

`Runtime.batch` takes a list of operations, as objects of this module or as JSON-like mappings, and either carries
out all of them or changes nothing. It holds the snapshots, by frame, and the rows of the episode so far. It knows
nothing of predictions or networks: what to roll back, and when, is decided above.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Container, Mapping, Sequence
from itertools import chain, islice
from typing import Any, Literal, cast

from .actions import PARTNER, ActionCodec
from .compat import JS_NULL
from .errors import (
    ActionError,
    BatchError,
    FrameNotHeld,
    OperationError,
    PyodideRuntimeError,
    SessionError,
    UnknownPlayer,
)
from .operations import Actions, Operation, Restore, Rollback, Snapshot, Step, name_of, operation_of
from .partner import Policy
from .rows import row_values
from .simulation import Saved, Simulation, StepRecord
from .snapshots.ways import SnapshotWay
from .spacing import AUTO
from .thinning import Thinning

__all__ = ["Runtime"]

#: How many frames are forgotten together, and how many of the newest never are.
FORGET_AT_ONCE, STAYING = 64, 64
#: In the place of what was forgotten, so that places are frames.
_NOTHING = cast(StepRecord, None)


class Runtime:
    """A simulation that is worked in batches.

    Args:
        env: a Gymnasium or PettingZoo environment, a function that makes one, or an adapted one.
        seed: seed of the first episode, which begins at once; 0 <= seed < 2**63.
        max_steps: after that many frames every player is truncated. None: the environment alone ends the episode.
        max_snapshots: how many snapshots are held; the oldest frames go first.
        whole_snapshots: how many of those held last are whole. Where an environment has to be captured in every frame, because it
            has sets, that takes memory: of the older ones, with `snapshot_every` "auto", one in 64 frames stays whole, and to go
            back to another takes up to 63 steps.
        snapshots: the way of taking them ("auto", "graph", "own", "pickle").
        snapshot_every: capture the environment only in every so-manieth frame, or "auto" where it pays; see `Simulation`.
        players: as for `adapt`.
        partner: a policy that plays where `PARTNER` is given in the place of an action; see `Simulation`.

    Raises:
        SessionError: one of the settings cannot be.
        EnvironmentNotSupported, ActionError, SnapshotError, EnvironmentFailed: the environment cannot be run.
    """

    def __init__(
        self,
        env: Any,
        seed: int = 0,
        max_steps: int | None = None,
        *,
        max_snapshots: int = 1024,
        whole_snapshots: int = 12,
        snapshots: SnapshotWay | str = SnapshotWay.AUTO,
        snapshot_every: int | Literal["auto"] = AUTO,
        players: int | None = None,
        partner: Policy | None = None,
    ) -> None:
        if max_steps is not None and (type(max_steps) is not int or max_steps < 1):
            raise SessionError(f"max_steps={max_steps!r}: give a whole number of at least 1, or None for no limit")
        if type(max_snapshots) is not int or max_snapshots < 1:
            raise SessionError(f"max_snapshots={max_snapshots!r}: give a whole number of at least 1")
        if type(whole_snapshots) is not int or whole_snapshots < 1:
            raise SessionError(f"whole_snapshots={whole_snapshots!r}: give a whole number of at least 1")
        self.simulation = Simulation(
            env, max_steps=max_steps, snapshots=snapshots, snapshot_every=snapshot_every, players=players, partner=partner
        )
        self._max_snapshots = max_snapshots
        # In rising order of frames.
        self._held: dict[int, Saved] = {}
        self._thinning = Thinning(whole_snapshots)
        # After going back to a held frame they go on beyond it, as long as one can go forth again.
        self._records: list[StepRecord] = []
        self._forgotten = 0
        self._seed = _seed(seed)
        self.simulation.reset(self._seed)
        self._bytes = [bytes] * len(self.simulation.players)
        self._places = {name: place for place, name in enumerate(self.simulation.players)}

    # -- to be read --------------------------------------------------------------------------------------------------

    @property
    def frame(self) -> int:
        """The next frame to be simulated."""
        return self.simulation.frame

    @property
    def players(self) -> tuple[str, ...]:
        """Names of the players, in order."""
        return self.simulation.players

    @property
    def done(self) -> bool:
        """Whether the episode is over."""
        return self.simulation.done

    @property
    def seed(self) -> int:
        """The seed of the present episode."""
        return self._seed

    @property
    def held_frames(self) -> list[int]:
        """The frames whose snapshots are held, in order."""
        return list(self._held)

    @property
    def records(self) -> Sequence[StepRecord]:
        """What happened in each frame so far, unformatted; None for what was forgotten."""
        records, frame = self._records, self.simulation.frame
        return records if len(records) == frame else records[:frame]

    @property
    def rows(self) -> list[dict[str, Any]]:
        """One mapping a frame so far, with the columns of the export and Python's own values; none for what was forgotten."""
        return [
            dict(row_values(0, record, self.players, self.simulation.codecs, (True,) * len(self.players)))
            for record in self.records[self._forgotten :]
        ]

    def digest(self) -> bytes:
        """Canonical digest of the whole present state, 16 bytes: equal states give equal digests, on every host."""
        return self.simulation.digest()

    def snapshot_digest(self, frame: int) -> bytes:
        """The digest of the state held for `frame`, without going back to it. FrameNotHeld if there is none."""
        return self.simulation.digest(self._require_held(frame))

    def held(self, frame: int) -> Saved:
        """The state held for `frame`, to be kept for longer than the runtime does. FrameNotHeld if there is none."""
        return self._require_held(frame)

    def keep_whole(self) -> None:
        """Keep all held snapshots whole from now on, for a caller who lets go of them soon, and often goes back to one."""
        self._thinning = Thinning(self._max_snapshots)

    def discard_before(self, frame: int) -> None:
        """Let go of all snapshots of frames before `frame`."""
        held = self._held
        while held and (oldest := next(iter(held))) < frame:
            del held[oldest]

    def forget_before(self, frame: int) -> None:
        """Let go of what happened in frames before `frame`, for a caller who has written it down: an episode may last for hours.

        What happened in the last 64 frames stays in any case.
        """
        ready = min(frame, self.simulation.frame - STAYING)
        if ready - self._forgotten >= FORGET_AT_ONCE:
            self._records[self._forgotten : ready] = [_NOTHING] * (ready - self._forgotten)
            self._forgotten = ready

    # -- batches -----------------------------------------------------------------------------------------------------

    def batch(self, operations: Any, *, describe: bool = True) -> Any:
        """Carry out a list of operations, in order, all or none.

        Args:
            operations: `Reset`, `Step`, `Snapshot`, `Restore` and `Rollback` objects, or mappings such as
                `{"op": "step", "actions": {"player_0": 1}}`; from JavaScript, an array of such objects.
            describe: False: return an empty list, for a caller who reads `records`.

        Returns:
            One mapping for each operation, with `op`, `frame` (the current frame after it), `done` and, for steps,
            `rewards`, `scores`, `terminated`, `truncated` and `infos` by player (for a rollback `steps`, a list of
            those). To JavaScript, plain objects.

        Raises:
            OperationError: `operations` is not a list.
            BatchError: an operation failed. The state is what it was before, snapshots and rows included; the error has
                its place in the list, its name, and the cause: OperationError, UnknownPlayer, ActionError,
                EpisodeEnded, FrameNotHeld, EnvironmentFailed or SnapshotError.
        """
        from_javascript = type(operations) is not list and hasattr(operations, "to_py")
        given = operations.to_py() if from_javascript else operations
        if type(given) is not list and (isinstance(given, Mapping | str | bytes) or not isinstance(given, Sequence)):
            raise OperationError(f"a batch is a list of operations, not {type(given).__name__}")
        before = self._remember()
        results: list[dict[str, Any]] = []
        index, item = 0, None
        try:
            for index, item in enumerate(given):  # noqa: B007
                operation = operation_of(item)
                records = self._run(operation)
                if describe:
                    results.append(self._describe(operation, records))
        except BaseException as error:
            self._bring_back(before)
            if isinstance(error, PyodideRuntimeError):
                raise BatchError(index, name_of(item), error) from error
            raise
        return _to_javascript(results) if from_javascript else results

    def advance(self, actions: tuple[bytes, ...]) -> None:
        """A step and a snapshot, as a batch of the two, for a caller who does this in every frame and reads `records`.

        Raises:
            OperationError, ActionError, EpisodeEnded, EnvironmentFailed, SnapshotError: the state is what it was before,
                as after a batch that failed.
        """
        before = self._remember()
        try:
            self._step(actions)
            self._hold()
        except BaseException:
            self._bring_back(before)
            raise

    def replay(self, frame: int, actions: Sequence[tuple[bytes, ...]]) -> int:
        """A rollback that saves every frame and leaves over what is beyond the end of the episode, as a batch of its own, for a
        caller who has the canonical bytes of every frame's actions and reads `records`.

        Where it comes to a state that was held there before, and the actions from there on are what they were, so is all that
        follows: that is not simulated again. (Only environments that are captured in every frame are compared: their steps are
        the costly ones.)

        Returns:
            How many frames were spared so.

        Raises:
            FrameNotHeld, ActionError, EnvironmentFailed, SnapshotError: the state is what it was before, as after a batch that
                failed.
        """
        before = self._remember()
        try:
            if self.simulation.dense:
                return self._replay_shortest(frame, actions, before[1])
            self._go_back(frame, actions, stop_at_end=True, save_all=True)
        except BaseException:
            self._bring_back(before)
            raise
        return 0

    def _replay_shortest(self, start: int, actions: Sequence[tuple[bytes, ...]], held: Mapping[int, Saved]) -> int:
        """A replay that takes over what was there before, from where it comes to a state of it on.

        Args:
            held: what was held before.
        """
        simulation = self.simulation
        records = self.records[start : start + len(actions)] if start >= self._forgotten else []
        # A last frame is simulated in any case, for what the environment shows in it.
        last = len(records) - (len(records) == len(actions))
        alike = last  # from there on the actions are what they were
        while alike > 1 and records[alike - 1].actions == actions[alike - 1]:
            alike -= 1
        if alike >= last or start + last not in held:
            self._go_back(start, actions, stop_at_end=True, save_all=True)
            return 0
        self._go_back(start, actions[:alike], stop_at_end=True, save_all=True)
        spared = 0
        while start + alike == simulation.frame < start + last and not spared:
            there = held.get(simulation.frame)
            if there is not None and simulation.same(self._held[simulation.frame], there):
                self._take_over(simulation.frame, start + last, records[alike:last], held)
                spared = last - alike
            else:
                self._go_on(actions[alike : alike + 1])
                alike += 1
        self._go_on(actions[last:])
        return spared

    def _take_over(self, start: int, end: int, records: Sequence[StepRecord], held: Mapping[int, Saved]) -> None:
        """Go on to what was in frame `end` before, and held from `start` on."""
        frames = [frame for frame in range(start + 1, end + 1) if frame in held]
        self._held.update((frame, held[frame]) for frame in frames)
        self._records += records
        self._thinning.add(frames, self._held, self._told)
        self.simulation.load(held[end])

    def _remember(self) -> tuple[Saved, dict[int, Saved], int]:
        """What `_bring_back` needs, beside the records that `_truncate` keeps."""
        self._undone: tuple[int, list[StepRecord]] = (len(self._records), [])
        return self.simulation.save(), dict(self._held), self._seed

    def _bring_back(self, before: tuple[Saved, dict[int, Saved], int]) -> None:
        """Undo whatever was done since `_remember`."""
        state, self._held, self._seed = before
        self._thinning.forget()
        frame, undone = self._undone
        self._records[frame:] = undone
        self.simulation.load(state)

    def _run(self, operation: Operation) -> list[StepRecord]:
        """Carry out one operation; what happened in the frames that it simulated, if any."""
        if isinstance(operation, Step):
            return [self._step(operation.actions)]
        if isinstance(operation, Snapshot):
            self._hold()
        elif isinstance(operation, Rollback):
            return self._rollback(operation)
        elif isinstance(operation, Restore):
            self._restore(operation.frame)
        else:
            self._seed = self._seed if operation.seed is None else _seed(operation.seed)
            self.simulation.reset(self._seed)
            self._truncate(0)
            self._forgotten = 0
            self._held = {}
            self._thinning.forget()
        return []

    def _describe(self, operation: Operation, records: list[StepRecord]) -> dict[str, Any]:
        """What `batch` says of an operation that was just carried out."""
        if isinstance(operation, Step):
            return {"op": "step", **self._describe_step(records[0])}
        told: dict[str, Any] = {"op": operation.op, "frame": self.frame, "done": self.done}
        if isinstance(operation, Rollback):
            steps = [self._describe_step(record) for record in records]
            for step in steps[:-1]:
                step["done"] = False  # for another step followed
            told |= {"from": operation.frame, "steps": steps}
        return told

    def _step(self, actions: Actions) -> StepRecord:
        record = self.simulation.step(self.encode(actions))
        if len(self._records) > record.frame:
            self._truncate(record.frame)
        self._records.append(record)
        if self._held:
            self._drop_from(record.frame + 1)
        return record

    def _rollback(self, operation: Rollback) -> list[StepRecord]:
        encoded = self._encode_all(operation.actions)
        return self._go_back(operation.frame, encoded, stop_at_end=operation.stop_at_end, save_all=operation.save_all)

    def _go_back(self, frame: int, encoded: Sequence[tuple[bytes, ...]], *, stop_at_end: bool, save_all: bool) -> list[StepRecord]:
        self._restore(frame)
        stale = None if save_all else set(self._held)
        self._drop_from(frame + 1)
        self._truncate(frame)
        return self._go_on(encoded, stop_at_end=stop_at_end, wanted=stale)

    def _go_on(
        self, encoded: Sequence[tuple[bytes, ...]], *, stop_at_end: bool = True, wanted: Container[int] | None = None
    ) -> list[StepRecord]:
        """Replay frames from the present one on, and hold those that are `wanted`; None: all."""
        held, frame = self._held, self.frame
        records = self.simulation.run(encoded, stop_at_end=stop_at_end, saves=held, wanted=wanted, replayed=True)
        self._records += records
        self._thinning.add([kept for kept in range(frame + 1, self.frame + 1) if kept in held], held, self._told)
        while len(held) > self._max_snapshots:
            del held[next(iter(held))]
        return records

    def _hold(self) -> None:
        saved = self.simulation.save()
        held = self._held
        if held and saved.frame not in held and next(reversed(held)) > saved.frame:
            # Gone back to a frame whose own snapshot was let go meanwhile; later ones can still be gone forth to.
            self._held = held = dict(sorted([*held.items(), (saved.frame, saved)]))
        known = saved.frame in held
        held[saved.frame] = saved
        if not known:
            self._thinning.add((saved.frame,), held, self._told)
        if len(held) > self._max_snapshots:
            del held[next(iter(held))]

    def _restore(self, frame: Any) -> None:
        self.simulation.load(self._require_held(frame))

    def _truncate(self, frame: int) -> None:
        """Drop the records from `frame` on, remembering those that were there before the batch."""
        kept, undone = self._undone
        if frame < kept:
            self._undone = (frame, self._records[frame:kept] + undone)
        del self._records[frame:]
        self._thinning.go_back(frame)

    def _told(self, frame: int) -> tuple[bytes, ...] | None:
        """The actions of a frame as they are to be played once more; None if what happened in it is forgotten."""
        if frame == 0:
            return self._records[0].actions
        if frame <= self._forgotten:
            return None
        return self.simulation.told(self._records[frame], self._records[frame - 1])

    def _require_held(self, frame: Any) -> Saved:
        if type(frame) is not int:
            raise OperationError(f"frame {frame!r} is not a whole number")
        saved = self._held.get(frame)
        if saved is None:
            held = self.held_frames
            known = f"held are {len(held)} frames from {held[0]} to {held[-1]}" if held else "none is held"
            raise FrameNotHeld(f"no snapshot of frame {frame} is held; {known}")
        return saved

    def _drop_from(self, frame: int) -> None:
        held = self._held
        if held and next(reversed(held)) >= frame:
            frames = list(held)
            self._held = dict(islice(held.items(), bisect_left(frames, frame)))

    def _encode_all(self, frames: Sequence[Actions]) -> Sequence[tuple[bytes, ...]]:
        """The actions of many frames, encoded."""
        # Those that the session gives are: that is seen of all of them together.
        if (
            {*map(type, frames)} == {tuple}
            and {*map(len, frames)} == {len(self.players)}
            and {*map(type, chain.from_iterable(frames))} == {bytes}
        ):
            return cast("Sequence[tuple[bytes, ...]]", frames)
        return [self.encode(actions) for actions in frames]

    def encode(self, actions: Actions) -> tuple[bytes, ...]:
        """Canonical bytes of every player's action, or `PARTNER`, in order.

        UnknownPlayer, ActionError or OperationError if they do not fit.
        """
        if type(actions) is tuple and list(map(type, actions)) == self._bytes:
            return actions
        if not isinstance(actions, Mapping):
            raise OperationError(f"actions are a mapping from player to action, not {type(actions).__name__}")
        given: dict[str, Any] = {}
        for name, action in actions.items():
            player = str(name)
            if player not in self._places:
                raise UnknownPlayer(f"there is no player {name!r}; the players are {', '.join(self.players)}")
            given[player] = action
        encoded = []
        for player, codec in zip(self.players, self.simulation.codecs, strict=True):
            encoded.append(_encode(codec, player, given, self.simulation.partner is not None))
        return tuple(encoded)

    def _describe_step(self, record: StepRecord) -> dict[str, Any]:
        players = self.players
        return {
            "frame": record.frame + 1,
            "done": self.simulation.done,
            "rewards": dict(zip(players, record.rewards, strict=True)),
            "scores": dict(zip(players, record.scores, strict=True)),
            "terminated": dict(zip(players, record.terminated, strict=True)),
            "truncated": dict(zip(players, record.truncated, strict=True)),
            "infos": {player: dict(info) for player, info in zip(players, record.infos, strict=True)},
        }


def _encode(codec: ActionCodec, player: str, given: dict[str, Any], partner: bool) -> bytes:
    optional = hasattr(codec, "optional")
    if player not in given and not optional:
        raise ActionError(f"player {player} gave no action")
    action = given.get(player)
    if action is JS_NULL:
        action = None
    # Where turns are taken, None is to wait for one's own.
    if action == PARTNER if type(action) is bytes else partner and action is None and not optional:
        return PARTNER
    try:
        return codec.encode(action)
    except ActionError as error:
        raise ActionError(f"player {player}: {error}") from None


def _seed(seed: Any) -> int:
    if type(seed) is not int or not 0 <= seed < 1 << 63:
        raise OperationError(f"seed={seed!r}: give a whole number from 0 to 2**63 - 1")
    return seed


def _to_javascript(value: Any) -> Any:
    from js import Object
    from pyodide.ffi import to_js

    return to_js(value, dict_converter=Object.fromEntries)
