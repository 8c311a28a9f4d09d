"""Laws of pages that come late, go, come back, watch, or have several players: as the participant sees and tells them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from pyodide_runtime.errors import ExperimentError, SessionError
from tests.host.studies import FILES, Network, Page, event, participant, play, start

GOING_ON = 'on_drop="default", disconnect_after_ms=600, spectators=2,'
"""Settings of a match that goes on without a player."""


def with_settings(settings: str, agents: str = '["left", "right"]') -> dict[str, str]:
    """The study with more settings, in one long episode, and with other players."""
    study = FILES["study.py"].replace("max_steps=24, episodes=2,", f"max_steps=160, episodes=1, {settings}")
    world = FILES["parts/world.py"].replace('["left", "right"]', agents)
    look = FILES["parts/look.py"].replace('.get("left") == 13', '.get("left") == -1')
    return {**FILES, "study.py": study, "parts/world.py": world, "parts/look.py": look}


@pytest.fixture
def open_page(folder: Path) -> Iterator[Any]:
    """Opens a page in some place of a match."""

    def make(files: Mapping[str, str], place: int, **told: Any) -> Page:
        page = Page(participant(folder, files))
        page.participant.start(start(place, **told))
        return page

    yield make


def is_over(*pages: Page) -> bool:
    return all({"finished", "failed"} & set(page.phases) for page in pages)


def at_frame(page: Page, frame: int) -> bool:
    return page.stats.get("frame", 0) >= frame


def absent(page: Page, player: str) -> list[bool]:
    return [dict(row["cells"])[f"absent.{player}"] == "true" for row in page.lines("rows")]


def news_of(page: Page, index: int) -> list[str]:
    """What a page was told of another one, each thing once in a row."""
    told = [next(one["state"] for one in e["peers"] if one["peer"] == index) for e in page.events if e["type"] == "peers"]
    return [state for state, before in zip(told, [None, *told], strict=False) if state != before]


def shares(page: Page) -> list[float | None]:
    return [told["share"] for told in page.events if told["type"] == "catching_up"]


# -- a page that is loaded again -----------------------------------------------------------------------------------------


def test_a_page_that_is_loaded_again_catches_up_and_says_how_far_it_is(open_page: Any) -> None:
    files = with_settings(GOING_ON)
    network = Network({place: open_page(files, place) for place in (0, 1)})
    stays, goes = network.pages[0], network.pages.pop(1)
    network.pages[1] = goes
    network.run(lambda: at_frame(stays, 40))
    goes.inbox.append(event({"type": "leave"}))
    goes.tick(network.now)
    del network.pages[1]
    stays.inbox.append(event({"type": "link", "peer": 1, "state": "closed"}))
    network.run(lambda: at_frame(stays, 90))
    back = network.pages[1] = open_page(files, 1, incarnation=1)
    assert back.participant.incarnation == 1
    network.run(lambda: is_over(stays, back))
    assert [page.phases[-1] for page in (stays, back)] == ["finished", "finished"]
    assert stays.csv == back.csv and stays.csv.startswith(goes.csv)
    flags = absent(back, "right")
    assert flags == absent(stays, "right") and not any(absent(stays, "left"))
    assert flags.index(True) >= 30 and not flags[-1] and sum(flags) >= 40
    assert news_of(stays, 1) == ["absent", "returning", "here"]
    told = shares(back)
    assert told[-1] is None and told.index(None) == len(told) - 1 and len(told) > 2
    parts = [share for share in told if share is not None]
    assert all(0 <= share <= 1 for share in parts) and parts == sorted(parts)
    assert shares(stays) == []


@pytest.mark.parametrize("on_drop", ["pause", "default", "end"])
def test_with_the_news_of_the_others_a_page_is_told_what_the_match_does(open_page: Any, on_drop: str) -> None:
    files = with_settings(f'on_drop="{on_drop}", disconnect_after_ms=3000, return_within_ms=1000,')
    network = Network({place: open_page(files, place) for place in (0, 1)})
    one = network.pages[0]
    network.run(lambda: at_frame(one, 20))
    network.away = {1}
    network.run(lambda: "silent" in news_of(one, 1))
    network.away = set()
    network.run(lambda: news_of(one, 1)[-1] == "here")
    assert {told["on_drop"] for told in one.events if told["type"] == "peers"} == {on_drop}


# -- a page that is given up by mistake ----------------------------------------------------------------------------------


def test_a_page_without_which_the_others_went_on_is_told_to_load_again_once(open_page: Any) -> None:
    files = with_settings(GOING_ON, '["left", "middle", "right"]')
    files["study.py"] = files["study.py"].replace("players=2", "players=3")
    network = Network({place: open_page(files, place, pages=3) for place in (0, 1, 2)})
    one, two, cut_off = network.pages.values()
    network.run(lambda: at_frame(one, 30))
    network.away = {2}
    network.run(lambda: news_of(one, 2)[-1:] == ["absent"] and at_frame(one, 70))
    assert not is_over(cut_off), "who cannot know whether it is the one that is cut off waits"
    network.away = set()
    network.run(lambda: any(told["type"] == "rejoin" for told in cut_off.events))
    network.run(lambda: is_over(cut_off) and "outcome" in cut_off.files)
    assert [told["type"] for told in cut_off.events].count("rejoin") == 1
    kinds = [told["type"] for told in cut_off.events]
    assert kinds.index("rejoin") < len(kinds) - 1 - kinds[::-1].index("phase"), "before it is called failed"
    assert cut_off.lines("outcome")[-1]["outcome"] == "dropped"
    back = network.pages[2] = open_page(files, 2, pages=3, incarnation=1)
    network.run(lambda: is_over(one, two, back))
    assert one.csv == two.csv == back.csv and one.csv.startswith(cut_off.csv)
    assert absent(back, "right")[-1] is False and any(absent(back, "right"))


# -- spectators ----------------------------------------------------------------------------------------------------------


def test_who_watches_sees_the_match_to_its_end_and_leaves_no_trace(open_page: Any) -> None:
    files = with_settings('on_drop="end", spectators=2,')
    alone = [open_page(files, place) for place in (0, 1)]
    play(alone)
    network = Network({place: open_page(files, place) for place in (0, 1, 2)})
    one, two, early = network.pages.values()
    network.run(lambda: at_frame(one, 60))
    late = network.pages[3] = open_page(files, 3)
    network.run(lambda: is_over(one, two, early, late))
    assert {page.phases[-1] for page in network.pages.values()} == {"finished"}
    assert one.csv == two.csv
    actions = [{dict(row["cells"])["frame"] for row in page.lines("rows")} for page in (one, *alone)]
    assert actions[0] == actions[1] == actions[2]
    for watcher in (early, late):
        assert watcher.files == {}, "nothing of it is kept"
        assert watcher.stats["confirmedFrame"] == one.stats["confirmedFrame"] == 159
        assert len(watcher.views) > 10
    assert shares(early) == [] and shares(late)[-1] is None


def test_a_place_beyond_the_spectators_is_none(folder: Path) -> None:
    made = participant(folder, with_settings("spectators=1,"))
    with pytest.raises(SessionError, match="index=3"):
        made.start(start(3))
    made.start(start(2))
    with pytest.raises(SessionError, match="begun already"):
        made.start(start(2))


# -- several players at one page -----------------------------------------------------------------------------------------

PAIRS = 'players_per_page=2, keys=[{"ArrowUp": 1, " ": 2}, {"w": 1, "s": 2}],'


@pytest.fixture
def pairs() -> dict[str, str]:
    """Four players, two at each page."""
    files = with_settings(PAIRS, '["a", "b", "c", "d"]')
    study = files["study.py"].replace("players=2", "players=4").replace('keys={"ArrowUp": 1, " ": 2}, ', "")
    return {**files, "study.py": study}


def test_the_keys_of_each_player_at_a_page_reach_that_player(open_page: Any, pairs: dict[str, str]) -> None:
    network = Network({place: open_page(pairs, place) for place in (0, 1)}, keys=False)
    one, two = network.pages.values()
    assert one.participant.about()["keys"] == [" ", "ArrowUp", "s", "w"]
    network.run(lambda: at_frame(one, 20))
    one.inbox += [event({"type": "key", "key": "w", "down": True}), event({"type": "key", "key": " ", "down": True})]
    two.inbox.append(event({"type": "key", "key": "s", "down": True}))
    network.run(lambda: is_over(one, two))
    assert one.csv == two.csv
    rows = [dict(row["cells"]) for row in one.lines("rows")]
    assert {name: {row[f"action.{name}"] for row in rows[30:]} for name in "abcd"} == {
        "a": {"2"}, "b": {"1"}, "c": {"0"}, "d": {"2"},
    }  # fmt: skip


def test_all_players_at_a_page_lose_the_focus_together(open_page: Any, pairs: dict[str, str]) -> None:
    network = Network({place: open_page(pairs, place) for place in (0, 1)}, keys=False)
    one, two = network.pages.values()
    two.inbox.append(event({"type": "focus", "focused": False}))
    network.run(lambda: is_over(one, two))
    rows = [dict(row["cells"]) for row in one.lines("rows")]
    focused = {name: {row[f"focused.{name}"] for row in rows[20:]} for name in "abcd"}
    assert focused == {"a": {"true"}, "b": {"true"}, "c": {"false"}, "d": {"false"}}


def test_a_match_of_pairs_has_as_many_places_as_pages(folder: Path, pairs: dict[str, str]) -> None:
    made = participant(folder, pairs)
    with pytest.raises(SessionError, match="places"):
        made.start(start(0, pages=4))
    with pytest.raises(SessionError, match="index=2"):
        made.start(start(2))


def test_an_action_that_one_of_the_players_cannot_take_is_refused_by_its_key(folder: Path, pairs: dict[str, str]) -> None:
    wrong = {**pairs, "study.py": pairs["study.py"].replace('"s": 2', '"s": 3')}
    with pytest.raises(ExperimentError, match="keys\\['s'\\]=3 is no action of player"):
        participant(folder, wrong)
