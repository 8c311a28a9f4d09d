"""The rows that are final: written once, in order, chained by digests, and certified when every peer's chain agrees.

`chain[n]` is a digest over the first n rows of an episode (and over the whole state every few frames), so that two
peers who compare one short digest have compared everything up to there. The ledger knows nothing of predictions or
packets; it is told what is final and what peers have.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence

from .actions import ActionCodec
from .drops import OnDrop
from .rollback.inputs import delay_of, is_absent, is_flagged_rightly, is_focused
from .rollback.session import FinalFrame
from .rows import Row, make_row

__all__ = ["CHAIN_SIZE", "EpisodeLedger", "more_columns"]

#: Length of a chain's digest, in bytes.
CHAIN_SIZE = 16

#: What else an input may tell of its player, beside the focus, by the name of the column that it becomes; in order.
_READERS: Mapping[str, Callable[[bytes], bool | int]] = {"absent": is_absent, "input_delay": delay_of}


def more_columns(on_drop: OnDrop, *, adaptive_delay: bool) -> tuple[str, ...]:
    """The columns that each player's rows have after `focused`, in a match that is played so.

    `absent` where a player may be, `input_delay` where that is not the same in all frames.
    """
    wanted = {"absent": on_drop.may_be_absent, "input_delay": adaptive_delay}
    return tuple(name for name in _READERS if wanted[name])


class EpisodeLedger:
    """The final rows of one episode.

    Args:
        episode: its number, from 0.
        seed: its seed; the chain begins with it.
        players: names of the players.
        codecs: of the players' actions.
        more: further columns of each player, as `more_columns` gives them.
    """

    def __init__(
        self, episode: int, seed: int, players: Sequence[str], codecs: Sequence[ActionCodec], more: Iterable[str] = ()
    ) -> None:
        self.episode = episode
        self.seed = seed
        self._players = tuple(players)
        self._codecs = tuple(codecs)
        self._more = {name: _READERS[name] for name in more}
        start = f"{episode}:{seed}:{','.join(players)}".encode()
        self._chain = [hashlib.blake2b(start, digest_size=CHAIN_SIZE, person=b"rows").digest()]
        self._claims: dict[int, tuple[int, bytes]] = {}
        self._agreed: dict[int, int] = {}
        self.dissenter: int | None = None  # the peer whose chain was the last to differ

    def __len__(self) -> int:
        return len(self._chain) - 1

    def fits(self, data: bytes) -> bool:
        """Whether an input has flags that one of a frame in this ledger can have."""
        return is_flagged_rightly(data, absent="absent" in self._more, delay="input_delay" in self._more)

    def append(self, final: FinalFrame, state_digest: bytes = b"") -> Row:
        """Write the next row and return it.

        Args:
            final: the frame after the last one written.
            state_digest: digest of the whole state after that frame, where one is due, else empty.
        """
        if final.record.frame != len(self):
            raise ValueError(f"frame {final.record.frame} cannot follow {len(self)} rows")
        focused = tuple([is_focused(data) for data in final.inputs])
        more = {name: [*map(read, final.inputs)] for name, read in self._more.items()} if self._more else None
        row = make_row(self.episode, final.record, self._players, self._codecs, focused, more)
        link = self._chain[-1] + state_digest + (_form(row.columns) % row.values).encode()
        self._chain.append(hashlib.blake2b(link, digest_size=CHAIN_SIZE, person=b"rows").digest())
        return row

    def chain(self, rows: int) -> bytes:
        """The digest over the first `rows` rows."""
        return self._chain[rows]

    @property
    def newest(self) -> bytes:
        """The digest over all rows so far."""
        return self._chain[-1]

    # -- certification -----------------------------------------------------------------------------------------------

    def expect(self, peer: int) -> None:
        """A row is certified only when this peer agrees, too."""
        self._agreed.setdefault(peer, 0)

    def release(self, peer: int) -> None:
        """This peer is gone. As long as there is another that can vouch for rows, its word is no longer asked for."""
        if len(self._agreed) > 1:
            self._agreed.pop(peer, None)
            self._claims.pop(peer, None)

    def claim(self, peer: int, rows: int, chain: bytes) -> int | None:
        """A peer says what its chain is after `rows` rows; a prefix of the digest will do.

        Returns the number of rows if the two chains differ there, else None. A claim beyond the rows that exist
        here is kept until they do.
        """
        if rows >= len(self._chain):
            self._claims[peer] = (rows, chain)
            return None
        if not self._chain[rows].startswith(chain):
            self.dissenter = peer
            return rows
        if rows > self._agreed.get(peer, 0):
            self._agreed[peer] = rows
        return None

    def review(self) -> int | None:
        """Look again at claims that lay ahead; as `claim`."""
        for peer, (rows, chain) in list(self._claims.items()):
            if rows < len(self._chain):
                del self._claims[peer]
                differing = self.claim(peer, rows, chain)
                if differing is not None:
                    return differing
        return None

    @property
    def certified(self) -> int:
        """How many rows, from the first on, every peer is known to have alike.

        All of them if there is no other peer.
        """
        return min(self._agreed.values()) if self._agreed else len(self)


# Filling in a form takes a third of the time of joining the cells, in every frame. The bound is that of the layouts in `rows`.
@functools.lru_cache(maxsize=64)
def _form(columns: tuple[str, ...]) -> str:
    """What a row with these columns is in the chain, with a %s for each value."""
    return "\x1f".join(f"{column.replace('%', '%%')}\x1e%s" for column in columns)
