"""Laws of what a hidden page means, with the time given."""

from __future__ import annotations

import math

import pytest

from pyodide_runtime.errors import SessionError
from pyodide_runtime.playing.attention import Attention, WhenHidden


def test_only_pause_pauses_and_only_while_hidden() -> None:
    for when, limit in ((WhenHidden.PLAY, None), (WhenHidden.PAUSE, None), (WhenHidden.PAUSE, 500.0), (WhenHidden.END, 500.0)):
        attention = Attention(when, limit)
        told = [(attention.hidden, attention.paused)]
        for hidden, now in ((True, 10.0), (False, 20.0)):
            assert attention.hide(hidden, now)
            told.append((attention.hidden, attention.paused))
        assert told == [(False, False), (True, when is WhenHidden.PAUSE), (False, False)]


@pytest.mark.parametrize("when", [WhenHidden.PAUSE, WhenHidden.END])
def test_the_limit_counts_from_when_the_page_was_hidden_last(when: WhenHidden) -> None:
    attention = Attention(when, 1000.0)
    assert attention.overdue(1e9) is None, "it was never hidden"
    attention.hide(True, 0.0)
    assert attention.overdue(999.0) is None
    attention.hide(False, 999.0)
    attention.hide(True, 1500.0)
    assert attention.overdue(2499.0) is None
    assert attention.overdue(2500.0) == 1000.0 and attention.overdue(2600.0) == 1100.0


def test_the_same_news_twice_is_no_news_and_does_not_begin_anew() -> None:
    attention = Attention(WhenHidden.END, 1000.0)
    assert not attention.hide(False, 0.0)
    assert attention.hide(True, 100.0)
    assert not attention.hide(True, 900.0)
    assert attention.overdue(1100.0) == 1000.0


def test_without_a_limit_a_pause_may_last() -> None:
    attention = Attention(WhenHidden.PAUSE)
    attention.hide(True, 0.0)
    assert attention.overdue(1e12) is None


@pytest.mark.parametrize(
    ("when", "limit"),
    [
        (WhenHidden.END, None),
        (WhenHidden.PLAY, 1000.0),
        (WhenHidden.END, 0.0),
        (WhenHidden.PAUSE, math.inf),
        (WhenHidden.PAUSE, math.nan),
    ],
)
def test_a_policy_that_cannot_be_is_refused(when: WhenHidden, limit: float | None) -> None:
    with pytest.raises(SessionError, match="hidden_limit_ms"):
        Attention(when, limit)
