"""Laws of terms: equal terms do not differ, of others the first difference is named, and whatever a stranger sends is text."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyodide_runtime.terms import SHOWN, encode_terms, first_difference

OURS = {"experiment": "Soup", "packages": {"numpy": "2.2.5", "cogrid": "0.3.2"}, "seed": 7, "rate": 30.0}

_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
terms = st.dictionaries(st.text(max_size=3), _json, max_size=4)


@given(terms)
def test_equal_terms_do_not_differ(told: dict[str, Any]) -> None:
    assert first_difference(encode_terms(told), encode_terms(json.loads(json.dumps(told)))) is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 8}, "seed is 7 here and 8 there"),
        ({"seed": 8, "experiment": "Stew"}, 'experiment is "Soup" here and "Stew" there'),
        ({"packages": {"numpy": "2.2.5", "cogrid": "0.4"}}, 'packages.cogrid is "0.3.2" here and "0.4" there'),
        ({"packages": {"numpy": "2.2.5"}}, "packages.cogrid is among the terms here only"),
        ({"packages": {**OURS["packages"], "scipy": "1"}}, "packages.scipy is among the terms there only"),  # type: ignore[dict-item]
        ({"packages": []}, 'packages is {"numpy": "2.2.5", "cogrid": "0.3.2"} here and [] there'),
        ({"seed": 7.0}, "seed is 7 here and 7.0 there"),
        ({"seed": True}, "seed is 7 here and true there"),
        ({"more": 1}, "more is among the terms there only"),
    ],
)
def test_the_first_difference_is_named_in_the_order_of_ours(change: dict[str, Any], message: str) -> None:
    assert first_difference(encode_terms(OURS), encode_terms({**OURS, **change})) == message


def test_equal_terms_in_other_bytes_are_refused_too() -> None:
    theirs = json.dumps(dict(reversed(OURS.items()))).encode()
    assert first_difference(encode_terms(OURS), theirs) == "they are written in another way"


UNREADABLE = [b"", b"{", b"[]", b"null", b"7", b"\xff\xfe", b'{"a":' * 100_000, b'{"a":' + b"9" * 5000 + b"}"]


@pytest.mark.parametrize("theirs", UNREADABLE)
def test_what_cannot_be_read_is_said_to_be_so(theirs: bytes) -> None:
    assert first_difference(encode_terms(OURS), theirs) == "they cannot be read"


@given(st.one_of(st.binary(max_size=40), terms.map(encode_terms)))
def test_whatever_comes_the_answer_is_short_text(theirs: bytes) -> None:
    told = first_difference(encode_terms(OURS), theirs)
    assert told is not None and len(told.encode()) < 4 * SHOWN


def test_a_long_value_is_shown_by_its_beginning() -> None:
    told = first_difference(encode_terms({"a": 1}), encode_terms({"a": "x" * 10_000, "\ud800" * 500: 1}))
    assert told == f'a is 1 here and "{"x" * (SHOWN - 4)}... there'
