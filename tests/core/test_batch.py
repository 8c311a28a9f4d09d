"""Laws of batches: all operations or none; each error has its place, its name and its cause."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pyodide_runtime as pr
from tests.core.courses import observe
from tests.core.dumper import dump
from tests.core.environments import Counter, Crowd
from tests.core.tangle import ACTIONS, Tangle

LAW = settings(deadline=None, max_examples=100)


def act(action: int) -> dict[str, int]:
    return {"player_0": action}


def at_frame_6(env: Any = None, **settings_: Any) -> pr.Runtime:
    """A runtime at frame 6 that holds the frames 0, 2 and 5."""
    runtime = pr.Runtime(Counter(fails_on=4) if env is None else env, seed=3, **settings_)
    for frame in range(6):
        runtime.batch([pr.Snapshot(), pr.Step(act(frame % 4))] if frame in (0, 2, 5) else [pr.Step(act(frame % 4))])
    return runtime


def whole(runtime: pr.Runtime) -> Any:
    """All that a failed batch must leave as it was."""
    held = [(frame, runtime.snapshot_digest(frame)) for frame in runtime.held_frames]
    return observe(runtime), held, runtime.seed, runtime.simulation.way


# -- what operations do --------------------------------------------------------------------------------------------------


def test_a_batch_answers_with_one_result_for_each_operation() -> None:
    runtime = pr.Runtime(Counter(ends_at=3), seed=0)
    results = runtime.batch(
        [pr.Snapshot(), pr.Step(act(2)), pr.Step(act(1)), pr.Restore(0), pr.Rollback(0, [act(1), act(2), act(3)]), pr.Reset()]
    )
    assert [result["op"] for result in results] == ["snapshot", "step", "step", "restore", "rollback", "reset"]
    assert [result["frame"] for result in results] == [0, 1, 2, 0, 3, 0]
    assert [result["done"] for result in results] == [False, False, False, False, True, False]
    assert results[2]["rewards"] == {"player_0": 1.0} and results[2]["scores"] == {"player_0": 3.0}
    assert results[2]["terminated"] == {"player_0": False} and results[2]["infos"]["player_0"]["steps"] == 2
    assert results[4]["from"] == 0 and len(results[4]["steps"]) == 3
    assert [step["done"] for step in results[4]["steps"]] == [False, False, True]
    assert [step["scores"]["player_0"] for step in results[4]["steps"]] == [1.0, 3.0, 6.0]


def test_the_steps_of_a_rollback_are_told_like_steps() -> None:
    runtime = pr.Runtime(Counter(ends_at=4), seed=0)
    actions = [act(1), act(2), act(0), act(3)]
    told = runtime.batch([pr.Snapshot(), *map(pr.Step, actions)])[1:]
    again = runtime.batch([pr.Rollback(0, actions)])[0]["steps"]
    assert [{"op": "step", **step} for step in again] == told


def test_operations_may_be_mappings_as_from_json() -> None:
    one, two = pr.Runtime(Counter(), seed=0), pr.Runtime(Counter(), seed=0)
    results = one.batch(
        [
            {"op": "reset", "seed": 5},
            {"op": "snapshot"},
            {"op": "step", "actions": {"player_0": 3}},
            {"op": "restore", "frame": 0},
            {"op": "rollback", "frame": 0, "actions": [{"player_0": 1}], "save_all": True, "stop_at_end": False},
        ]
    )
    assert results == two.batch(
        [pr.Reset(seed=5), pr.Snapshot(), pr.Step(act(3)), pr.Restore(0), pr.Rollback(0, [act(1)], save_all=True)]
    )
    assert one.held_frames == two.held_frames == [0, 1]
    assert one.digest() == two.digest()


def test_actions_may_be_canonical_bytes() -> None:
    one, two = pr.Runtime(Crowd()), pr.Runtime(Crowd())
    one.batch([pr.Step((b"\1", b"\2", b"\0"))])
    two.batch([pr.Step({"agent_2": 0, "agent_1": 2, "agent_0": 1})])
    assert one.rows == two.rows and one.digest() == two.digest()


def test_what_there_is_to_read() -> None:
    runtime = at_frame_6()
    assert runtime.frame == 6 and runtime.players == ("player_0",) and runtime.seed == 3 and not runtime.done
    assert runtime.held_frames == [0, 2, 5] and len(runtime.records) == len(runtime.rows) == 6
    assert [row["action.player_0"] for row in runtime.rows] == [0, 1, 2, 3, 0, 1]
    assert [row["frame"] for row in runtime.rows] == list(range(6)) and len(runtime.digest()) == 16
    assert runtime.batch([]) == []


def test_to_advance_is_a_batch_of_a_step_and_a_snapshot_all_or_nothing() -> None:
    one, two = at_frame_6(), at_frame_6()
    for action in (3, 0, 2):
        one.advance((bytes([action]),))
        two.batch([pr.Step(act(action)), pr.Snapshot()])
        assert whole(one) == whole(two)
    one.batch([pr.Restore(2)])
    before = whole(one)
    with pytest.raises(pr.EnvironmentFailed, match="frame 2"):
        one.advance((b"\4",))
    assert whole(one) == before and [row["frame"] for row in one.rows] == [0, 1]
    one.batch([pr.Restore(9)])
    assert one.digest() == two.digest() and len(one.rows) == 9


def test_a_reset_begins_anew_with_its_own_seed_or_the_one_before() -> None:
    runtime = at_frame_6()
    runtime.batch([pr.Reset(seed=8)])
    fresh = pr.Runtime(Counter(fails_on=4), seed=8)
    assert whole(runtime)[0] == whole(fresh)[0] and runtime.held_frames == [] and runtime.seed == 8
    runtime.batch([pr.Step(act(1)), pr.Reset()])
    assert runtime.digest() == fresh.digest() and runtime.seed == 8


def test_a_rollback_saves_again_exactly_the_frames_that_held_snapshots() -> None:
    runtime = at_frame_6()
    stale = {frame: runtime.snapshot_digest(frame) for frame in (2, 5)}
    runtime.batch([pr.Rollback(0, [act(3)] * 6)])
    assert runtime.held_frames == [0, 2, 5]
    straight = pr.Runtime(Counter(fails_on=4), seed=3)
    for frame in range(6):
        if frame in stale:
            assert runtime.snapshot_digest(frame) == straight.digest() != stale[frame]
        straight.batch([pr.Step(act(3))])
    assert runtime.digest() == straight.digest() and runtime.rows == straight.rows


@pytest.mark.parametrize(("actions", "held"), [(0, [0]), (1, [0]), (2, [0, 2]), (4, [0, 2]), (5, [0, 2, 5]), (9, [0, 2, 5])])
def test_snapshots_beyond_the_last_replayed_frame_are_dropped(actions: int, held: list[int]) -> None:
    runtime = at_frame_6()
    runtime.batch([pr.Rollback(0, [act(1)] * actions)])
    assert runtime.held_frames == held and runtime.frame == actions == len(runtime.rows)


def test_a_rollback_with_save_all_saves_every_frame_on_the_way() -> None:
    runtime = at_frame_6()
    runtime.batch([pr.Rollback(2, [act(1)] * 3, save_all=True)])
    assert runtime.held_frames == [0, 2, 3, 4, 5]


def test_a_step_drops_the_snapshots_of_another_course_of_events() -> None:
    runtime = at_frame_6()
    runtime.batch([pr.Restore(2), pr.Step(act(3))])
    assert runtime.held_frames == [0, 2] and len(runtime.rows) == 3


def test_one_can_go_back_and_forth_between_held_frames() -> None:
    runtime = at_frame_6()
    rows = runtime.rows
    seen: dict[int, Any] = {}
    for frame in (5, 0, 2, 5, 2, 0, 5):
        runtime.batch([pr.Restore(frame)])
        assert runtime.rows == rows[:frame] and runtime.frame == frame == len(runtime.records)
        assert seen.setdefault(frame, observe(runtime)) == observe(runtime)
    assert runtime.held_frames == [0, 2, 5]
    runtime.batch([pr.Step(act(1))])
    assert runtime.rows[:5] == rows[:5] and runtime.rows[5] == rows[5] and len(runtime.rows) == 6


def test_after_going_back_and_forth_a_failed_batch_leaves_the_rows_as_they_were() -> None:
    runtime = at_frame_6()
    runtime.batch([pr.Restore(2)])
    before = whole(runtime)
    for operations in ([pr.Restore(5), pr.Step(act(1)), pr.Step(act(4))], [pr.Step(act(3)), pr.Restore(5)]):
        with pytest.raises(pr.BatchError):
            runtime.batch(operations)
        assert whole(runtime) == before
    runtime.batch([pr.Restore(5)])
    assert [row["action.player_0"] for row in runtime.rows] == [0, 1, 2, 3, 0]


@pytest.mark.parametrize("most", [1, 2, 5])
def test_the_oldest_snapshots_make_room(most: int) -> None:
    runtime = pr.Runtime(Counter(), max_snapshots=most)
    for frame in range(8):
        runtime.batch([pr.Snapshot(), pr.Step(act(1))])
        assert runtime.held_frames == list(range(max(0, frame + 1 - most), frame + 1))
    with pytest.raises(pr.BatchError, match="no snapshot of frame 0 is held"):
        runtime.batch([pr.Restore(0)])


def test_snapshots_can_be_let_go() -> None:
    runtime = at_frame_6()
    runtime.discard_before(2)
    assert runtime.held_frames == [2, 5]
    runtime.batch([pr.Restore(2)])
    runtime.discard_before(4)
    runtime.batch([pr.Snapshot()])
    assert runtime.held_frames == [2, 5]
    runtime.batch([pr.Step(act(3)), pr.Snapshot()])
    assert runtime.held_frames == [2, 3]
    runtime.discard_before(99)
    assert runtime.held_frames == []
    with pytest.raises(pr.FrameNotHeld, match="none is held"):
        runtime.snapshot_digest(2)


def test_an_episode_that_ends_while_replaying_leaves_actions_over_if_asked_to() -> None:
    runtime = pr.Runtime(Counter(ends_at=4))
    runtime.batch([pr.Snapshot(), pr.Step(act(0))])
    result = runtime.batch([pr.Rollback(0, [act(1)] * 7, stop_at_end=True, save_all=True)])[0]
    assert runtime.done and runtime.frame == 4 and len(result["steps"]) == 4 and runtime.held_frames == [0, 1, 2, 3, 4]
    with pytest.raises(pr.BatchError) as failed:
        runtime.batch([pr.Rollback(0, [act(1)] * 7)])
    assert isinstance(failed.value.cause, pr.EpisodeEnded) and runtime.frame == 4
    runtime.batch([pr.Rollback(0, [act(1)] * 2)])
    assert (runtime.done, runtime.frame) == (False, 2)


def test_what_describes_nothing_does_the_same() -> None:
    one, two = at_frame_6(), at_frame_6()
    operations = [pr.Step(act(1)), pr.Rollback(2, [act(3)] * 3), pr.Snapshot(), pr.Restore(2)]
    assert one.batch(operations, describe=False) == []
    two.batch(operations)
    assert whole(one) == whole(two)


# -- all or none ---------------------------------------------------------------------------------------------------------

FAILING: dict[str, tuple[Any, str, type[pr.PyodideRuntimeError]]] = {
    "step that breaks": (pr.Step(act(4)), "step", pr.EnvironmentFailed),
    "action outside": (pr.Step(act(5)), "step", pr.ActionError),
    "action of a wrong type": (pr.Step(act("up")), "step", pr.ActionError),  # type: ignore[arg-type]
    "no action": (pr.Step({}), "step", pr.ActionError),
    "unknown player": (pr.Step({"player_0": 1, "player_1": 1}), "step", pr.UnknownPlayer),
    "bytes outside": (pr.Step((b"\7",)), "step", pr.ActionError),
    "bytes too long": (pr.Step((b"\1\1",)), "step", pr.ActionError),
    "too many bytes": (pr.Step((b"\1", b"\1")), "step", pr.OperationError),
    "no bytes": (pr.Step((1,)), "step", pr.OperationError),  # type: ignore[arg-type]
    "actions of a wrong type": (pr.Step(3), "step", pr.OperationError),  # type: ignore[arg-type]
    "frame not held": (pr.Restore(1), "restore", pr.FrameNotHeld),
    "frame to come": (pr.Restore(70), "restore", pr.FrameNotHeld),
    "frame below nought": (pr.Restore(-1), "restore", pr.FrameNotHeld),
    "frame of a wrong type": (pr.Restore("2"), "restore", pr.OperationError),  # type: ignore[arg-type]
    "frame that is true": (pr.Restore(True), "restore", pr.OperationError),
    "rollback to a frame not held": (pr.Rollback(1, []), "rollback", pr.FrameNotHeld),
    "rollback that breaks": (pr.Rollback(0, [act(1), act(4), act(1)]), "rollback", pr.EnvironmentFailed),
    "rollback with an action outside": (pr.Rollback(2, [act(1), act(9)]), "rollback", pr.ActionError),
    "rollback with an unknown player": (pr.Rollback(2, [{"nobody": 1}]), "rollback", pr.UnknownPlayer),
    "rollback with one mapping": (pr.Rollback(2, act(1)), "rollback", pr.OperationError),  # type: ignore[arg-type]
    "rollback without a list": (pr.Rollback(2, 5), "rollback", pr.OperationError),  # type: ignore[arg-type]
    "rollback with a text": ({"op": "rollback", "frame": 2, "actions": "11"}, "rollback", pr.OperationError),
    "rollback with a flag of text": (
        {"op": "rollback", "frame": 2, "actions": [], "stop_at_end": "no"}, "rollback", pr.OperationError,
    ),
    "reset with a seed of text": (pr.Reset(seed="1"), "reset", pr.OperationError),  # type: ignore[arg-type]
    "reset with a seed below nought": (pr.Reset(seed=-1), "reset", pr.OperationError),
    "reset with too large a seed": (pr.Reset(seed=1 << 63), "reset", pr.OperationError),
    "unknown operation": ({"op": "stop"}, "stop", pr.OperationError),
    "no operation": ({}, "?", pr.OperationError),
    "operation of a wrong type": ({"op": ["step"]}, "['step']", pr.OperationError),
    "missing field": ({"op": "restore"}, "restore", pr.OperationError),
    "superfluous field": ({"op": "snapshot", "frame": 1}, "snapshot", pr.OperationError),
    "not even a mapping": (7, "int", pr.OperationError),
}  # fmt: skip

BEFORE: dict[str, list[Any]] = {
    "at first": [],
    "after a step": [pr.Step(act(1))],
    "after a snapshot": [pr.Step(act(2)), pr.Snapshot()],
    "after going back": [pr.Restore(2), pr.Step(act(3))],
    "after going back and forth": [pr.Restore(0), pr.Restore(5)],
    "after a rollback": [pr.Rollback(2, [act(3)] * 4, save_all=True)],
    "after two rollbacks": [pr.Rollback(2, [act(3)] * 4), pr.Rollback(0, [act(1)])],
}


@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize("name", FAILING)
def test_a_batch_that_fails_changes_nothing(name: str, before: str) -> None:
    runtime = at_frame_6()
    state = whole(runtime)
    operation, op, cause = FAILING[name]
    with pytest.raises(pr.BatchError) as failed:
        runtime.batch([*BEFORE[before], operation, pr.Step(act(1))])
    error = failed.value
    assert (error.index, error.operation, type(error.cause)) == (len(BEFORE[before]), op, cause)
    assert error.__cause__ is error.cause and str(error).startswith(f"operation {error.index} ({op}): {cause.__name__}: ")
    assert whole(runtime) == state
    runtime.batch([pr.Step(act(2))])
    straight = at_frame_6()
    straight.batch([pr.Step(act(2))])
    assert whole(runtime) == whole(straight)


@pytest.mark.parametrize("name", FAILING)
def test_a_batch_that_fails_after_a_reset_does_not_reset(name: str) -> None:
    runtime = at_frame_6()
    state = whole(runtime)
    with pytest.raises(pr.BatchError):
        runtime.batch([pr.Reset(seed=9), pr.Step(act(1)), FAILING[name][0]])
    assert whole(runtime) == state
    for frame in (5, 0, 2):
        runtime.batch([pr.Restore(frame)])
        assert runtime.frame == frame


class Choosy(Counter):
    def reset(self, seed: int | None = None, options: Any = None) -> tuple[int, dict[str, Any]]:
        self._fails_at = -1 if seed == 13 else 0
        return super().reset(seed, options)


def test_a_reset_that_fails_does_not_reset() -> None:
    runtime = at_frame_6(Choosy())
    state = whole(runtime)
    with pytest.raises(pr.BatchError, match="this one never begins") as failed:
        runtime.batch([pr.Reset(seed=13)])
    assert isinstance(failed.value.cause, pr.EnvironmentFailed) and failed.value.cause.frame is None
    assert whole(runtime) == state


class Interrupted(Counter):
    def step(self, action: int) -> Any:
        result = super().step(action)
        if action == 3 and self.steps > 6:
            raise KeyboardInterrupt
        return result


def test_even_an_interrupted_batch_changes_nothing() -> None:
    runtime = at_frame_6(Interrupted())
    state = whole(runtime)
    with pytest.raises(KeyboardInterrupt):
        runtime.batch([pr.Step(act(1)), pr.Snapshot(), pr.Rollback(2, [act(1)] * 7), pr.Step(act(3))])
    assert whole(runtime) == state


def test_a_state_that_cannot_be_saved_any_more_fails_the_batch_and_is_left() -> None:
    class Souring(Counter):
        odd: Any = None

        def step(self, action: int) -> Any:
            result = super().step(action)
            if action == 3 and self.steps > 6:
                self.odd = (n for n in range(3))
            return result

    runtime = at_frame_6(Souring())
    state = whole(runtime)
    with pytest.raises(pr.BatchError, match="generator") as failed:
        runtime.batch([pr.Step(act(1)), pr.Step(act(3)), pr.Snapshot()])
    assert isinstance(failed.value.cause, pr.SnapshotError)
    assert whole(runtime) == state
    runtime.batch([pr.Step(act(1)), pr.Snapshot()])


def test_no_step_is_possible_beyond_the_end() -> None:
    runtime = pr.Runtime(Counter(ends_at=2), max_steps=5)
    runtime.batch([pr.Snapshot(), pr.Step(act(1)), pr.Step(act(1)), pr.Snapshot()])
    state = whole(runtime)
    with pytest.raises(pr.BatchError, match="the episode ended with frame 1") as failed:
        runtime.batch([pr.Snapshot(), pr.Step(act(1))])
    assert failed.value.index == 1 and isinstance(failed.value.cause, pr.EpisodeEnded)
    assert whole(runtime) == state


# -- anything at all -----------------------------------------------------------------------------------------------------

_keys = st.sampled_from(["player_0", "op", "x"])
_json: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-2, 8), st.floats(allow_nan=False), st.text(max_size=3)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_keys, inner, max_size=3)),
    max_leaves=5,
)
_names = st.sampled_from(["step", "snapshot", "restore", "rollback", "reset", "stop", "", "?"])
_nearly = st.fixed_dictionaries(
    {"op": st.one_of(_names, _names, _json)},
    optional={
        "actions": st.one_of(
            _json,
            st.just({"player_0": 1}),
            st.lists(st.one_of(st.just({"player_0": 2}), st.just({"player_0": 4}), _json), max_size=3),
        ),
        "frame": st.one_of(st.sampled_from([0, 2, 5]), _json),
        "seed": st.one_of(st.integers(0, 3), _json),
        "stop_at_end": st.one_of(st.booleans(), _json),
        "save_all": st.one_of(st.booleans(), _json),
        "more": _json,
    },
)
_good = st.sampled_from([{"op": "snapshot"}, {"op": "step", "actions": {"player_0": 1}}, {"op": "restore", "frame": 2}])


@LAW
@given(st.one_of(_json, st.lists(st.one_of(_nearly, _good, _good, _json), max_size=5)))
def test_whatever_json_comes_is_carried_out_or_refused_by_a_typed_error_and_changes_nothing(operations: Any) -> None:
    runtime = at_frame_6()
    state = whole(runtime)
    try:
        runtime.batch(operations)
    except (pr.BatchError, pr.OperationError) as error:
        assert whole(runtime) == state
        if isinstance(error, pr.BatchError):
            assert isinstance(error.cause, pr.PyodideRuntimeError) and str(error.index) in str(error)


_moves = st.lists(
    st.one_of(
        st.builds(lambda action: pr.Step((bytes([action]),)), st.integers(0, ACTIONS - 1)),
        st.just(pr.Snapshot()),
        st.builds(pr.Restore, st.integers(0, 5)),
        st.builds(
            lambda frame, actions, save: pr.Rollback(frame, [(bytes([action]),) for action in actions], save_all=save),
            st.integers(0, 5),
            st.lists(st.integers(0, ACTIONS - 1), max_size=4),
            st.booleans(),
        ),
        st.builds(pr.Reset, st.integers(0, 3)),
    ),
    max_size=6,
)


@settings(deadline=None, max_examples=40)
@given(st.lists(_moves, max_size=4), _moves)
def test_a_failed_batch_over_every_sort_of_memory_changes_nothing(course: list[list[Any]], last: list[Any]) -> None:
    runtime = pr.Runtime(Tangle(), seed=1)
    runtime.batch([pr.Snapshot()])
    for operations in course:
        try:
            runtime.batch(operations)
        except pr.BatchError as error:
            assert isinstance(error.cause, pr.FrameNotHeld)
    state = whole(runtime)
    with pytest.raises(pr.BatchError):
        runtime.batch([*last, pr.Restore(77)])
    assert whole(runtime) == state


# -- how a runtime is made -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"seed": -1}, pr.OperationError),
        ({"seed": 1.5}, pr.OperationError),
        ({"max_steps": 0}, pr.SessionError),
        ({"max_steps": True}, pr.SessionError),
        ({"max_snapshots": 0}, pr.SessionError),
        ({"snapshots": "film"}, pr.SessionError),
        ({"players": 2}, pr.EnvironmentNotSupported),
    ],
)
def test_a_runtime_that_cannot_work_is_refused(wrong: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        pr.Runtime(Counter(), **wrong)


@pytest.mark.parametrize("operations", [None, 3, "step", b"", {"op": "step"}, pr.Snapshot(), iter([pr.Snapshot()])])
def test_a_batch_is_a_list(operations: Any) -> None:
    runtime = pr.Runtime(Counter())
    before = dump(runtime.simulation.root)
    with pytest.raises(pr.OperationError, match="list of operations"):
        runtime.batch(operations)
    assert dump(runtime.simulation.root) == before


def test_max_steps_is_the_end_of_the_episode() -> None:
    runtime = pr.Runtime(Counter(), max_steps=3)
    runtime.batch([pr.Step(act(1))] * 3)
    assert runtime.done and runtime.rows[-1]["truncated.player_0"] and not runtime.rows[-1]["terminated.player_0"]
