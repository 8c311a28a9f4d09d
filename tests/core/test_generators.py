"""Laws of random generators: after a restore they draw what they drew, however their state is read."""

from __future__ import annotations

import functools
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyodide_runtime.snapshots import generators
from pyodide_runtime.snapshots.canonical import digest
from pyodide_runtime.snapshots.graph import Checkpointer
from tests.core.graphs import Thing


class Dice(random.Random):
    """A generator with memory of its own."""

    rolled = 0

    def roll(self) -> int:
        self.rolled += 1
        return self.randrange(6)


NUMPY: dict[str, Callable[[int], Any]] = {
    kind.__name__: functools.partial(lambda kind, seed: np.random.Generator(kind(seed)), kind)
    for kind in (np.random.PCG64, np.random.PCG64DXSM, np.random.MT19937, np.random.Philox, np.random.SFC64)
}
MAKERS: dict[str, Callable[[int], Any]] = {"Random": random.Random, "Dice": Dice, "RandomState": np.random.RandomState, **NUMPY}

DRAWS: list[Callable[[Any], Any]] = [
    lambda generator: generator.random(),
    lambda generator: generator.gauss(0, 1) if isinstance(generator, random.Random) else generator.standard_normal(),
    lambda generator: generator.randrange(7) if isinstance(generator, random.Random) else _integers(generator)(7),
    lambda generator: generator.randbytes(5) if isinstance(generator, random.Random) else generator.bytes(5),
    lambda generator: generator.shuffle(list(range(5))),
    lambda generator: generator.roll() if isinstance(generator, Dice) else None,
    lambda generator: generator.integers(9, dtype=np.uint32) if isinstance(generator, np.random.Generator) else None,
    lambda generator: generator.spawn(1)[0].random() if isinstance(generator, np.random.Generator) else None,
    lambda generator: [generator.random() for _ in range(700)][-1],
]


def _integers(generator: Any) -> Callable[[int], Any]:
    found: Callable[[int], Any] = generator.integers if hasattr(generator, "integers") else generator.randint
    return found


@pytest.fixture(params=["memory", "methods"])
def reading(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """How the states of generators are read: where they lie in memory, or by the generators' own methods."""
    if request.param == "methods":
        monkeypatch.setattr(generators, "_random_is_readable", lambda: False)
        monkeypatch.setattr(generators, "_memory_reader", lambda kind: None)
    return str(request.param)


@pytest.mark.parametrize("name", MAKERS)
def test_after_a_restore_a_generator_draws_what_it_drew(name: str, reading: str) -> None:
    generator = MAKERS[name](3)
    holder = {"generator": generator}
    checkpointer = Checkpointer([holder])
    for draw in DRAWS:
        for later in DRAWS:
            draw(generator)
            checkpoint = checkpointer.save()
            drawn = [later(generator), later(generator), draw(generator)]
            checkpointer.save()
            checkpointer.restore(checkpoint)
            assert [later(generator), later(generator), draw(generator)] == drawn


@pytest.mark.parametrize("name", MAKERS)
@settings(deadline=None, max_examples=15)
@given(st.lists(st.integers(0, len(DRAWS) - 1), max_size=6), st.integers(0, len(DRAWS) - 1))
def test_the_digest_of_a_generator_is_that_of_its_twin_until_one_of_them_draws(name: str, course: list[int], more: int) -> None:
    one, two = MAKERS[name](7), MAKERS[name](7)
    for place in course:
        DRAWS[place](one)
        DRAWS[place](two)
    assert digest([one]) == digest([two])
    if DRAWS[more](one) is not None:
        assert digest([one]) != digest([two])


@pytest.mark.parametrize("name", MAKERS)
def test_the_digest_does_not_depend_on_how_the_state_is_read(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    generator = MAKERS[name](5)
    DRAWS[1](generator)
    from_memory = digest([generator])
    monkeypatch.setattr(generators, "_random_is_readable", lambda: False)
    monkeypatch.setattr(generators, "_memory_reader", lambda kind: None)
    assert digest([generator]) == from_memory


def test_the_states_of_the_common_generators_are_found_in_memory() -> None:
    """If this fails, snapshots still are right, but slow."""
    assert generators._random_is_readable()
    for kind in (np.random.PCG64, np.random.PCG64DXSM, np.random.MT19937):
        assert generators._memory_reader(kind) is not None


def test_a_generator_that_was_given_another_state_comes_back() -> None:
    generator, other = np.random.default_rng(1), np.random.default_rng(2)
    checkpointer = Checkpointer([[generator]])
    checkpoint = checkpointer.save()
    first = generator.random()
    generator.bit_generator.state = other.bit_generator.state
    checkpointer.save()
    checkpointer.restore(checkpoint)
    assert generator.random() == first
    python = random.Random(1)
    checkpointer = Checkpointer([[python]])
    checkpoint = checkpointer.save()
    value = python.random()
    python.seed(99)
    checkpointer.restore(checkpoint)
    assert python.random() == value


def test_generators_that_share_their_bits_go_on_sharing_them() -> None:
    bits = np.random.PCG64(1)
    one, two = np.random.Generator(bits), np.random.Generator(bits)
    checkpointer = Checkpointer([[one, two]])
    checkpoint = checkpointer.save()
    drawn = [one.random(), two.random(), one.random()]
    checkpointer.restore(checkpoint)
    assert [two.random(), one.random(), two.random()] == drawn
    assert digest([[one, two]]) != digest([[one, np.random.default_rng(1)]])


@pytest.mark.parametrize("made_anew", [False, True])
def test_half_a_pair_is_forgotten_by_going_to_where_it_was_used_up(made_anew: bool) -> None:
    """The bit generator is the same before and after the second half is drawn; also in what hangs at a place that is often filled
    anew."""
    root = Thing(state=Thing(generator=np.random.RandomState(0)))
    checkpointer = Checkpointer([root])
    for seed in range(4 if made_anew else 0):
        root.state = Thing(generator=np.random.RandomState(seed))
        checkpointer.save()
    generator = root.state.generator
    generator.normal()
    half = checkpointer.save()
    generator.normal()
    whole = checkpointer.save()
    following = generator.normal()
    for _ in range(2):
        checkpointer.restore(whole)
        checkpointer.restore(half)
        checkpointer.restore(whole)
        assert generator.normal() == following
