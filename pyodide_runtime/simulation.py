"""The one state of an episode, and the only code that touches an environment.

A `Simulation` holds the environment, the frame, the scores, who has ended, the random generators, and what a partner policy
remembers; `save` and `load` treat all of that as one thing. The frame is the only counter. It knows nothing of predictions,
networks, files or browsers.
"""

from __future__ import annotations

import hashlib
import random
import struct
import sys
import weakref
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from operator import add, getitem
from time import perf_counter
from typing import Any, Literal, NamedTuple, TypeVar

from . import environment as _environment
from .actions import PARTNER
from .errors import ActionError, EnvironmentFailed, EpisodeEnded, NotReset, PyodideRuntimeError, SessionError, SnapshotError
from .infos import NOTHING, Scalar, kept_of
from .partner import Partner, Policy
from .snapshots.canonical import DIGEST_SIZE
from .snapshots.difference import State
from .snapshots.graph import Checkpointer
from .snapshots.ways import SnapshotWay, Way, choose_way, global_generators, global_states, restore_globals, stash_globals
from .spaces import seed_spaces, seeded_spaces
from .spacing import AUTO, FIRST, REPLAYED, SOONEST, Spacing

__all__ = ["GLOBAL_GENERATORS", "Saved", "Simulation", "StepRecord", "episode_seed"]

#: With `snapshot_every` "auto" every host captures the environment in every frame whose number is a multiple of this, and before
#: the first such frame in frames 1, 2, 4, 8 and 16: most sets that an environment ever has are there after its first steps.
_CERTAIN = 32
_NEVER = sys.maxsize

T = TypeVar("T")


class StepRecord(NamedTuple):
    """What happened in one frame; every tuple is in the order of the players.

    `actions` are canonical bytes, as they were given: `PARTNER` where the partner policy was to choose; `played` are those that
    were really played; `scores` are the sums of rewards up to and including this frame; `terminated` and
    `truncated` stay true once they were true; `infos` holds the numbers and strings of the environment's infos, by
    dotted name.
    """

    frame: int
    actions: tuple[bytes, ...]
    played: tuple[bytes, ...]
    rewards: tuple[float, ...]
    scores: tuple[float, ...]
    terminated: tuple[bool, ...]
    truncated: tuple[bool, ...]
    infos: tuple[Mapping[str, Scalar], ...]


class Saved(NamedTuple):
    """The whole state at the beginning of `frame`. It never changes.

    `environment`, opaque, is the environment as it was `told` frames earlier, and `since` begins with every player's action
    in those frames; it may go on, for it is shared with states of later frames. `seeded` are the states that the global
    generators had when the episode was seeded. `dense` says whether the environment is captured in every frame; where it is
    `told` nevertheless, it was (see `thinning`).
    """

    frame: int
    done: bool
    scores: tuple[float, ...]
    terminated: tuple[bool, ...]
    truncated: tuple[bool, ...]
    environment: Any
    since: list[tuple[bytes, ...]]
    told: int
    dense: bool
    seeded: Sequence[Any]


def episode_seed(session_seed: int, episode: int) -> int:
    """The seed of an episode: the first 31 bits of blake2b over session seed and episode, so that episodes are unrelated."""
    data = struct.pack("<QI", session_seed & 0xFFFFFFFFFFFFFFFF, episode)
    return int.from_bytes(hashlib.blake2b(data, digest_size=4, person=b"episode").digest(), "little") & 0x7FFFFFFF


class Simulation:
    """An environment with everything that belongs to its state.

    Args:
        env: anything that `adapt` takes.
        max_steps: after that many frames every player is truncated, whatever the environment says. None: no such limit.
        snapshots: the way of taking snapshots; by default the first that suits the environment.
        snapshot_every: the environment is captured in every frame whose number is a multiple of this; a state between is told
            by the one before and the actions since. Where a step costs less than a capture, that makes rollbacks cheaper. It
            is part of what must be equal on all hosts, for a capture brings sets into an order of their own. "auto": in every
            32nd frame and some before the first, and between where it pays by what steps and captures were measured to cost.
            There nothing is brought into another order, so hosts may differ; once there are sets in a frame in which all
            capture, or at the start, it is captured in every frame.
        partner: a policy that chooses the actions of players whose action is given as `PARTNER`. It is called as
            `policy(env, player, random)`, in each such frame before the environment's own step, for one player after the other
            in their order, and returns an action as the environment takes it. `random` is a generator of that player's own,
            seeded with the episode. For a player who is out of the episode it is not called; the neutral action stands there.
            Whatever it remembers in its own objects is part of the state. None: there is no partner.

    Raises:
        EnvironmentNotSupported, ActionError: from `adapt`.
        SessionError: there is no such way of taking snapshots, `snapshot_every` is neither "auto" nor a whole number of at
            least 1, or `partner` cannot be called.
        SnapshotError: the partner holds something that cannot be brought back.

    While a simulation runs, Python's and NumPy's global generators belong to it: they are seeded by `reset`, and
    are part of what is saved. Several simulations in one process each have their own; they are exchanged when
    another one is used.
    """

    _owner: weakref.ref[Simulation] | None = None
    partner: Partner | None = None

    def __init__(
        self,
        env: Any,
        *,
        max_steps: int | None = None,
        snapshots: SnapshotWay | str = SnapshotWay.AUTO,
        snapshot_every: int | Literal["auto"] = AUTO,
        players: int | None = None,
        partner: Policy | None = None,
    ) -> None:
        if snapshot_every != AUTO and (type(snapshot_every) is not int or snapshot_every < 1):
            raise SessionError(f"snapshot_every={snapshot_every!r}: give a whole number of at least 1, or {AUTO!r}")
        self.environment = _environment.adapt(env, players=players)
        self.players = self.environment.players
        self.codecs = tuple(self.environment.codecs[name] for name in self.players)
        self._decoders = [codec.decode for codec in self.codecs]
        self._tables: list[Mapping[bytes, Any]] = [getattr(codec, "table", {}) for codec in self.codecs]
        self._advance = self.environment.step
        self._no_infos = (NOTHING,) * len(self.players)
        self.max_steps = max_steps
        self.snapshot_every = snapshot_every
        try:
            self._wanted = SnapshotWay(snapshots)
        except ValueError:
            known = ", ".join(repr(way.value) for way in SnapshotWay)
            raise SessionError(f"snapshots={snapshots!r}: there is no such way to take them; known are {known}") from None
        self._way: Way | None = None
        self._reference = weakref.ref(self)
        self._seeded: Sequence[Any] = ()
        self._current: Saved | None = None
        self._captured: Any = None  # the environment as it was last captured, and the actions since then
        self._since: list[tuple[bytes, ...]] = []
        #: From how many frames to how many it is captured on every host, and whether because of sets.
        self._every = snapshot_every if isinstance(snapshot_every, int) else _CERTAIN
        self._early = 0  # below this frame also in those whose numbers are powers of two
        self._dense = False
        #: What tells where it pays to capture it between.
        self.spacing = Spacing()
        self._ordered = snapshot_every != AUTO  # whether nothing may be captured between two such frames
        self._looked = -1  # the frame that was shown last
        self.frame = 0
        self.done = False
        self.observations: tuple[Any, ...] = ()
        self._own()
        if partner is not None:
            self.partner = Partner(partner, self.players, self.codecs, self.environment.root)
        self._beside = () if self.partner is None else (self.partner.state,)
        self._remember_pristine()

    @property
    def way(self) -> SnapshotWay:
        """How snapshots are taken."""
        return self._require_reset().name

    @property
    def root(self) -> Any:
        """The environment itself, to be drawn."""
        return self.environment.root

    # -- running -----------------------------------------------------------------------------------------------------

    def reset(self, seed: int) -> None:
        """Begin an episode at frame 0. It depends on nothing but the environment as it was made, and on `seed`.

        Raises:
            EnvironmentFailed: the environment's reset raised.
            SnapshotError: there is no way to take snapshots of this environment.
        """
        self._own()
        self._bring_back_pristine()
        if self.partner is not None:
            self.partner.begin(seed)
        self._seed(seed)
        try:
            seeded = seed_spaces(self.environment.root, seed)
            with seeded_spaces(seed):
                self.observations = self.environment.reset(seed)
            seed_spaces(self.environment.root, seed, seeded)
        except PyodideRuntimeError:
            raise
        except Exception as error:
            raise EnvironmentFailed(f"reset(seed={seed}) raised {type(error).__name__}: {error}") from error
        if self._way is None:
            self._way = choose_way(self.environment, self._wanted, beside=self._beside, after_reset=True)
        else:
            self._way.refresh()
        none = (False,) * len(self.players)
        self.frame, self.done = 0, False
        self._scores = (0.0,) * len(self.players)
        self._terminated = self._truncated = none
        self._current, self._captured, self._since = None, None, []
        self._looked = -1
        if self.snapshot_every == AUTO:
            self._set_dense(self._way.ordering)
        if self._way.every_step or self._every > 1:
            self.save()

    def step(self, actions: Sequence[bytes]) -> StepRecord:
        """Simulate one frame.

        Args:
            actions: the canonical bytes of every player's action, or `PARTNER`, in the order of `players`.

        Raises:
            EpisodeEnded: the episode is over; nothing has changed.
            ActionError: bytes stand for no action, or there is no partner; nothing has changed.
            EnvironmentFailed, PartnerFailed: the environment or the partner raised. The state is undefined until something is
                loaded.
        """
        return self.run((actions,))[0]

    def run(
        self,
        frames: Iterable[Sequence[bytes]],
        *,
        stop_at_end: bool = False,
        saves: dict[int, Saved] | None = None,
        wanted: Container[int] | None = None,
        replayed: bool = False,
    ) -> list[StepRecord]:
        """Simulate one frame after the other.

        Args:
            frames: for each frame what `step` takes.
            stop_at_end: leave over the frames beyond the end of the episode.
            saves: is given the state after each frame, by the number of the next.
            wanted: the numbers for which it is; None: all.
            replayed: whether they are simulated again, with a correction in the first.

        Raises:
            As `step`; the frames before the one that failed are simulated then.
        """
        way = self._require_reset()
        if Simulation._owner is not self._reference:
            self._own()
        advance, tables, every, most = self._advance, self._tables, self._every, self.max_steps
        early = self._early
        capture = way.every_step or every > 1
        space, later, measures = self._spaces(replayed)
        records: list[StepRecord] = []
        frame, scores = self.frame, self._scores
        for actions in frames:
            if self.done:
                if stop_at_end:
                    break
                raise EpisodeEnded(f"the episode ended with frame {frame - 1}; frame {frame} cannot be simulated")
            chosen = None
            try:
                decoded = [*map(getitem, tables, actions)] if len(actions) == len(tables) else self._decode(actions)
            except KeyError:  # not one of few actions, or none at all
                if self.partner is not None and PARTNER in actions:
                    chosen = self._let_partner_choose(self.partner, self._without_those_out(actions), frame)
                    decoded = chosen.decoded
                else:
                    decoded = self._decode(actions)
            self._current = None
            began = perf_counter() if measures else 0.0
            try:
                rewards, terminated, truncated, infos, over, self.observations = advance(decoded)
            except PyodideRuntimeError:
                raise
            except Exception as error:
                raise EnvironmentFailed(f"frame {frame}: step raised {type(error).__name__}: {error}", frame) from error
            number, frame = frame, frame + 1
            self.frame = frame
            self._scores = scores = tuple(map(add, scores, rewards))
            if frame == most:
                truncated = (True,) * len(rewards)
            if over or True in terminated or True in truncated:
                self._terminated = _either(self._terminated, terminated)
                self._truncated = _either(self._truncated, truncated)
                self.done = over or all(_either(self._terminated, self._truncated))
            kept = tuple([kept_of(info) if info else NOTHING for info in infos]) if any(infos) else self._no_infos
            actions = tuple(actions)
            told = played = actions
            if chosen is not None:
                told, played = chosen.told, chosen.played
            if measures:
                self.spacing.step(perf_counter() - began)
            if frame % every and (frame >= early or frame & (frame - 1)):
                self._since.append(told)
                if len(self._since) >= space:
                    self._capture_untouched()
            elif capture:
                self.save()
                every, early = self._every, self._early
            space = later
            if saves is not None and (wanted is None or frame in wanted):
                saves[frame] = self.save()
            records.append(_new(StepRecord, (number, actions, played, rewards, scores, self._terminated, self._truncated, kept)))
        return records

    # -- the state as one thing --------------------------------------------------------------------------------------

    def save(self) -> Saved:
        """The whole state at the beginning of the current frame.

        Raises:
            NotReset: there is no state yet.
            SnapshotError: the environment now holds something that cannot be brought back.
        """
        if self._current is not None:
            return self._current
        frame = self.frame
        if frame % self._every == 0 or (frame < self._early and not frame & (frame - 1)):
            self._capture()
        since = self._since
        saved: Saved = _new(
            Saved,
            (
                frame, self.done, self._scores, self._terminated, self._truncated,
                self._captured, since, len(since), self._dense, self._seeded,
            ),
        )  # fmt: skip
        self._current = saved
        return saved

    def _capture(self) -> None:
        """Capture the environment, in a frame in which every host does so."""
        way = self._require_reset()
        if Simulation._owner is not self._reference:
            self._own()
        captured = way.save()
        if self.snapshot_every == AUTO and not self._dense:
            if way.ordering:
                # There is a set, or there was one in a frame that was simulated here and perhaps nowhere else.
                way.refresh()
                captured = way.save()
            self._set_dense(way.ordering)
        self._captured, self._since = captured, []

    def _capture_untouched(self) -> None:
        """Capture the environment between two such frames, if that leaves no trace."""
        began = perf_counter()
        captured = None if self._ordered else self._require_reset().save_untouched()
        if captured is None:
            # As long as there is a set, it must go its own way to the next frame in which every host captures it.
            self._ordered = True
            return
        if self.spacing.measures:
            self.spacing.capture(perf_counter() - began)
        self._captured, self._since, self._current = captured, [], None

    def _set_dense(self, dense: bool) -> None:
        """What `snapshot_every` "auto" means from here on."""
        self._dense = self._ordered = dense
        self._every, self._early = (1, 0) if dense else (_CERTAIN, _CERTAIN)

    def _spaces(self, replayed: bool) -> tuple[int, int, bool]:
        """After how many frames without a capture there is to be one in the next frame, and then; and whether to measure."""
        if self._ordered:
            return _NEVER, _NEVER, False
        spacing = self.spacing
        if replayed:
            return spacing.frames(SOONEST), spacing.frames(REPLAYED), spacing.measures
        # What was looked at was captured for that, and so will this be.
        space = 1 if self._looked == self.frame else spacing.frames(FIRST)
        return space, space, spacing.measures

    def load(self, saved: Saved) -> None:
        """Make a saved state the present one.

        Raises:
            EnvironmentFailed: the environment raised in a step that it had taken before. The state is undefined.
        """
        way = self._require_reset()
        if Simulation._owner is not self._reference:
            self._own()
        self._current = None
        way.restore(saved.environment)
        self._captured, self._since = saved.environment, saved.since[: saved.told]
        captures = saved.dense and way.every_step
        for frame, actions in enumerate(self._since, saved.frame - saved.told):
            try:
                if self.partner is not None and PARTNER in actions:
                    self._advance(self._let_partner_choose(self.partner, actions, frame).decoded)
                else:
                    self._advance(self._decode(actions))
            except Exception as error:
                raise EnvironmentFailed(f"frame {frame}: step raised {type(error).__name__}: {error}", frame) from error
            if captures:
                way.save()
        self.frame, self.done, self._scores, self._terminated, self._truncated, *_, dense, self._seeded = saved
        if dense is not self._dense:
            self._set_dense(dense)
        if dense and saved.told:
            self._captured, self._since = way.save(), []
            saved = saved._replace(environment=self._captured, since=self._since, told=0)
        self._current = saved

    @property
    def dense(self) -> bool:
        """Whether the environment is captured in every frame."""
        return self._dense

    def same(self, one: Saved, other: Saved) -> bool:
        """Whether two saved states are surely the same, so that the same actions lead to the same from there on. It is found out
        at a small part of the cost of a digest; False where it is not found out."""
        if one.told or other.told or one.seeded is not other.seeded or repr(one[:5]) != repr(other[:5]):
            return False
        return self._require_reset().same(one.environment, other.environment)

    def told(self, record: StepRecord, before: StepRecord) -> tuple[bytes, ...]:
        """The actions of a frame as they are to be played once more, by what happened in it and in the one before."""
        if self.partner is None:
            return record.actions
        out = _either(before.terminated, before.truncated)
        chosen = zip(out, record.actions, record.played, strict=True)
        return tuple([played if over and data == PARTNER else data for over, data, played in chosen])

    def show(self, look: Callable[[Any], T]) -> T:
        """Let foreign code look at the environment; whatever it changes there is undone.

        How often that happens differs from host to host, so it must not leave a trace in the state.
        """
        way = self._require_reset()
        self._own()  # what is looked at may draw from them
        present = self.save()
        if present.told and not self._ordered:
            self._capture_untouched()
            present = self.save()
        self._looked = self.frame
        # Between two captures, to capture once more is the cheaper way to bring the state back, unless that changes it.
        kept = way.save_untouched() if present.told and self.snapshot_every != AUTO else None
        try:
            return look(self.environment.root)
        finally:
            if kept is None:
                self.load(present)
            else:
                way.restore(kept)

    def digest(self, saved: Saved | None = None) -> bytes:
        """Canonical digest of the whole state, of a saved one or of the present one; `DIGEST_SIZE` bytes.

        Global generators count only once they were drawn from, so that it does not matter which libraries are loaded.
        """
        wanted = self.save() if saved is None else saved
        captured, way = self._capture_of(wanted), self._require_reset()
        environment, generators = way.digest(captured), way.generators(captured)
        head = repr((wanted.frame, wanted.done, wanted.scores, wanted.terminated, wanted.truncated)).encode()
        drawn = [repr(now).encode() for now, seeded in zip(generators, wanted.seeded, strict=False) if now != seeded]
        return hashlib.blake2b(b"\0".join([head, environment, *drawn]), digest_size=DIGEST_SIZE).digest()

    def state(self, saved: Saved | None = None) -> State:
        """All that `digest` covers, of a saved state or of the present one, to be compared by `first_difference`."""
        wanted = self.save() if saved is None else saved
        captured, way = self._capture_of(wanted), self._require_reset()
        roots, contents = way.parts(captured)
        values = {name: getattr(wanted, name) for name in ("frame", "done", "scores", "terminated", "truncated")}
        named = zip(GLOBAL_GENERATORS, way.generators(captured), wanted.seeded, strict=False)
        drawn = {name: now for name, now, seeded in named if now != seeded}
        return State(values, tuple(roots), contents, drawn, captured, beside=("partner",) if self._beside else ())

    def own_bytes(self, saved: Saved, before: Saved) -> int:
        """About how many bytes of memory a saved state takes beside one of an earlier frame, with which it may share the most."""
        if saved.environment is before.environment:
            return 0
        return self._require_reset().own_bytes(saved.environment, before.environment)

    def _capture_of(self, wanted: Saved) -> Any:
        """The environment as it was captured in a saved state, or as it is captured now if that one is told by actions."""
        if not wanted.told:
            return wanted.environment
        present = self.save()
        self.load(wanted)
        captured = self._require_reset().save()
        # The capture brought sets into an order that they do not have in this frame.
        self.load(present)
        return captured

    # -- private -----------------------------------------------------------------------------------------------------

    def _require_reset(self) -> Way:
        if self._way is None:
            raise NotReset("reset the environment first: there is no episode yet")
        return self._way

    def _decode(self, actions: Sequence[bytes]) -> list[Any]:
        if self.partner is None and PARTNER in actions:
            for player, codec, data in zip(self.players, self.codecs, actions, strict=True):
                if data == PARTNER and codec.size:
                    raise ActionError(f"a partner policy is to choose the action of {player}, but there is none; give partner=...")
        return [decode(data) for decode, data in zip(self._decoders, actions, strict=True)]

    def _let_partner_choose(self, partner: Partner, actions: Sequence[bytes], frame: int) -> _Chosen:
        """The actions of a frame, those included that the partner chooses now."""
        # All others are looked at first: bytes that stand for no action must have changed nothing.
        asked = [data == PARTNER and codec.size > 0 for data, codec in zip(actions, self.codecs, strict=True)]
        decoded = [None if ask else decode(data) for ask, decode, data in zip(asked, self._decoders, actions, strict=True)]
        played = list(actions)
        self._current = None
        for place, ask in enumerate(asked):
            if ask:
                played[place], decoded[place] = partner.choose(self.environment.root, place, frame)
        return _Chosen(decoded, tuple(actions), tuple(played))

    def _without_those_out(self, actions: Sequence[bytes]) -> Sequence[bytes]:
        """The actions with the neutral one for whoever is out of the episode: of him there is nothing to choose."""
        out = _either(self._terminated, self._truncated)
        if True not in out:
            return actions
        return [
            codec.encode(codec.neutral()) if over and data == PARTNER else data
            for over, data, codec in zip(out, actions, self.codecs, strict=True)
        ]

    def _remember_pristine(self) -> None:
        """Keep the environment as it was made, so that one episode cannot leave traces in the next."""
        self._made, self._touched = self.environment.root, False
        try:
            self._before: Checkpointer | None = Checkpointer([self.environment.root, *global_generators()], watched=False)
            self._pristine = self._before.as_found()
        except SnapshotError:
            self._before = None

    def _bring_back_pristine(self) -> None:
        if self._before is not None and self._touched:
            self.environment.root = self._made  # type: ignore[misc]
            self._before.restore(self._pristine)
        self._touched = True

    def _seed(self, seed: int) -> None:
        random.seed(seed)
        numpy_random = sys.modules.get("numpy.random")
        if numpy_random is not None:
            numpy_random.seed(seed & 0xFFFFFFFF)
        self._seeded = global_states()

    def _own(self) -> None:
        """Take the global generators over from another simulation in this process."""
        owner = Simulation._owner() if Simulation._owner is not None else None
        if owner is self:
            return
        if owner is not None:
            owner._stash = stash_globals()
        restore_globals(self._stash)
        Simulation._owner = self._reference
        if self.partner is not None and self.partner.enter() and (self._current is not None or self._since):
            self.load(self.save())  # which captures nothing: the state is known

    _stash: Sequence[Any] = ()


class _Chosen(NamedTuple):
    """The actions of a frame in which the partner plays: as the environment takes them, as they are told when the frame is to
    be played once more, and as they were played."""

    decoded: list[Any]
    told: tuple[bytes, ...]
    played: tuple[bytes, ...]


def _either(one: tuple[bool, ...], two: tuple[bool, ...]) -> tuple[bool, ...]:
    return tuple([a or b for a, b in zip(one, two, strict=True)])


#: Makes a named tuple from all its fields; to name them would take three times as long, in every frame.
_new: Any = tuple.__new__
#: Names of the global generators, in the order in which ways of saving give their states.
GLOBAL_GENERATORS = ("random", "numpy.random")
