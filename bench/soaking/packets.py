"""Packets that nobody sent: at random, damaged, and sealed by somebody who knows the session and says what is not so.

The same dice make the same packets. Nothing here knows of matches.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence

from pyodide_runtime.errors import WireError
from pyodide_runtime.network.membership import Standing
from pyodide_runtime.network.wire import Ask, Bye, End, Hello, Inputs, Members, Packet, Stream, Tell, decode, encode

__all__ = ["KINDS", "damaged", "forged", "made_up"]

#: The types that a packet can say it is of; one beyond the last is none.
KINDS = range(9)


def damaged(dice: random.Random, packets: Sequence[bytes], key: bytes) -> bytes:
    """A real packet with something done to it, or no packet at all; never one that a session with this key takes for one."""
    if not packets or dice.random() < 0.2:
        return dice.randbytes(dice.choice([0, 1, 6, 7, 8, 40, 120, 2000]))
    data = bytearray(dice.choice(packets))
    for _ in range(dice.randint(1, 3)):
        how, at = dice.randrange(5), dice.randrange(len(data) + 1)
        if how == 0 and data:
            data[at % len(data)] ^= 1 << dice.randrange(8)
        elif how == 1:
            del data[at:]
        elif how == 2:
            data[at:at] = dice.randbytes(dice.randint(1, 8))
        elif how == 3:
            data[at:] = dice.choice(packets)[at:]
        else:
            data[at : at + 4] = dice.choice([b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff"])
    if _is_whole(data, key):
        data.append(0)  # what was done to it made it another real packet, or this one again
    return bytes(data)


def forged(dice: random.Random, packet: bytes, sender: int, key: bytes) -> bytes:
    """A real packet with its body changed and its check made right again."""
    body = bytearray(packet[7:])  # with the incarnation
    for _ in range(dice.randint(1, 3)):
        how, at = dice.randrange(4), dice.randrange(1, len(body) + 1)
        if how == 0:
            body[at % len(body)] = dice.randrange(256)
        elif how == 1:
            body[at : at + 4] = dice.choice([b"\0\0\0\0", b"\xff\xff\xff\xff", dice.randbytes(4)])
        elif how == 2:
            del body[at:]
        else:
            body += dice.randbytes(dice.randint(1, 6))
    kind = packet[1] if dice.random() < 0.9 else dice.choice(KINDS)
    check = hashlib.blake2b(bytes((packet[0], kind, sender)) + body, digest_size=4, key=key).digest()
    return bytes((packet[0], kind)) + check + bytes((sender,)) + bytes(body)


def made_up(dice: random.Random, sender: int, hosts: int, players: int, key: bytes) -> bytes:
    """A whole packet of any type, whose numbers are mostly such as a match of so many hosts and players could have."""
    incarnation = dice.choice([0, 0, 0, 1, 2, 15, 16, 255])
    if dice.random() < 0.05:
        players, hosts = dice.randrange(9), dice.randrange(9)
    standings = tuple(
        Standing(dice.choice([0, 0, 1, 2, 127]), dice.choice([-1, -1, 0, 1, 15, 200]), dice.random() < 0.5, dice.randrange(-1, 5))
        for _ in range(hosts)
    )
    episode = dice.choice([0, 0, 0, 1, 2, 65535])
    needs = tuple(_frame(dice) for _ in range(players))
    chain = dice.randbytes(16)
    packets: list[Packet] = [
        Hello(sender, incarnation, dice.randbytes(dice.randrange(30)), dice.choice([-1, 0, 1]), dice.random() < 0.5, standings),
        Inputs(
            sender, incarnation, dice.choice([0, 0, 1, 127]), episode, _frame(dice), min(needs, default=0), dice.randrange(-40, 40),
            dice.randrange(1 << 32), dice.randrange(1 << 32), dice.choice([0, 50, 65535]), _frame(dice), chain[:8], needs,
            tuple(_stream(dice, player) for player in range(players) if dice.random() < 0.6), dice.random() < 0.2,
        ),
        End(sender, incarnation, episode, _frame(dice), chain, dice.random() < 0.5, dice.random() < 0.5),
        Bye(sender, incarnation, dice.choice([0, 1, 2, 3, 7, 255]), dice.choice(["", "so it goes", "\0ü" * 9])),
        Members(sender, incarnation, episode, standings, needs, dice.random() < 0.5),
        Ask(sender, incarnation, episode, dice.randrange(4), _frame(dice), chain, dice.randbytes(dice.randrange(40))),
        Tell(sender, incarnation, episode, dice.randrange(4), dice.choice([b"", b"{}", b"[1]", dice.randbytes(60)])),
    ]  # fmt: skip
    return encode(dice.choice(packets), key)


def _frame(dice: random.Random) -> int:
    return dice.choice([0, 1, dice.randrange(60), dice.randrange(5000), dice.randrange(1 << 32)])


def _stream(dice: random.Random, player: int) -> Stream:
    flags = [0, 1, 1, 2, 6, 10, 22, dice.randrange(256)]
    inputs = [bytes((dice.choice(flags), dice.randrange(6))) for _ in range(dice.randint(1, 8))]
    return Stream(player, _frame(dice), tuple(inputs))


def _is_whole(data: bytes | bytearray, key: bytes) -> bool:
    try:
        decode(bytes(data), key)
    except WireError:
        return False
    return True
