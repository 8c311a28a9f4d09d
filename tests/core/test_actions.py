"""Laws of action bytes: an action and its bytes stand for each other, one to one; everything else is refused by name."""

from __future__ import annotations

import json
import random
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st

import pyodide_runtime as pr
from pyodide_runtime.actions import OptionalCodec, action_text, codec_for
from tests.core.spaces import action_of, any_spaces, in_other_words, same_action

LAW = settings(deadline=None, max_examples=120)

junk: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=3),
        st.binary(max_size=3),
        st.just(np.array([])),
        st.builds(object),
        st.just(int),
        st.complex_numbers(),
        st.just(np.array(["x"])),
        st.just(10**400),
        st.just(np.float64("nan")),
        st.builds(set),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.sampled_from("abc"), inner, max_size=3), st.tuples(inner)
    ),
    max_leaves=6,
)


@LAW
@given(any_spaces, st.integers(0, 1000))
def test_an_action_comes_back_from_its_bytes(space: Any, seed: int) -> None:
    codec, action = codec_for(space), action_of(space, seed)
    data = codec.encode(action)
    assert type(data) is bytes and len(data) == codec.size
    again = codec.decode(data)
    assert same_action(action, again)
    assert space.contains(again)


@LAW
@given(any_spaces, st.integers(0, 1000))
def test_drawn_and_neutral_actions_lie_in_the_space_and_equal_sources_draw_alike(space: Any, seed: int) -> None:
    codec, one, two = codec_for(space), random.Random(seed), random.Random(seed)
    drawn = [codec.draw(one) for _ in range(5)]
    assert all(space.contains(action) for action in [codec.neutral(), *drawn])
    assert [codec.encode(action) for action in drawn] == [codec.encode(codec.draw(two)) for _ in range(5)]


@pytest.mark.parametrize(
    "space, neutral",
    [
        (spaces.Discrete(5), 0),
        (spaces.Discrete(5, start=-2), 0),
        (spaces.Discrete(5, start=3), 3),
        (spaces.Discrete(5, start=-9), -5),
        (spaces.MultiBinary(3), [0, 0, 0]),
        (spaces.MultiDiscrete([4, 2], start=[-1, 6]), [0, 6]),
        (spaces.Box(-1.0, 1.0, (2,)), [0.0, 0.0]),
        (spaces.Box(np.array([0.5, -3.0]), np.array([1.0, -2.0]), dtype=np.float64), [0.5, -2.0]),
    ],
)
def test_the_neutral_action_is_what_comes_nearest_to_zero(space: Any, neutral: Any) -> None:
    assert np.array_equal(codec_for(space).neutral(), neutral)


def test_a_player_of_turns_draws_both_actions_and_none() -> None:
    codec, source = OptionalCodec(codec_for(spaces.Discrete(3))), random.Random(1)
    assert codec.neutral() is None
    assert {codec.draw(source) for _ in range(60)} == {None, 0, 1, 2}


def test_draws_reach_all_of_a_small_space_and_much_of_a_large_one() -> None:
    source = random.Random(1)
    box = codec_for(spaces.Box(-1.0, 1.0, (1,)))
    values = [float(box.draw(source)[0]) for _ in range(200)]
    assert min(values) < -0.9 and max(values) > 0.9
    assert {codec_for(spaces.Discrete(6, start=-3)).draw(source) for _ in range(100)} == set(range(-3, 3))


@LAW
@given(any_spaces, st.integers(0, 1000))
def test_equal_actions_have_equal_bytes_and_equal_texts(space: Any, seed: int) -> None:
    codec, action = codec_for(space), action_of(space, seed)
    other = in_other_words(action)
    assert codec.encode(other) == codec.encode(action)
    assert action_text(codec.decode(codec.encode(other))) == action_text(action)


@LAW
@given(any_spaces, st.data())
def test_bytes_are_of_one_action_or_of_none(space: Any, data: st.DataObject) -> None:
    codec = codec_for(space)
    given_bytes = data.draw(st.binary(min_size=codec.size, max_size=codec.size))
    try:
        action = codec.decode(given_bytes)
    except pr.ActionError:
        return
    assert codec.encode(action) == given_bytes
    assert space.contains(action)


@LAW
@given(any_spaces, st.binary(max_size=40))
def test_bytes_of_another_length_are_refused(space: Any, data: bytes) -> None:
    codec = codec_for(space)
    if len(data) != codec.size:
        with pytest.raises(pr.ActionError):
            codec.decode(data)


@LAW
@given(any_spaces, junk)
def test_whatever_is_given_as_an_action_is_encoded_or_refused(space: Any, thing: Any) -> None:
    codec = codec_for(space)
    try:
        data = codec.encode(thing)
    except pr.ActionError:
        return
    assert len(data) == codec.size
    assert codec.encode(codec.decode(data)) == data


@LAW
@given(any_spaces, junk)
def test_whatever_is_given_as_an_action_is_encoded_just_if_its_twin_is(space: Any, thing: Any) -> None:
    optional, plain = OptionalCodec(codec_for(space)), codec_for(space)
    try:
        data = plain.encode(thing)
    except pr.ActionError:
        if thing is not None:
            with pytest.raises(pr.ActionError):
                optional.encode(thing)
        return
    assert optional.encode(thing) == b"\1" + data


@LAW
@given(any_spaces, st.integers(0, 1000))
def test_the_text_of_an_action_is_json_that_says_it_exactly(space: Any, seed: int) -> None:
    action = action_of(space, seed)
    text = action_text(action)
    assert " " not in text
    value = json.loads(text)
    codec = codec_for(space)
    assert codec.encode(value) == codec.encode(action)


def test_no_action_at_all_is_an_action_of_its_own() -> None:
    codec = OptionalCodec(codec_for(spaces.Discrete(3)))
    assert codec.size == 2
    assert codec.encode(None) == b"\0\0"
    assert codec.decode(b"\0\0") is None
    assert codec.decode(codec.encode(0)) == 0
    for wrong in (b"\0\1", b"\2\0", b"\1\3", b"\0", b""):
        with pytest.raises(pr.ActionError):
            codec.decode(wrong)


@pytest.mark.parametrize(
    ("space", "wrong"),
    [
        (spaces.Discrete(3), 3),
        (spaces.Discrete(3), -1),
        (spaces.Discrete(3, start=5), 0),
        (spaces.Discrete(3), 1.0),
        (spaces.Discrete(3), "1"),
        (spaces.Discrete(3), None),
        (spaces.Discrete(3), np.array([1])),
        (spaces.MultiDiscrete([2, 3]), [2, 0]),
        (spaces.MultiDiscrete([2, 3]), [1]),
        (spaces.MultiDiscrete([2, 3]), [[1, 1]]),
        (spaces.MultiBinary(3), [0, 1, 2]),
        (spaces.MultiBinary(3), [0, 1]),
        (spaces.Box(-1, 1, (2,)), [0.0, 1.5]),
        (spaces.Box(-1, 1, (2,)), [0.0, float("nan")]),
        (spaces.Box(-1, 1, (2,)), [0.0]),
        (spaces.Box(0, 255, (1,), np.uint8), [256]),
        (spaces.Box(0, 255, (1,), np.uint8), [0.5]),
        (spaces.Box(-np.inf, np.inf, (1,)), [1j]),
        (spaces.Tuple([spaces.Discrete(2)]), (0, 0)),
        (spaces.Dict(a=spaces.Discrete(2)), {}),
        (spaces.Dict(a=spaces.Discrete(2)), {"a": 0, "b": 0}),
    ],
)
def test_an_action_outside_its_space_is_refused(space: Any, wrong: Any) -> None:
    with pytest.raises(pr.ActionError):
        codec_for(space).encode(wrong)


@pytest.mark.parametrize(
    "space",
    [spaces.Text(3), spaces.Sequence(spaces.Discrete(2)), spaces.Dict(a=spaces.Text(3)), object()],
    ids=lambda space: type(space).__name__,
)
def test_a_space_whose_actions_have_no_fixed_length_is_refused(space: Any) -> None:
    with pytest.raises(pr.ActionError, match="fixed length"):
        codec_for(space)


def test_minus_zero_is_sent_as_zero_and_not_received() -> None:
    codec = codec_for(spaces.Box(-1, 1, (1,), np.float64))
    minus = np.array([-0.0])
    assert codec.encode(minus) == codec.encode([0.0]) == bytes(8)
    with pytest.raises(pr.ActionError):
        codec.decode(minus.tobytes())


def test_bytes_do_not_depend_on_how_an_array_lies_in_memory() -> None:
    codec = codec_for(spaces.Box(0, 9, (2, 3), np.int32))
    array = np.arange(6, dtype=np.int32).reshape(2, 3)
    assert codec.encode(np.asfortranarray(array)) == codec.encode(array) == codec.encode(array.astype(">i4")) == array.tobytes()
