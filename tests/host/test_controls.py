"""Laws of keys: chords before their keys, the latest of equals, no tap lost, and nothing held without the focus."""

from __future__ import annotations

from pyodide_runtime.controls import Controls

KEYS = {"ArrowUp": 1, "ArrowRight": 2, "ArrowUp+ArrowRight": 3, " ": 4, "w": 1, "Q": 5, "+": 6}


def pressed(*keys: str) -> Controls:
    controls = Controls(KEYS, 0)
    for key in keys:
        controls.press(key, True)
    return controls


def test_without_a_key_the_default_is_meant() -> None:
    assert Controls(KEYS, 0).sample() == 0
    assert Controls({}, [0.5, 0]).sample() == [0.5, 0]


def test_a_key_that_is_held_counts_in_every_frame_until_it_is_released() -> None:
    controls = pressed("ArrowUp")
    assert [controls.sample() for _ in range(3)] == [1, 1, 1]
    controls.press("ArrowUp", False)
    assert controls.sample() == 0


def test_a_tap_between_two_frames_counts_for_one() -> None:
    controls = pressed(" ")
    controls.press(" ", False)
    assert [controls.sample(), controls.sample()] == [4, 0]


def test_a_chord_counts_before_its_keys_in_whatever_order_they_were_pressed() -> None:
    assert pressed("ArrowUp", "ArrowRight").sample() == 3
    assert pressed("ArrowRight", "ArrowUp").sample() == 3
    controls = pressed("ArrowRight", "ArrowUp", " ")
    assert controls.sample() == 3, "a chord counts before a key that was pressed later"


def test_of_equals_the_last_one_pressed_counts() -> None:
    assert pressed("ArrowUp", " ").sample() == 4
    assert pressed(" ", "ArrowUp").sample() == 1
    controls = pressed(" ", "ArrowUp")
    controls.press("ArrowUp", False)
    controls.sample()
    assert controls.sample() == 4, "the other one is held still"


def test_repeats_of_a_key_that_is_down_change_nothing() -> None:
    controls = pressed("ArrowUp", " ")
    controls.press("ArrowUp", True)
    assert controls.sample() == 4


def test_keys_that_mean_nothing_do_nothing() -> None:
    controls = pressed("F5", "", "x", "ArrowDown")
    assert controls.sample() == 0
    controls.press("never pressed", False)
    assert controls.sample() == 0


def test_without_the_focus_no_key_is_down_and_none_comes_back_with_it() -> None:
    controls = pressed("ArrowUp")
    controls.focus(False)
    assert (controls.sample(), controls.focused) == (0, False)
    controls.focus(True)
    assert (controls.sample(), controls.focused) == (0, True)
    controls.press("ArrowUp", True)
    assert controls.sample() == 1


def test_a_letter_is_the_same_key_with_shift_and_without() -> None:
    assert pressed("W").sample() == 1
    assert pressed("q").sample() == 5
    controls = pressed("w")
    controls.press("W", False)  # shift went down in between
    controls.sample()
    assert controls.sample() == 0


def test_where_both_cases_are_keys_they_are_two_keys() -> None:
    controls = Controls({"a": 1, "A": 2}, 0)
    controls.press("A", True)
    assert controls.sample() == 2


def test_the_keys_are_told_once_each_and_sorted() -> None:
    assert Controls(KEYS, 0).keys == [" ", "+", "ArrowRight", "ArrowUp", "Q", "w"]
    assert Controls({"ArrowUp+ ": 1, "ArrowUp++": 2}, 0).keys == [" ", "+", "ArrowUp"]
