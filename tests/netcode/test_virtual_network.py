"""Laws of the virtual network: what is said of a line is what happens on it, and the seed alone decides the rest."""

from __future__ import annotations

import itertools
import random
from typing import Any

import pytest

from pyodide_runtime.errors import SessionError
from pyodide_runtime.network.virtual import DrawnFates, Line, NetworkConditions, Partition, PlannedFates, VirtualNetwork
from pyodide_runtime.network.virtual.network import HEADERS_BYTES

AWFUL = NetworkConditions(latency_ms=40, jitter_ms=60, loss=0.3, duplicate=0.2, reorder=0.2)


def name(number: int) -> bytes:
    return number.to_bytes(4, "little")


def number_of(data: bytes) -> int:
    return int.from_bytes(data[:4], "little")


def traffic(
    network: VirtualNetwork, packets: int = 400, every_ms: float = 10.0, after_ms: int = 20_000, **options: Any
) -> list[tuple[float, int, bytes]]:
    """Send from host 0 to host 1, and look every millisecond: (when, receiver, bytes) of what arrived."""
    found = []
    for ms in range(int(packets * every_ms) + after_ms):
        if ms % every_ms == 0 and ms < packets * every_ms:
            network.send(float(ms), 0, 1, name(int(ms / every_ms)), **options)
        found += [(float(ms), receiver, data) for _, receiver, data in network.arrivals(float(ms))]
    return found


# -- chance ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reliable", [False, True])
def test_the_same_seed_gives_the_same_arrivals_and_another_seed_others(reliable: bool) -> None:
    one, two, other = (traffic(VirtualNetwork(AWFUL, seed), reliable=reliable) for seed in (5, 5, 6))
    assert one == two != other


def test_what_is_sent_on_one_line_changes_nothing_on_another() -> None:
    alone, busy = VirtualNetwork(AWFUL, 3), VirtualNetwork(AWFUL, 3)
    for sender, receiver in [(1, 0), (0, 2)] * 50:
        busy.send(0.0, sender, receiver, b"noise")
        busy.send(0.0, 0, 1, b"noise", reliable=True)
    quiet = [(at, data) for at, _, data in traffic(alone)]
    assert [(at, data) for at, receiver, data in traffic(busy) if receiver == 1 and data != b"noise"] == quiet


def losses(conditions: NetworkConditions, packets: int = 100_000) -> list[bool]:
    fates, line = DrawnFates(1), Line(0, 1, False)
    return [not fates.next(line, conditions) for _ in range(packets)]


@pytest.mark.parametrize("loss", [0.0, 0.05, 0.3, 1.0])
@pytest.mark.parametrize("burst", [None, 2.0, 8.0])
def test_the_average_share_is_lost_in_bursts_of_the_mean_length(loss: float, burst: float | None) -> None:
    lost = losses(NetworkConditions(loss=loss, loss_burst=burst))
    assert abs(sum(lost) / len(lost) - loss) < 0.01
    runs = [len(list(run)) for is_lost, run in itertools.groupby(lost) if is_lost]
    if 0 < loss < 1:
        expected = burst or 1 / (1 - loss)
        assert abs(sum(runs) / len(runs) - expected) < 0.1 * expected


def test_copies_and_overtaking_happen_as_often_as_is_said() -> None:
    network = VirtualNetwork(NetworkConditions(latency_ms=50, duplicate=0.25, reorder=0.1))
    arrived = [number_of(data) for _, _, data in traffic(network, 2000)]
    assert abs(len(arrived) - 2000 * 1.25) < 60 and len(arrived) - 2000 == network.duplicated
    assert set(arrived) == set(range(2000))
    overtaken = sum(later < max(arrived[:place]) for place, later in enumerate(arrived) if place)
    assert 200 < overtaken < 700


def test_jitter_lies_between_nothing_and_the_most() -> None:
    network = VirtualNetwork(NetworkConditions(latency_ms=50, jitter_ms=30))
    late = [at - 10 * number_of(data) for at, _, data in traffic(network, 1000)]
    assert 50 < min(late) < 53 and 78 < max(late) <= 81


# -- a written plan --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reliable", [False, True])
def test_the_fates_that_were_told_give_the_same_arrivals_without_any_chance(reliable: bool) -> None:
    drawn = VirtualNetwork(AWFUL, 9)
    arrived = traffic(drawn, reliable=reliable)
    plan = {line: dict(fates) for line, fates in drawn.fates.told.items()}
    replayed = VirtualNetwork(AWFUL.without_chance(), fates=PlannedFates(plan))
    assert traffic(replayed, reliable=reliable) == arrived
    assert replayed.fates.told == plan and sum(map(len, plan.values())) > 300
    assert (replayed.lost, replayed.duplicated) == (drawn.lost, drawn.duplicated)


def test_a_packet_of_which_nothing_is_written_is_on_time() -> None:
    network = VirtualNetwork(NetworkConditions(latency_ms=7), fates=PlannedFates({Line(0, 1, False): {1: (), 2: (5.0, 9.0)}}))
    assert [(at, number_of(data)) for at, _, data in traffic(network, 4)] == [(7, 0), (32, 2), (36, 2), (37, 3)]


# -- bandwidth -------------------------------------------------------------------------------------------------------


def test_a_line_carries_no_more_bytes_a_second_than_it_can_and_makes_the_rest_wait() -> None:
    network = VirtualNetwork(NetworkConditions(latency_ms=10, bandwidth_bytes_per_s=10_000, queue_bytes=10**6))
    size = 1000 - HEADERS_BYTES
    for number in range(20):
        network.send(0.0, 0, 1, name(number).ljust(size))
    when = [ms for ms in range(3000) for _ in network.arrivals(float(ms))]
    assert when == [10 + 100 * number for number in range(1, 21)]


def test_what_finds_no_room_to_wait_is_dropped_from_the_tail() -> None:
    network = VirtualNetwork(NetworkConditions(bandwidth_bytes_per_s=10_000, queue_bytes=3000))
    for number in range(20):
        network.send(0.0, 0, 1, name(number).ljust(1000 - HEADERS_BYTES))
    arrived = [number_of(data) for _, _, data in network.arrivals(1e6)]
    assert arrived == [0, 1, 2] and network.overflowed == 17
    network.send(1e6, 0, 1, name(20).ljust(1000))
    assert [number_of(data) for _, _, data in network.arrivals(2e6)] == [20], "the queue has emptied meanwhile"


def test_each_direction_has_a_bandwidth_of_its_own_that_both_channels_share() -> None:
    slow = NetworkConditions(bandwidth_bytes_per_s=1000, queue_bytes=10**6)
    network = VirtualNetwork(NetworkConditions(), lines={(0, 1): slow})
    network.send(0.0, 0, 1, bytes(1000 - HEADERS_BYTES))
    network.send(0.0, 0, 1, b"control", reliable=True)
    network.send(0.0, 1, 0, bytes(1000))
    assert [sender for sender, _, _ in network.arrivals(0.0)] == [1]
    assert list(network.arrivals(999.0)) == []
    assert [len(data) for _, _, data in network.arrivals(1000.0)] == [1000 - HEADERS_BYTES]
    assert [data for _, _, data in network.arrivals(1100.0)] == [b"control"]


# -- partitions, and lines that differ ------------------------------------------------------------------------------


def test_a_partition_cuts_off_chosen_hosts_for_its_span_and_nobody_else() -> None:
    network = VirtualNetwork(NetworkConditions(), partitions=[Partition(at_ms=100, for_ms=50, hosts=(0,), others=(1,))])
    for ms in (99.0, 100.0, 149.0, 150.0):
        for line in itertools.permutations(range(3), 2):
            network.send(ms, *line, b"")
        arrived = {(sender, receiver) for sender, receiver, _ in network.arrivals(ms)}
        cut = {(0, 1), (1, 0)} if ms in (100, 149) else set()
        assert arrived == set(itertools.permutations(range(3), 2)) - cut
    assert network.parted == 4


def test_a_partition_without_another_side_cuts_off_from_all_others() -> None:
    partition = Partition(at_ms=0, for_ms=1, hosts=(0, 3))
    parted = {line for line in itertools.permutations(range(4), 2) if partition.parts(0.5, *line)}
    assert parted == {(0, 1), (0, 2), (1, 0), (2, 0), (3, 1), (3, 2), (1, 3), (2, 3)}


def test_a_line_may_be_bad_in_one_direction_only() -> None:
    network = VirtualNetwork(NetworkConditions(latency_ms=5), lines={(0, 1): NetworkConditions(loss=1.0)})
    for sender, receiver in ((0, 1), (1, 0)):
        network.send(0.0, sender, receiver, b"")
    assert [(sender, receiver) for sender, receiver, _ in network.arrivals(100.0)] == [(1, 0)]
    network.set_line(0, 1, NetworkConditions())
    network.send(200.0, 0, 1, b"")
    assert len(list(network.arrivals(200.0))) == 1


# -- the reliable channel --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("burst", [None, 5.0])
def test_the_reliable_channel_hands_over_everything_once_and_in_order(burst: float | None) -> None:
    bad = NetworkConditions(latency_ms=50, jitter_ms=100, loss=0.4, loss_burst=burst, duplicate=0.3, reorder=0.3)
    network = VirtualNetwork(bad, 1, partitions=[Partition(at_ms=700, for_ms=1500, hosts=(0,))])
    arrived = traffic(network, 300, reliable=True)
    assert [number_of(data) for _, _, data in arrived] == list(range(300))
    assert network.lost > 100 and network.parted > 100
    assert all(at >= 10 * number_of(data) + 50 for at, _, data in arrived)


def test_what_is_lost_there_comes_later_and_what_follows_waits_for_it() -> None:
    plan = PlannedFates({Line(0, 1, True): {1: (), 4: ()}})  # the second packet is lost, and lost again
    network = VirtualNetwork(NetworkConditions(latency_ms=20), fates=plan)
    arrived = traffic(network, 4, reliable=True)
    assert [(at, number_of(data)) for at, _, data in arrived] == [(20, 0), (10 + 400 + 400 + 20, 1), (830, 2), (830, 3)]


def test_after_a_partition_the_reliable_channel_goes_on_by_itself() -> None:
    network = VirtualNetwork(NetworkConditions(), partitions=[Partition(at_ms=0, for_ms=3000, hosts=(1,))])
    network.send(0.0, 0, 1, b"kept", reliable=True)
    network.send(0.0, 0, 1, b"lost")
    assert list(network.arrivals(5999.0)) == []
    assert list(network.arrivals(6000.0)) == [(0, 1, b"kept")]  # 400 + 800 + 1600 + 3200


# -- settings that cannot be -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "settings",
    [
        {"loss": 1.5},
        {"loss": float("nan")},
        {"loss": "0.1"},
        {"duplicate": -0.1},
        {"reorder": True},
        {"latency_ms": -1},
        {"latency_ms": float("inf")},
        {"jitter_ms": None},
        {"loss": 0.1, "loss_burst": 0.5},
        {"loss": 0.9, "loss_burst": 2},
        {"bandwidth_bytes_per_s": 0},
        {"bandwidth_bytes_per_s": float("inf")},
        {"queue_bytes": 1.5},
        {"queue_bytes": -1},
    ],
    ids=str,
)
def test_conditions_that_cannot_be_are_refused_by_name(settings: dict[str, Any]) -> None:
    with pytest.raises(SessionError, match=rf"^{list(settings)[-1]}=|^loss=0.9 in bursts of 2 packets cannot be"):
        NetworkConditions(**settings)


@pytest.mark.parametrize(
    "settings",
    [
        {"at_ms": -1, "for_ms": 1, "hosts": (0,)},
        {"at_ms": 0, "for_ms": "1", "hosts": (0,)},
        {"at_ms": 0, "for_ms": 1, "hosts": ()},
        {"at_ms": 0, "for_ms": 1, "hosts": 0},
        {"at_ms": 0, "for_ms": 1, "hosts": ("a",)},
        {"at_ms": 0, "for_ms": 1, "hosts": (0, 1), "others": (1, 2)},
    ],
    ids=str,
)
def test_partitions_that_cannot_be_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(SessionError):
        Partition(**settings)


def test_lines_without_chance_draw_nothing() -> None:
    source = random.Random(1)
    for _ in range(50):
        line = NetworkConditions(latency_ms=source.random(), jitter_ms=9, loss=0.3, loss_burst=4, duplicate=0.5, reorder=0.5)
        fates = DrawnFates(source.randrange(100))
        assert {fates.next(Line(0, 1, False), line.without_chance()) for _ in range(20)} == {(0.0,)}
