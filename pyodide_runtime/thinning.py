"""Which of the held snapshots are whole, and which are told by an earlier one and the actions since.

An environment with sets is captured in every frame. Of the newest snapshots all stay as they were captured, for a rollback goes
back to them; of the older ones one in `APART` frames does, and each of the others takes as little memory as a tuple. To go back to
such a one takes the steps from there on once more. It knows nothing of environments, predictions or networks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, MutableMapping

from .simulation import Saved

__all__ = ["APART", "Thinning"]

#: So many frames lie at the most between a thinned snapshot and the one that it is told by.
APART = 64


class Thinning:
    """What is whole, of the snapshots that a runtime holds.

    Args:
        newest: so many of those held last stay whole.
        apart: so many frames lie at the most between those that stay whole for good.
    """

    def __init__(self, newest: int, apart: int = APART) -> None:
        self._newest = newest
        self._apart = apart
        self._whole: list[int] = []  # frames, in the order in which they were held
        self._base: Saved | None = None
        self._since: list[tuple[bytes, ...]] = []  # the actions from there on, shared by all that are told by them

    def forget(self) -> None:
        """What is held has become another: all of it stays as it is."""
        self._whole, self._base, self._since = [], None, []

    def go_back(self, frame: int) -> None:
        """What is held of later frames was let go, and what was done in `frame` and after it is another now."""
        self._whole = [known for known in self._whole if known <= frame]
        if self._base is not None:
            if self._base.frame > frame:
                self._base, self._since = None, []
            else:
                self._since = self._since[: frame - self._base.frame]

    def add(self, frames: Iterable[int], held: MutableMapping[int, Saved], told: Callable[[int], tuple[bytes, ...] | None]) -> None:
        """Snapshots of these frames are held now, too; thin those that are not among the newest any more.

        Args:
            held: all snapshots by frame.
            told: gives the actions of a frame, as they are to be played again; None if they are forgotten.
        """
        whole = self._whole
        whole += frames
        if len(whole) > self._newest:
            self._whole = whole[-self._newest :]
            for frame in whole[: -self._newest]:
                if frame in held:
                    held[frame] = self._thinned(held[frame], told)

    def _thinned(self, saved: Saved, told: Callable[[int], tuple[bytes, ...] | None]) -> Saved:
        """The same state told by an earlier one; itself, if it is to be whole, or is told so already."""
        if not saved.dense or saved.told:
            return saved
        base, since = self._base, self._since
        if base is not None and base.frame < saved.frame < base.frame + self._apart:
            for frame in range(base.frame + len(since), saved.frame):
                actions = told(frame)
                if actions is None:
                    break
                since.append(actions)
            apart = saved.frame - base.frame
            if len(since) >= apart:
                return saved._replace(environment=base.environment, since=since, told=apart)
        self._base, self._since = saved, []
        return saved
