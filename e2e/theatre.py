"""Plays what the tests of a run are going to ask for, ahead of them and two at a time, and hands out what came of it.

An episode lasts as long as it lasts, in real time, and leaves a machine with two cores time for another one beside it. So plays
begin in the order in which the tests will ask for them, without waiting for the tests. What a play is, it does not know.
"""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Iterable
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

from e2e.house import House

AT_A_TIME = 2


class Play(Protocol):
    """Something to be played in the house."""

    async def play(self, house: House) -> Any:
        """Play it; what came of it."""


class Theatre:
    """Plays a programme, from `__enter__` to `__exit__`.

    Args:
        programme: plays in the order in which they will be asked for. One that stands there twice is played once.
        folder, artifacts: as of the `House`.
    """

    def __init__(self, programme: Iterable[Play], folder: Path, artifacts: Path) -> None:
        self._programme = list({id(play): play for play in programme}.values())
        self._results: dict[int, Future[Any]] = {id(play): Future() for play in self._programme}
        self._folder = folder
        self._artifacts = artifacts
        self._loop = asyncio.new_event_loop()
        self._closing = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="theatre")

    def __enter__(self) -> Theatre:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with suppress(RuntimeError):  # the loop is closed already
            self._loop.call_soon_threadsafe(self._closing.set)
        self._thread.join()

    def result(self, play: Play) -> Any:
        """What came of a play of the programme, once it is over. Raises what it raised."""
        return self._results[id(play)].result()

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._open_house())
        except BaseException as error:
            for result in self._results.values():
                if not result.done():
                    result.set_exception(error)
        finally:
            # What is left of browsers' processes is let go of while there is a loop; later it could only raise, at any moment.
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            gc.collect()
            self._loop.run_until_complete(asyncio.sleep(0))
            self._loop.close()

    async def _open_house(self) -> None:
        """Play all, unless the theatre closes before; the house is left in order either way."""
        async with House(self._folder, self._artifacts) as house:
            playing = asyncio.create_task(self._play_all(house))
            closing = asyncio.create_task(self._closing.wait())
            await asyncio.wait({playing, closing}, return_when=asyncio.FIRST_COMPLETED)
            for task in (playing, closing):
                task.cancel()
            await asyncio.gather(playing, closing, return_exceptions=True)

    async def _play_all(self, house: House) -> None:
        stages = asyncio.Semaphore(AT_A_TIME)
        async with asyncio.TaskGroup() as group:
            for play in self._programme:
                await stages.acquire()
                group.create_task(self._play_one(play, house, stages))

    async def _play_one(self, play: Play, house: House, stages: asyncio.Semaphore) -> None:
        result = self._results[id(play)]
        try:
            result.set_result(await play.play(house))
        except Exception as error:
            result.set_exception(error)
        finally:
            stages.release()
