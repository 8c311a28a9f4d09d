"""What a rollback costs a page that asks for every operation by itself, with snapshots as JSON, beside one batch.

This is the worker's side. The page holds the JSON snapshots and sends one message for each restore, each step and each save; or
it sends one message with one batch. Both work on CartPole, on two environments that are in the same state in every frame. This
module knows no clock.
"""

from __future__ import annotations

import json
from typing import Any

from bench.inside.subjects import SEED, Subject, subject
from pyodide_runtime.batch import Runtime
from pyodide_runtime.operations import Reset, Snapshot, Step

__all__ = ["operate", "prepare"]

_sides: tuple[_Batches, _Messages] | None = None


def prepare(request: str) -> str:
    """Make both sides, with so many frames behind them.

    Args:
        request: JSON of `source` (CartPole), `depth` and `rounds`.

    Returns:
        JSON: `actions` of all frames that will be played, and the `snapshots` of the frames from 0 to `depth`.
    """
    global _sides
    values = json.loads(request)
    chosen = subject(values["source"], values["depth"] + values["rounds"])
    batches, messages = _Batches(chosen, values["depth"]), _Messages(chosen)
    snapshots = [messages.save()]
    for frame in range(values["depth"]):
        batches.advance(frame)
        messages.step(chosen.native[frame])
        snapshots.append(messages.save())
    _sides = batches, messages
    return json.dumps({"actions": chosen.native, "snapshots": snapshots})


def operate(text: str) -> str:
    """Do what one message asks; the answer's text.

    Raises:
        ValueError: the two sides are not in the same state.
    """
    assert _sides is not None
    batches, messages = _sides
    message = json.loads(text)
    kind = message["op"]
    if kind == "batch":
        return batches.run(message["operations"])
    if kind == "restore":
        messages.restore(message["snapshot"])
        return "{}"
    if kind == "step":
        return messages.step(message["action"])
    if kind == "save":
        return messages.save()
    assert kind == "advance"
    if batches.state() != messages.state():
        raise ValueError(f"after the rollback to frame {message['frame']} the two sides are in different states")
    batches.advance(message["frame"])
    messages.step(batches.chosen.native[message["frame"]])
    return messages.save()


class _Batches:
    """CartPole in the product's runtime."""

    def __init__(self, chosen: Subject, depth: int) -> None:
        self.chosen = chosen
        self._depth = depth
        self._runtime: Runtime = chosen.runtime()
        self._runtime.batch([Reset(SEED), Snapshot()])

    def run(self, operations: list[dict[str, Any]]) -> str:
        self._runtime.batch(operations, describe=False)
        return "{}"

    def advance(self, frame: int) -> None:
        runtime = self._runtime
        runtime.batch([Step(self.chosen.script[frame]), Snapshot()], describe=False)
        runtime.discard_before(runtime.frame - self._depth)

    def state(self) -> list[float]:
        return [float(number) for number in self._runtime.simulation.root.unwrapped.state]


class _Messages:
    """CartPole as a page would have it that asks for each operation: only what is known to change is saved."""

    def __init__(self, chosen: Subject) -> None:
        self._environment = chosen.bare()
        self._limit = self._environment
        while not hasattr(self._limit, "_elapsed_steps"):
            self._limit = self._limit.env

    def state(self) -> list[float]:
        return [float(number) for number in self._environment.unwrapped.state]

    def step(self, action: int) -> str:
        observation, reward, terminated, truncated, _ = self._environment.step(action)
        told = [observation.tolist(), float(reward), bool(terminated), bool(truncated)]
        return json.dumps(told)

    def save(self) -> str:
        inner = self._environment.unwrapped
        return json.dumps(
            {
                "state": self.state(),
                "beyond": inner.steps_beyond_terminated,
                "elapsed": self._limit._elapsed_steps,
                "generator": inner.np_random.bit_generator.state,
            }
        )

    def restore(self, snapshot: str) -> None:
        told, inner = json.loads(snapshot), self._environment.unwrapped
        inner.state = tuple(told["state"])
        inner.steps_beyond_terminated = told["beyond"]
        self._limit._elapsed_steps = told["elapsed"]
        inner.np_random.bit_generator.state = told["generator"]
