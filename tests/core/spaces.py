"""Gymnasium action spaces of every common sort, nested at random, and their actions, for hypothesis."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from hypothesis import strategies as st

_FLOATS = st.sampled_from(["float32", "float64", "float16"])
_INTEGERS = st.sampled_from(["int8", "uint8", "int32", "int64", "uint16"])
_SHAPES = st.sampled_from([(), (1,), (3,), (2, 2), (0,)])


@st.composite
def _boxes(draw: st.DrawFn) -> spaces.Box:
    shape = draw(_SHAPES)
    if draw(st.booleans()):
        dtype: Any = draw(_FLOATS)
        low, high = sorted(draw(st.tuples(*[st.floats(-100, 100, width=16).map(lambda value: value + 0.0)] * 2)))
        low, high = draw(st.sampled_from([(low, high), (-np.inf, np.inf), (low, np.inf), (-1.0, 0.0), (0.0, 0.0)]))
    else:
        dtype = draw(_INTEGERS)
        ends = np.iinfo(dtype)
        # Gymnasium draws below high + 1, which must be a number of that type, too.
        low, high = sorted(draw(st.tuples(*[st.integers(int(ends.min), int(ends.max) - 1)] * 2)))
    return spaces.Box(low, high, shape, dtype)


_DISCRETE = st.builds(
    lambda n, start: spaces.Discrete(n, start=start), st.sampled_from([1, 2, 5, 255, 256, 257, 70_000]), st.integers(-300, 300)
)
_MULTI_DISCRETE = st.one_of(
    st.lists(st.integers(1, 300), min_size=1, max_size=4).map(spaces.MultiDiscrete),
    st.just(spaces.MultiDiscrete(np.array([[2, 300], [70_000, 1]]), start=np.array([[-1, 5], [0, 9]]))),
)
_MULTI_BINARY = st.one_of(st.integers(1, 17), st.sampled_from([(2, 3), (3, 3)])).map(spaces.MultiBinary)
flat_spaces: st.SearchStrategy[Any] = st.one_of(_DISCRETE, _MULTI_DISCRETE, _MULTI_BINARY, _boxes())
any_spaces: st.SearchStrategy[Any] = st.recursive(
    flat_spaces,
    lambda inner: st.one_of(
        st.lists(inner, min_size=0, max_size=3).map(spaces.Tuple),
        st.dictionaries(st.sampled_from(["b", "a", "c"]), inner, min_size=1, max_size=3).map(spaces.Dict),
    ),
    max_leaves=4,
)


def action_of(space: Any, seed: int) -> Any:
    """An action of the space."""
    space.seed(seed)
    return space.sample()


def same_action(one: Any, two: Any) -> bool:
    """Whether two actions are equal, in type and shape too where they are arrays."""
    if isinstance(one, dict):
        return set(one) == set(two) and all(same_action(one[key], two[key]) for key in one)
    if isinstance(one, tuple):
        return len(one) == len(two) and all(map(same_action, one, two))
    if isinstance(one, np.ndarray):
        return bool(one.dtype == two.dtype and one.shape == two.shape and np.array_equal(one, two))
    return bool(one == two)


def in_other_words(action: Any) -> Any:
    """An equal action made of other types: lists for arrays, whole numbers of Python for NumPy's and the other way round."""
    if isinstance(action, dict):
        return {key: in_other_words(action[key]) for key in reversed(list(action))}
    if isinstance(action, tuple):
        return [in_other_words(part) for part in action]
    if isinstance(action, np.ndarray):
        return action.tolist() if action.size else action.copy()
    return np.int64(action) if type(action) is int else int(action)
