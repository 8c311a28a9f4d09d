"""When the next frame is due, with the time and the advantages over peers given."""

from __future__ import annotations

import pytest

from pyodide_runtime.playing.pacing import LONGEST_WAIT_S, RETRY_MS, START_S, Pacing
from pyodide_runtime.rollback.timesync import TimeSync

FPS, PERIOD = 25, 40.0


def ahead_by(frames: float, fps: float = FPS) -> TimeSync:
    """What was seen for a second of a peer that is so many frames behind."""
    sync = TimeSync(fps)
    for _ in range(round(fps)):
        sync.observe(frames, -frames)
    assert sync.settled
    return sync


def begun(at: float = 1000.0) -> Pacing:
    pacing = Pacing(FPS)
    pacing.begin(at)
    return pacing


def test_frames_keep_their_rate_however_late_each_of_them_comes() -> None:
    pacing, late = begun(), [0.0, 3.0, 39.0, 1.0, 0.0]
    for frame, delay in enumerate(late):
        assert pacing.due == 1000.0 + PERIOD * frame
        pacing.stepped(pacing.due + delay, frame + 1, [])


def test_of_a_long_pause_one_frame_is_made_up_for_and_no_more() -> None:
    pacing = begun()
    pacing.stepped(9000.0, 1, [])
    assert pacing.due == 9000.0 - PERIOD
    pacing.stepped(9001.0, 2, [])
    assert pacing.due == 9000.0


def test_whoever_is_farthest_ahead_of_one_peer_takes_longer_by_that_whatever_the_others_say() -> None:
    far, near = ahead_by(2.0), TimeSync(FPS)
    pacing = begun()
    pacing.stepped(1000.0, round(START_S * FPS) + 1, [near, far])
    assert far.stretch > near.stretch == 1.0
    assert pacing.due == 1000.0 + PERIOD * far.stretch


@pytest.mark.parametrize("ahead, waits", [(0.9, 0.0), (3.0, 3.0), (100.0, LONGEST_WAIT_S * FPS)])
def test_whoever_began_first_waits_for_the_others_once_in_an_episode(ahead: float, waits: float) -> None:
    pacing = begun()
    pacing.stepped(1000.0, 1, [TimeSync(FPS)])
    assert pacing.due == 1000.0 + PERIOD, "nothing was seen yet, so there is nothing to wait for"
    sync = ahead_by(ahead)
    stretch = sync.stretch
    pacing.stepped(pacing.due, 2, [sync])
    assert pacing.due == pytest.approx(1000.0 + PERIOD + PERIOD * stretch + PERIOD * waits)
    assert sync.ahead == pytest.approx(ahead - waits), "what was waited for is not seen as an advantage any more"
    before = pacing.due
    pacing.stepped(before, 3, [another := ahead_by(ahead)])
    assert pacing.due == pytest.approx(before + PERIOD * another.stretch)


def test_a_stall_is_one_however_often_it_is_tried_again_and_waits_for_no_whole_frame() -> None:
    pacing = begun()
    assert [pacing.failed(now, stalled=True) for now in (1000.0, 1008.0, 1016.0)] == [True, False, False]
    assert pacing.due == 1016.0 + RETRY_MS
    pacing.stepped(1024.0, 1, [])
    assert pacing.failed(1064.0, stalled=True)
    assert not pacing.failed(1072.0, stalled=False)


def test_a_frame_is_the_more_there_the_sooner_it_is_due() -> None:
    pacing = begun()
    assert [pacing.part_to_come(now) for now in (900.0, 960.0, 970.0, 1000.0, 2000.0)] == [1.0, 1.0, 0.75, 0.0, 0.0]
