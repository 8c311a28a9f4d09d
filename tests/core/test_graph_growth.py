"""Laws of a graph whose places are often filled anew: nothing is lost, and nothing forgotten is kept for ever."""

from __future__ import annotations

import gc
import io
import weakref
from typing import Any

from pyodide_runtime.snapshots.graph import Checkpointer
from tests.core.dumper import dump
from tests.core.graphs import Thing


def test_what_is_renamed_within_a_mapping_whose_content_is_often_replaced_is_not_lost() -> None:
    root: Any = Thing(map={})
    checkpointer = Checkpointer([root])
    for turn in range(5):
        root.map["hot"] = Thing(turn=turn, more=[turn])
        checkpointer.save()
    moved: Any = root.map["hot"]
    root.map["other"] = root.map.pop("hot")
    checkpoint = checkpointer.save()
    moved.turn, moved.later = -1, []
    moved.more.append("x")
    checkpointer.save()
    checkpointer.restore(checkpoint)
    assert vars(moved) == {"turn": 4, "more": [4]}


def test_what_comes_back_as_a_copy_comes_back_any_number_of_times_from_before_the_graph_had_grown() -> None:
    text = io.StringIO("start")
    root: Any = Thing(text=text, shelf=[text, 0], map={"text": text})
    checkpointer = Checkpointer([root])
    old, before = checkpointer.save(), dump(root)
    checkpointer.restore(old)
    checkpointer.save()  # the copies stand where the others stood
    root.new = [1]
    checkpointer.save()
    for turn in range(4):
        checkpointer.restore(old)
        assert dump(root) == before
        assert root.shelf[0] is root.map["text"] is root.text
        root.text.write("more")
        root.shelf[0] = None
        if turn % 2:
            checkpointer.save()


def test_what_the_graph_has_forgotten_is_let_go_in_time() -> None:
    """Shots in a game: a new key with something new in it at every step, and gone a few steps later."""
    root: Any = Thing(shots={}, at={})
    checkpointer, alive = Checkpointer([root]), weakref.WeakSet[Thing]()
    for turn in range(600):
        shot = Thing(turn=turn, trail=[turn])
        alive.add(shot)
        root.shots[turn] = shot
        root.at[turn, turn + 1] = [shot]
        if turn >= 5:
            del root.shots[turn - 5], root.at[turn - 5, turn - 4]
        del shot
        checkpoint = checkpointer.save()
    gc.collect()
    assert len(alive) < 150
    before = dump(root)
    root.shots[599].trail.append(1)
    root.shots.clear()
    checkpointer.save()
    checkpointer.restore(checkpoint)
    assert dump(root) == before


def test_what_stays_in_a_list_that_is_rebuilt_in_every_frame_is_watched_in_time() -> None:
    """Coins on a floor: the list is new in every frame, the coins are the same, but for one now and then."""
    root: Any = Thing(coins=[Thing(life=[10]) for _ in range(5)])
    checkpointer = Checkpointer([root])
    saves = []
    for turn in range(43):
        root.coins = [coin for coin in root.coins if coin.life[0]]
        root.coins[turn % len(root.coins)].life[0] += 1
        if turn % 9 == 0:
            root.coins = [*root.coins[1:], Thing(life=[turn + 1])]
        saves.append((checkpointer.save(), dump(root)))
    (branch,) = saves[-1][0].branches.values()
    assert [item.obj for item, _ in branch.pairs()] == [root.coins]
    for checkpoint, before in [*saves[::-1], *saves[::3]]:
        checkpointer.restore(checkpoint)
        assert dump(root) == before
        root.coins = [Thing(life=[1])]
        checkpointer.save()
