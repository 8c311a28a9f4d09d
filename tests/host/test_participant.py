"""Laws of a participant: records in, records out; both end with equal data; what is malformed is refused and changes nothing."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from pyodide_runtime.errors import ExperimentError, SessionError, WireError
from pyodide_runtime.participant import IDLE_MS, LINGER_MS, STATS, Participant
from pyodide_runtime.records import Kind
from tests.host.studies import FILES, Outbox, Page, event, packet, participant, play, refused, start


@pytest.fixture
def pages(folder: Path) -> list[Page]:
    """Two players of one match, before its first tick."""
    made = [Page(participant(folder)) for _ in range(2)]
    for place, page in enumerate(made):
        page.participant.start(start(place))
    return made


def alter(name: str, old: str, new: str) -> dict[str, str]:
    assert old in FILES[name]
    return {**FILES, name: FILES[name].replace(old, new)}


# -- a whole match -------------------------------------------------------------------------------------------------------


def test_both_finish_with_equal_rows_and_the_same_record(pages: list[Page]) -> None:
    play(pages)
    assert [page.phases for page in pages] == [["playing", "finished"]] * 2
    assert pages[0].csv == pages[1].csv and pages[0].csv.count(b"\n") == 1 + 2 * 24
    assert pages[0].stats["rollbacks"] > 0 and pages[0].stats["distinctActions"] > 1
    for page in pages:
        (outcome,) = page.lines("outcome")
        assert outcome["outcome"] == "completed"
    one, two = (page.lines("record") for page in pages)
    assert [page["player"] for page in (one[0], two[0])] == ["left", "right"]
    assert one[0]["player_ids"] == two[0]["player_ids"] == ["person 0", "person 1"]
    assert [line for line in one if "end" in line] == [line for line in two if "end" in line]


def test_drawing_leaves_no_trace_even_when_it_fails(pages: list[Page]) -> None:
    """The picture of thirteen fails after it has touched the environment; no reward may know of it."""
    play(pages)
    table = [dict(row["cells"]) for row in pages[0].lines("rows")]
    assert {row["reward.left"] for row in table} == {"1.0"}
    assert any(row["info.left.place"] == "13" for row in table), "no picture failed: this run shows nothing"
    told = [one["text"] for one in pages[0].events if one["type"] == "log"]
    assert told == ["draw raised LookupError: no picture of thirteen"], "the same failure is told once"


def test_every_player_sees_the_picture_that_is_drawn_for_it(pages: list[Page]) -> None:
    play(pages)
    for page, name in zip(pages, ("left", "right"), strict=True):
        scenes = [json.loads(view[1:]) for view in page.views]
        assert len(scenes) > 24 and {scene["looks"] for scene in scenes} == {name}


def test_a_chunk_that_was_not_stored_is_sent_again_and_the_end_waits_for_it(pages: list[Page]) -> None:
    pages[0].loses = {1, 2, 5}
    play(pages)
    assert not pages[0].loses and pages[0].phases[-1] == "finished"
    assert pages[0].csv == pages[1].csv
    assert [row["frame"] for row in pages[0].lines("rows")] == [*range(24), *range(24)]
    assert "a chunk was not stored and is sent again: lost" in [told.get("text") for told in pages[0].events]


def test_who_leaves_sends_what_it_has_and_the_other_is_told(pages: list[Page]) -> None:
    pages[0].inbox.append(event({"type": "leave"}))
    play(pages)
    assert [page.phases[-1] for page in pages] == ["failed", "failed"]
    assert [page.lines("outcome")[-1]["outcome"] for page in pages] == ["left", "peer_left"]
    told = next(one for one in pages[1].events if one.get("phase") == "failed")
    assert told["outcome"] == "peer_left" and "certified through episode 0" in told["error"]


def test_what_a_desync_was_found_to_be_is_uploaded_and_told_to_the_page(folder: Path) -> None:
    reads = "        import time\n        self.read_at = time.perf_counter_ns()\n"
    files = alter("parts/world.py", "        no = dict", f"{reads}        no = dict")
    pages = [Page(participant(folder, files)) for _ in range(2)]
    for place, page in enumerate(pages):
        page.participant.start(start(place))
    play(pages)
    reports = []
    for page in pages:
        (outcome,) = page.lines("outcome")
        reports.append(outcome["desync"])
        assert page.lines("record")[-1] == {"outcome": outcome}
        assert page.lines("diagnostics")[-1] == {"event": "desync", **outcome["desync"]}
        told = next(one for one in page.events if one.get("phase") == "failed")
        assert told["outcome"] == "desync" and "frame 0: environment.read_at is" in told["error"]
        assert "the environment is not deterministic" in told["error"]
    assert reports[0] == reports[1]
    assert (reports[0]["frame"], reports[0]["path"], reports[0]["unfinished"]) == (0, "environment.read_at", "")
    assert list(reports[0]["values"]) == ["left", "right"]


def test_a_closed_link_ends_the_match_and_links_of_strangers_do_not(pages: list[Page]) -> None:
    for peer in (0, 2, 255):
        pages[0].inbox.append(event({"type": "link", "peer": peer, "state": "closed"}))
    pages[0].inbox.append(event({"type": "link", "peer": 1, "state": "open"}))
    assert pages[0].tick(0.0).events == []
    pages[0].inbox.append(event({"type": "link", "peer": 1, "state": "closed", "error": "gone"}))
    (told,) = pages[0].tick(10.0).events
    assert (told["phase"], told["outcome"]) == ("failed", "peer_left")


def test_the_way_of_a_link_is_noted_as_it_changes_and_matters_to_nobody_else(pages: list[Page]) -> None:
    for now, state in ((5.0, "direct"), (6.0, "direct"), (7.25, "relay"), (9.0, "direct")):
        pages[0].inbox.append(event({"type": "link", "peer": 1, "state": state}))
        pages[0].tick(now)
    play(pages)
    noted = [line for line in pages[0].lines("diagnostics") if line["event"] == "link"]
    assert noted == [
        {"event": "link", "peer": 1, "state": "direct", "at_ms": 5.0},
        {"event": "link", "peer": 1, "state": "relay", "at_ms": 7.2},
        {"event": "link", "peer": 1, "state": "direct", "at_ms": 9.0},
    ]
    assert pages[0].csv == pages[1].csv


@pytest.mark.parametrize("number", [0, 1, 15])
def test_a_page_knows_which_of_its_player_it_is(folder: Path, number: int) -> None:
    made = participant(folder)
    assert made.incarnation == 0
    made.start({**start(0), "incarnation": number, "running": True, "peers": []})
    assert made.incarnation == number


@pytest.mark.parametrize("number", [-1, 16, 1.0, "1", True, None])
def test_what_numbers_no_page_is_refused_and_no_match_begins(folder: Path, number: object) -> None:
    made = participant(folder)
    with pytest.raises(SessionError, match="incarnation"):
        made.start({**start(0), "incarnation": number})
    made.start(start(0))


def test_after_the_end_it_looks_less_and_less_often(pages: list[Page]) -> None:
    play(pages)
    page = pages[0]
    page.tick(100_000.0)
    assert page.tick(100_000.0 + LINGER_MS).wake == 100_000.0 + LINGER_MS + IDLE_MS


HIDES = "players=2, when_hidden='pause', hidden_limit_ms=2000"


def test_a_hidden_page_pauses_both_and_both_pages_are_told_for_whom(folder: Path) -> None:
    pages = [Page(participant(folder, alter("study.py", "players=2", "players=2, when_hidden='pause'"))) for _ in range(2)]
    for place, page in enumerate(pages):
        page.participant.start(start(place))
    pages[1].inbox.append(event({"type": "visibility", "hidden": True}))
    pages[1].returns_at = 1500.0
    play(pages)
    for page in pages:
        assert [told["players"] for told in page.events if told["type"] == "paused"] == [["right"], []]
        assert page.phases == ["playing", "finished"]
    assert pages[0].csv == pages[1].csv and pages[0].csv.count(b"\n") == 1 + 2 * 24


def test_a_page_hidden_for_too_long_ends_the_match_for_both(folder: Path) -> None:
    pages = [Page(participant(folder, alter("study.py", "players=2", HIDES))) for _ in range(2)]
    for place, page in enumerate(pages):
        page.participant.start(start(place))
    pages[1].inbox.append(event({"type": "visibility", "hidden": True}))
    play(pages)
    assert [page.lines("outcome")[-1]["outcome"] for page in pages] == ["peer_left", "hidden"]
    told = next(one for one in pages[0].events if one.get("phase") == "failed")
    assert "player right left: the page was hidden for 2.0 s" in told["detail"]
    assert pages[0].csv == pages[1].csv


class Watched(Page):
    """A page that remembers when each tick was and what it answered."""

    def __init__(self, participant: Participant) -> None:
        super().__init__(participant)
        self.answers: list[tuple[float, Outbox]] = []

    def tick(self, now: float) -> Outbox:
        box = super().tick(now)
        self.answers.append((now, box))
        return box


def test_the_numbers_are_told_with_each_picture_and_are_never_older_than_a_frame(folder: Path) -> None:
    pages = [Watched(participant(folder)) for _ in range(2)]
    for place, page in enumerate(pages):
        page.participant.start(start(place))
    play([*pages])
    for page in pages:
        told, without = 0.0, 0
        for now, box in page.answers:
            told = now if box.stats else told
            assert box.stats or not box.of(Kind.VIEW)
            assert now - told < 1000 / 20
            without += not box.stats
        assert without > 20, "every tick told them: this run shows nothing"
        assert page.answers[-1][1].stats, "at the end they are those of the end"


def test_the_numbers_of_a_tick_are_numbers(pages: list[Page]) -> None:
    play(pages)
    assert tuple(pages[0].stats) == STATS and all(math.isfinite(value) for value in pages[0].stats.values())
    summaries = [line for line in pages[0].lines("diagnostics") if line["event"] == "summary"]
    assert summaries and set(STATS) < set(summaries[0])


# -- bad input -----------------------------------------------------------------------------------------------------------

BAD: dict[str, Any] = {
    "no object": [1],
    "no JSON": b"{",
    "no type": {},
    "a type of another type": {"type": ["key"]},
    "an unknown type": {"type": "dance"},
    "a key without a name": {"type": "key", "down": True},
    "a key without a direction": {"type": "key", "key": "a"},
    "a key that is a number": {"type": "key", "key": 1, "down": True},
    "a direction of text": {"type": "key", "key": "a", "down": "yes"},
    "focus that is none": {"type": "focus"},
    "focus of nought": {"type": "focus", "focused": 0},
    "a visibility without a word": {"type": "visibility"},
    "a visibility of text": {"type": "visibility", "hidden": "yes"},
    "a link without a peer": {"type": "link", "state": "closed"},
    "a link to a list": {"type": "link", "peer": [1], "state": "closed"},
    "a link without a state": {"type": "link", "peer": 1},
    "stored without a number": {"type": "stored"},
    "stored with half a number": {"type": "stored", "upload": 1.5},
    "unstored with a text": {"type": "unstored", "upload": "1", "error": "x"},
}


@pytest.mark.parametrize("name", BAD)
def test_an_inbox_with_a_malformed_event_is_refused_as_a_whole(pages: list[Page], name: str) -> None:
    leave = event({"type": "leave"})
    refused(pages[0], leave + event(BAD[name]), WireError)
    refused(pages[0], event(BAD[name]) + leave, WireError)
    refused(pages[0], leave + event({"type": "leave"})[:-1], WireError)
    play(pages)
    assert pages[0].phases == ["playing", "finished"], "nothing of those inboxes was taken"
    assert pages[0].csv == pages[1].csv


def test_packets_that_are_none_are_counted_and_dropped(pages: list[Page]) -> None:
    for sender in (0, 1, 2, 255):
        pages[0].inbox += [packet(sender, 0, b""), packet(sender, 1, b"\0" * 40), packet(sender, 7, bytes(range(256)))]
    play(pages)
    assert pages[0].csv == pages[1].csv and pages[0].phases[-1] == "finished"
    assert max(line["malformed"] for line in pages[0].lines("diagnostics") if line["event"] == "summary") == 12


def test_before_the_start_there_is_nothing_to_tick(folder: Path) -> None:
    with pytest.raises(SessionError, match="not begun"):
        participant(folder).tick(0.0, b"")


BAD_STARTS: dict[str, dict[str, Any]] = {
    "one player": {"players": [{"player_id": "a", "index": 0}]},
    "two players in one place": {"players": [{"player_id": "a", "index": 0}, {"player_id": "b", "index": 0}]},
    "a place too far": {"players": [{"player_id": "a", "index": 0}, {"player_id": "b", "index": 2}]},
    "a player without a place": {"players": [{"player_id": "a", "index": 0}, {"player_id": "b"}]},
    "players that are none": {"players": None},
    "an index too far": {"index": 2},
    "an index below nought": {"index": -1},
    "an index of text": {"index": "0"},
    "an index that is true": {"index": True},
    "no session": {"session": None},
    "a seed of text": {"seed": "7"},
}


@pytest.mark.parametrize("name", BAD_STARTS)
def test_a_start_that_cannot_be_is_refused_and_another_may_follow(folder: Path, name: str) -> None:
    one = participant(folder)
    with pytest.raises(SessionError):
        one.start({**start(0), **BAD_STARTS[name]})
    told = start(0)
    del told["seed"]
    with pytest.raises(SessionError, match="seed"):
        one.start(told)
    one.start(start(0))
    assert Page(one).tick(0.0).of(Kind.PACKET), "it says hello"


def test_a_match_begins_once(pages: list[Page]) -> None:
    with pytest.raises(SessionError, match="already"):
        pages[0].participant.start(start(1))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("players=2", "players=3", "the environment has 2 players"),
        ('"ArrowUp": 1', '"ArrowUp": 3', "keys['ArrowUp']=3 is no action of player left"),
        ("keys={", "default_action=9, keys={", "default_action=9 is no action of player left"),
        ('"ArrowUp": 1', '"ArrowUp": "up"', "keys['ArrowUp']='up' is no action"),
    ],
)
def test_an_experiment_that_does_not_fit_its_environment_is_refused(folder: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(ExperimentError) as failed:
        participant(folder, alter("study.py", old, new))
    assert message in str(failed.value)


def test_what_the_page_needs_to_know(folder: Path) -> None:
    about = participant(folder).about()
    assert json.loads(json.dumps(about)) == {
        "stats": list(STATS), "width": 320, "height": 200, "keys": [" ", "ArrowUp"], "instructions": "Walk.", "name": "Study",
    }  # fmt: skip
