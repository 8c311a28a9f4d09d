"""What two hosts say to each other: the kinds of packets, and how long they may be. Nothing here knows of bytes or of sessions."""

from __future__ import annotations

from typing import NamedTuple

from ..membership import Standing

__all__ = [
    "MAX_ANSWER",
    "MAX_DETAIL",
    "MAX_INPUT",
    "MAX_INPUTS",
    "MAX_PACKET",
    "MAX_QUESTION",
    "PROTOCOL_VERSION",
    "Ask",
    "Bye",
    "End",
    "Hello",
    "Inputs",
    "Members",
    "Packet",
    "Stream",
    "Tell",
]

#: Changed whenever a layout changes; peers of different versions refuse each other.
PROTOCOL_VERSION = 3
#: No packet is longer. Hellos carry settings and may be long; an Inputs packet is a few dozen bytes.
MAX_PACKET = 60_000
#: At most so many inputs travel in one packet, whatever their runs say.
MAX_INPUTS = 4_096
#: No input is longer, in bytes, so that every packet has room for one.
MAX_INPUT = 32_000
#: The text of a Bye is cut off after so many bytes.
MAX_DETAIL = 1_000
#: No question, and no answer, is longer, in bytes.
MAX_QUESTION, MAX_ANSWER = 1_000, 59_000


class Hello(NamedTuple):
    """`terms`: canonical JSON of what must be equal on both sides. `heard`: the receiver's incarnation whose hello has arrived
    here; -1 if none has.

    `begun`: the sender plays already. `standings`: what it knows of each host. A hello is the one packet that is read
    whatever `version` it is of.
    """

    sender: int
    incarnation: int
    terms: bytes
    heard: int = -1
    begun: bool = False
    standings: tuple[Standing, ...] = ()
    version: int = PROTOCOL_VERSION


class Stream(NamedTuple):
    """Inputs of one player, each of the same length, from frame `start` on; at least one."""

    player: int
    start: int
    inputs: tuple[bytes, ...]


class Inputs(NamedTuple):
    """Inputs and the state of the line.

    Attributes:
        sender, incarnation: the sending host.
        receiver: the incarnation of the receiver that it is meant for. Another one may not know what this one was told.
        episode: number of the episode, from 0.
        frame: the sender's c, the next frame that it will simulate.
        held: the first frame of which the sender lacks some player's input.
        advantage: how many frames the sender sees itself ahead of the receiver, in sixteenths; -32768 if it has seen nothing yet.
        sent: the sender's clock in ms, modulo 2**32.
        echo: the newest `sent` that the sender got from the receiver.
        echo_age: how many ms it has kept that; 65535 if there is none.
        final: how many frames are final at the sender, and `chain`: the first 8 bytes of its digest chain there.
        needs: for each player the first frame of whose inputs the sender lacks: all before are acknowledged. Not below `held`,
            and told up to 65535 frames beyond it.
        streams: inputs, in the order of players.
        paused: the sender does not go on, because its page is hidden.
    """

    sender: int
    incarnation: int
    receiver: int
    episode: int
    frame: int
    held: int
    advantage: int
    sent: int
    echo: int
    echo_age: int
    final: int
    chain: bytes
    needs: tuple[int, ...]
    streams: tuple[Stream, ...]
    paused: bool = False


class End(NamedTuple):
    """The episode ended: how many frames it had, the 16-byte chain over its rows.

    `heard`: the receiver's End has arrived here. `settled`: the sender has gone on and wants no answer.
    """

    sender: int
    incarnation: int
    episode: int
    frames: int
    chain: bytes
    heard: bool
    settled: bool


class Bye(NamedTuple):
    """The sender leaves. `reason`: number of an outcome; `detail`: for people."""

    sender: int
    incarnation: int
    reason: int
    detail: str


class Members(NamedTuple):
    """What the sender states of all hosts (see `membership`), and of each player the first frame whose input it lacks."""

    sender: int
    incarnation: int
    episode: int
    standings: tuple[Standing, ...]
    needs: tuple[int, ...]
    agreed: bool


class Ask(NamedTuple):
    """The data of an episode differ, and the sender wants to know where.

    Attributes:
        sender, incarnation: the sending host.
        episode: number of the episode, from 0.
        number: of the question, from 1 on.
        rows: how many rows the sender has, and `chain`: the 16-byte chain over them.
        question: as `desync.questions` writes it; empty if the sender knows all that it wants to know.
    """

    sender: int
    incarnation: int
    episode: int
    number: int
    rows: int
    chain: bytes
    question: bytes


class Tell(NamedTuple):
    """The answer, as `desync.questions` writes it, to the receiver's question of that number."""

    sender: int
    incarnation: int
    episode: int
    number: int
    answer: bytes


Packet = Hello | Inputs | End | Bye | Members | Ask | Tell
