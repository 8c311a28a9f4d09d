"""What a host that comes late is still to be told: which inputs, of whom, from which frame on.

It knows what is final and what is held, and nothing of packets' other fields or of when they are sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..rollback.inputs import InputQueue
from .history import History
from .peer import Peer
from .wire import MAX_INPUTS, Stream

__all__ = ["AHEAD", "lesson", "rest_of_lesson"]

#: How far beyond the frame that it simulates a host that comes late is told of inputs.
AHEAD = 2048


def lesson(history: History, peer: Peer, players: Sequence[int], count: int) -> tuple[Stream, ...]:
    """Final inputs that a late peer lacks, of the episode that it is in.

    Args:
        players: of whom this host is to tell.
        count: how many play in the match.
    """
    most = min(MAX_INPUTS // count, peer.frame + AHEAD - peer.held)
    streams = []
    for player in players:
        inputs = history.span(peer.episode, player, peer.needs[player], most) if most > 0 else []
        if inputs:
            streams.append(Stream(player, peer.needs[player], tuple(inputs)))
    return tuple(streams)


def rest_of_lesson(
    history: History, peer: Peer, episode: int, final: int, queues: Sequence[InputQueue], giving: Iterable[int]
) -> tuple[Stream, ...]:
    """What a host that was just let in lacks: final inputs of all, for others who were let in with it may lack the same; and
    those that are not final yet, of the players for whom this host gives them.

    Args:
        final: the first frame that is not final here.
    """
    most, given = MAX_INPUTS // len(queues), set(giving)
    streams = []
    for player, queue in enumerate(queues):
        start = peer.needs[player]
        inputs = history.span(episode, player, start, most) if start < final else []
        if player in given and queue.first <= start + len(inputs) <= queue.last:
            inputs += queue.span(start + len(inputs))
        if inputs:
            streams.append(Stream(player, start, tuple(inputs)))
    return tuple(streams)
