"""Data that differ: both hosts end with the same report, which names the first frame that differs, the path and both values."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from pyodide_runtime.desync.diagnosis import LONGEST_MS, MOST_QUESTIONS
from pyodide_runtime.desync.evidence import MOST_BYTES
from pyodide_runtime.network.virtual import NetworkConditions
from pyodide_runtime.network.wire import MAX_ANSWER, MAX_QUESTION, Ask, Bye, Tell, decode, encode, session_key
from pyodide_runtime.playing.outbox import CONTROL
from pyodide_runtime.settings import REASONS, Outcome, Phase
from pyodide_runtime.versions import versions

from .desyncs import AT, CAUSES, Cause, HasAnotherSpeed, RoundsOtherwise, factories
from .environments import Pond
from .sessions import Table, assert_completed

KEY = session_key("virtual")

GOOD = NetworkConditions(latency_ms=40)
BAD = NetworkConditions(latency_ms=60, jitter_ms=40, loss=0.1, duplicate=0.05, reorder=0.1)


def table_of(cause: Cause, players: int = 2, **options: Any) -> Table:
    options = {"conditions": GOOD, "reliable_control": True, "frames": 90, **options}
    if cause.place == "start":
        options |= {"episodes": 2, "frames": 45}
    return Table(lambda: Pond(players), players=players, factories=factories(cause, players), **options)


def report_of(table: Table, host: int) -> dict[str, Any]:
    result = table.journals[host].result
    assert result is not None and result["outcome"] == "desync"
    report = result["desync"]
    assert isinstance(report, dict)
    assert table.journals[host].notes[-1] == {"event": "desync", **report}, "it is among the diagnostics, too"
    assert json.loads(json.dumps(report)) == report
    return report


def agreed_report(table: Table) -> dict[str, Any]:
    """The report of two hosts, who have the same."""
    assert [match.outcome for match in table.matches] == [Outcome.DESYNC] * 2
    assert [match.malformed for match in table.matches] == [0, 0]
    one, two = report_of(table, 0), report_of(table, 1)
    assert one == two
    return one


def assert_names(table: Table, report: dict[str, Any], cause: Cause) -> None:
    assert report["unfinished"] == ""
    assert (report["place"], report["path"]) == (cause.place, cause.path)
    assert report["frame"] == (0 if cause.place == "start" else AT)
    assert report["episode"] == (1 if cause.place == "start" else 0)
    names = table.matches[0].runtime.players[:2]
    values = [report["values"][name] for name in names]
    assert values[0] != values[1]
    assert report["repeatable"] == dict.fromkeys(names, cause.repeatable)
    for name in names:
        assert ("instead of" in report["again"][name]) is not cause.repeatable
    for match, own, other in zip(table.matches, names, reversed(names), strict=True):
        here, there = (report["values"][name] for name in (own, other))
        assert f"{cause.path} is {here} here and {there} at {other}" in match.detail
        assert f"the first {match.ledger.certified} rows are alike" in match.detail
        assert ("not deterministic" in match.detail) is not cause.repeatable


# -- what is named ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CAUSES)
def test_both_name_the_same_first_frame_path_and_values(name: str) -> None:
    cause = CAUSES[name]
    table = table_of(cause).run()
    report = agreed_report(table)
    assert_names(table, report, cause)
    assert (report["row"] is not None) is cause.rows_differ
    # Exactly that frame: the states before it were alike. Where only a row differs, that after it is, too.
    assert report["alike"] == (None if cause.place == "start" else AT + (cause.place == "row"))
    both = zip(*(journal.cells for journal in table.journals), strict=False)
    rows = [frame for frame, (here, there) in enumerate(both) if here != there]
    assert rows[:1] == ([AT] if cause.rows_differ else []), "whether any row shows it"
    if cause.rows_differ:
        assert report["row"]["frame"] == AT
        cells = [dict(journal.cells[AT]) for journal in table.journals]
        assert [*report["row"]["values"].values()] == [row[report["row"]["column"]] for row in cells]


@pytest.mark.parametrize("name", CAUSES)
@pytest.mark.parametrize("reliable", [True, False])
def test_over_a_bad_line_they_name_the_same(name: str, reliable: bool) -> None:
    """Whether packets are lost and sent again, or lost for good."""
    cause = CAUSES[name]
    table = table_of(cause, conditions=BAD, reliable_control=reliable, seed=3 if cause.place != "start" else 0).run()
    assert_names(table, agreed_report(table), cause)
    assert sum(match.counters.rollbacks for match in table.matches) > 0


@pytest.mark.parametrize("name", ["last bit of a float", "hidden counter", "hidden setting"])
@pytest.mark.parametrize("every", [3, 4])
def test_states_that_are_told_by_actions_are_compared_as_well(name: str, every: int) -> None:
    cause = CAUSES[name]
    table = table_of(cause, conditions=BAD, snapshot_every=every).run()
    assert_names(table, agreed_report(table), cause)


@pytest.mark.parametrize("digest_every, window, delay", [(1, 8, 0), (7, 1, 2), (60, 12, 0), (1000, 8, 1)])
def test_whenever_states_are_compared_and_however_far_is_predicted(digest_every: int, window: int, delay: int) -> None:
    cause = CAUSES["hidden setting"]
    table = table_of(cause, state_digest_every=digest_every, window=window, input_delay=delay, conditions=BAD).run()
    assert_names(table, agreed_report(table), cause)


def test_the_values_are_those_of_the_run_itself() -> None:
    """Also where a frame that is played again comes to something else."""
    cause = CAUSES["wall clock"]
    table = table_of(cause).run()
    report = agreed_report(table)
    marks = [match.runtime.simulation.root.mark[0] for match in table.matches]
    assert [*report["values"].values()] == [str(mark) for mark in marks]


def test_both_hosts_versions_are_in_the_report_and_packages_where_they_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    def told() -> Iterator[dict[str, Any]]:
        yield {"python": "3.12.1", "platform": "linux", "packages": {"numpy": "1.0", "same": "2", "only": "3"}}
        yield {"python": "3.13.0", "platform": "emscripten", "packages": {"numpy": "1.1", "same": "2"}}

    of_hosts = told()
    monkeypatch.setattr("pyodide_runtime.playing.dispute.versions", lambda: next(of_hosts))
    table = table_of(CAUSES["hidden setting"]).run()
    hosts = agreed_report(table)["hosts"]
    assert sorted(hosts.values(), key=lambda host: str(host["python"])) == [
        {"python": "3.12.1", "platform": "linux", "packages": {"numpy": "1.0", "only": "3"}},
        {"python": "3.13.0", "platform": "emscripten", "packages": {"numpy": "1.1", "only": None}},
    ]
    for match in table.matches:
        assert "Python is 3.1" in match.detail and "platform is" in match.detail and "numpy is 1." in match.detail


def test_the_versions_are_those_of_this_host() -> None:
    report = agreed_report(table_of(CAUSES["hidden setting"]).run())
    own = versions()
    assert [*report["hosts"].values()] == [{"python": own["python"], "platform": own["platform"], "packages": {}}] * 2


def test_of_three_each_that_sees_it_diagnoses_with_the_one_that_is_unlike() -> None:
    cause = CAUSES["hidden setting"]
    table = table_of(cause, 3, conditions=BAD).run()
    assert [match.outcome for match in table.matches] == [Outcome.DESYNC] * 3
    reports = [journal.result["desync"] for journal in table.journals if journal.result and "desync" in journal.result]
    assert len(reports) >= 2
    for report in reports:
        assert (report["frame"], report["path"]) == (AT, cause.path) and "frog_2" in report["values"]
    for match, journal in zip(table.matches, table.journals, strict=True):
        assert journal.result is not None
        assert "desync" in journal.result or "says:" in match.detail
        assert cause.path in match.detail


class Large(RoundsOtherwise):
    """Holds some megabytes, of which one byte differs."""

    def reset(self, seed: int | None = None, options: Any = None) -> Any:
        self.large = bytearray(4_000_000)
        return super().reset(seed, options)

    def odd(self, answer: tuple[Any, ...]) -> None:
        self.large[2_345_678] = self.host


class LargeAndBusy(Large):
    """As it is, and all of that is copied for every frame."""

    def step(self, actions: dict[str, int]) -> tuple[Any, ...]:
        answer = super().step(actions)
        self.large[self.clock] = 1
        return answer


@pytest.mark.parametrize("kind", [Large, LargeAndBusy])
def test_of_what_is_large_little_travels_and_little_is_kept(kind: type[Large]) -> None:
    cause = replace(CAUSES["last bit of a float"], kind=kind)
    table = table_of(cause)
    table.run(lambda: any(match.phase is Phase.DIAGNOSING for match in table.matches))
    before = sum(peer.bytes_sent for match in table.matches for peer in match.peers.values())
    table.run()
    report = agreed_report(table)
    assert report["path"] == "environment.large[1][2345678:]" and report["unfinished"] == ""
    assert [value[:6] for value in report["values"].values()] == ["b'\\x00", "b'\\x01"]
    assert sum(peer.bytes_sent for match in table.matches for peer in match.peers.values()) - before < 100_000
    kept = max(len(match._course.evidence.states) for match in table.matches)
    if kind is Large:
        assert (report["alike"], report["frame"]) == (AT, AT) and kept > 20
    else:  # of some frames no state is kept; it says between which two it happened
        assert report["alike"] <= AT <= report["frame"] <= report["alike"] + 8
        assert kept * 4_000_000 <= MOST_BYTES
        assert f"since frame {report['alike']}: no state between was kept" in table.matches[0].detail


def test_who_does_not_see_it_yet_sees_it_by_the_first_question(monkeypatch: pytest.MonkeyPatch) -> None:
    """A question carries the claim in which the data differ. Here one host learns of no other claim."""
    cause = CAUSES["hidden setting"]
    table = table_of(cause)
    ledger = table.matches[1].ledger
    claim = ledger.claim
    # Packets of inputs carry half a chain.
    monkeypatch.setattr(ledger, "claim", lambda peer, rows, chain: claim(peer, rows, chain) if len(chain) > 8 else None)
    table.run(lambda: table.matches[0].phase is Phase.DIAGNOSING)
    table.run(lambda: table.now > 10_000 or table.matches[1].phase is not Phase.PLAYING)
    assert table.matches[1].phase is Phase.DIAGNOSING
    table.run()
    assert_names(table, agreed_report(table), cause)


# -- when it cannot be brought to its end ----------------------------------------------------------------------------


def diagnosing(table: Table) -> bool:
    return all(match.phase is Phase.DIAGNOSING for match in table.matches)


def test_a_peer_that_dies_meanwhile_is_not_waited_for_longer_than_the_bound() -> None:
    table = table_of(CAUSES["hidden setting"])
    table.run(lambda: diagnosing(table))
    began = table.now
    table.off.add(1)
    table.run()
    survivor = table.matches[0]
    assert survivor.outcome is Outcome.DESYNC
    assert table.now - began <= LONGEST_MS + 100
    report = report_of(table, 0)
    assert "no more time" in report["unfinished"] and "no more time" in survivor.detail
    assert "rows are alike" in survivor.detail


@pytest.mark.parametrize("how", ["closed", "left", "silent", "leaves itself"])
def test_a_peer_that_is_known_to_be_gone_is_not_waited_for(how: str) -> None:
    patience = 800.0 if how == "silent" else 5000.0
    table = table_of(CAUSES["hidden setting"], settings=lambda place, settings: replace(settings, disconnect_after_ms=patience))
    table.run(lambda: diagnosing(table))
    began = table.now
    if how == "closed":
        table.matches[0].link_closed(1, table.now)
    elif how == "left":
        table.matches[1].leave("the page was closed")
        table.post(1)
    elif how == "leaves itself":
        table.matches[0].leave("the page was closed")
    table.off.add(1)
    table.run()
    assert table.matches[0].outcome is Outcome.DESYNC
    assert table.now - began <= (1000 if how == "silent" else 100)
    report = report_of(table, 0)
    assert report["unfinished"] and report["unfinished"] in table.matches[0].detail


def test_who_leaves_meanwhile_says_goodbye_once_and_for_what_it_did() -> None:
    table = table_of(CAUSES["hidden setting"])
    table.run(lambda: diagnosing(table))
    leaver = table.matches[1]
    leaver.outbox.clear()
    leaver.leave("the page was closed")
    goodbyes = [decode(data, KEY) for _, _, data in leaver.outbox]
    assert [(said.reason, said.detail) for said in goodbyes if isinstance(said, Bye)] == [
        (REASONS.index(Outcome.LEFT), "the page was closed")
    ]


def test_what_was_found_before_a_peer_died_is_kept() -> None:
    cause = CAUSES["hidden setting"]
    table = table_of(cause)
    table.run(lambda: diagnosing(table) and table.matches[0]._dispute._diagnosed.report.first is not None)
    table.off.add(1)
    table.run()
    report = report_of(table, 0)
    assert (report["place"], report["frame"], report["path"]) == ("state", AT, "") and report["unfinished"]
    assert f"differ first in episode 0, frame {AT}" in table.matches[0].detail


def test_an_environment_that_raises_when_it_is_played_again_is_a_diagnosis_too() -> None:
    class Spent(HasAnotherSpeed):
        over = False

        def step(self, actions: dict[str, int]) -> tuple[Any, ...]:
            if Spent.over:
                raise RuntimeError("out of luck")
            return super().step(actions)

    cause = replace(CAUSES["hidden setting"], kind=Spent)
    table = table_of(cause)
    table.run(lambda: diagnosing(table))
    Spent.over = True
    table.run()
    report = agreed_report(table)
    assert (report["frame"], report["path"], report["unfinished"]) == (AT, cause.path, "")
    assert set(report["repeatable"].values()) == {False}
    assert all("out of luck" in again for again in report["again"].values())


# -- packets that nobody should have sent ----------------------------------------------------------------------------

CHAIN = bytes(16)


def strange(number: int) -> list[bytes]:
    """Questions and answers as a peer could make them that means ill."""
    return [
        encode(packet, KEY)
        for packet in (
            Tell(1, 0, 0, number, b'[["digests",[]]]'),
            Tell(1, 0, 0, 65_535, b"[" * MAX_ANSWER),
            Ask(1, 0, 0, number, 0, table_start(), b'[["overview"]]'),
            Ask(1, 0, 0, number, 2**32 - 1, CHAIN, b'[["overview"]]'),
            Ask(1, 0, 7, number, 3, CHAIN, b""),
            Ask(1, 0, 0, 0, 0, table_start(), b"x" * MAX_QUESTION),
        )
    ]


def table_start() -> bytes:
    return table_of(CAUSES["hidden setting"]).matches[0].ledger.chain(0)


def test_no_question_or_answer_makes_a_host_that_sees_no_difference_end_or_answer() -> None:
    packets = strange(1)
    table = Table(lambda: Pond(2), frames=60, conditions=GOOD)
    control: list[bytes] = []
    plain_post = table.post

    def post(number: int) -> None:
        control.extend(data for _, channel, data in table.matches[number].outbox if channel == CONTROL)
        plain_post(number)

    table.post = post  # type: ignore[method-assign]

    def each() -> None:
        for data in packets:
            table.matches[0].receive(1, data, table.clock(0))

    table.run(each=each)
    result = table.result()
    assert table.matches[0].malformed > 100
    table.matches[0].malformed = 0
    assert_completed(result, 60)
    assert {data[1] for data in control} <= {1, 3, 4}, "nothing was asked or told"


def test_garbage_meanwhile_changes_nothing_in_the_report() -> None:
    """Whoever sends it spoils its own report at the most."""
    cause = CAUSES["hidden setting"]
    table = table_of(cause)
    packets = [
        packet
        for number in (1, 2, 3, 4, 5)
        for packet in [*strange(number), *(encode(Tell(1, 0, 0, number, told), KEY) for told in (b'[["own"]]', b"\xff"))]
    ]

    def each() -> None:
        if table.matches[0].phase is Phase.DIAGNOSING:
            for data in packets:
                table.matches[0].receive(1, data, table.clock(0))

    table.run(each=each)
    assert report_of(table, 0)["path"] == cause.path and report_of(table, 0)["frame"] == AT
    assert report_of(table, 0)["unfinished"] == "" and table.matches[0].malformed > 100


def test_a_peer_that_asks_without_end_is_answered_so_often_and_no_more() -> None:
    table = table_of(CAUSES["hidden setting"])
    table.run(lambda: diagnosing(table))
    host = table.matches[0]
    host.outbox.clear()
    claim = len(table.matches[1].ledger), table.matches[1].ledger.newest
    for number in range(1000, 1000 + 10 * MOST_QUESTIONS):
        host.receive(1, encode(Ask(1, 0, 0, number, *claim, b'[["overview"]]'), KEY), table.clock(0))
    told = [data for _, channel, data in host.outbox if channel == CONTROL and data[1] == 7]
    assert 0 < len(told) <= MOST_QUESTIONS
    assert host.malformed >= 9 * MOST_QUESTIONS
    table.off.add(1)
    table.run()
    assert host.outcome is Outcome.DESYNC
