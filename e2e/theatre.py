"""Plays what the tests of a run are going to ask for, ahead of them and two at a time, and hands out what came of it.

An episode lasts as long as it lasts, in real time, and leaves a machine with two cores time for another one beside it. So plays
begin in the order in which the tests will ask for them, without waiting for the tests. What a play is, it does not know.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
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
        programme: plays by name, in the order in which they will be asked for.
        folder, artifacts: as of the `House`.
    """

    def __init__(self, programme: Mapping[str, Play], folder: Path, artifacts: Path) -> None:
        self._programme = dict(programme)
        self._results: dict[str, Future[Any]] = {name: Future() for name in programme}
        self._folder = folder
        self._artifacts = artifacts
        self._thread = threading.Thread(target=self._run, name="theatre")
        self._loop = asyncio.new_event_loop()
        self._over: asyncio.Task[None] | None = None

    def __enter__(self) -> Theatre:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with suppress(RuntimeError):  # the loop is closed: all was played
            self._loop.call_soon_threadsafe(self._cancel)
        self._thread.join()

    def result(self, name: str) -> Any:
        """What came of a play, once it is over. Raises what it raised."""
        return self._results[name].result()

    def _cancel(self) -> None:
        if self._over is not None:
            self._over.cancel()

    def _run(self) -> None:
        self._over = self._loop.create_task(self._play_all())
        try:
            self._loop.run_until_complete(self._over)
        except asyncio.CancelledError:
            pass
        except BaseException as error:
            for result in self._results.values():
                if not result.done():
                    result.set_exception(error)
        finally:
            self._loop.close()

    async def _play_all(self) -> None:
        async with House(self._folder, self._artifacts) as house:
            stages = asyncio.Semaphore(AT_A_TIME)
            async with asyncio.TaskGroup() as group:
                for name, play in self._programme.items():
                    await stages.acquire()
                    group.create_task(self._play_one(play, house, self._results[name], stages))

    async def _play_one(self, play: Play, house: House, result: Future[Any], stages: asyncio.Semaphore) -> None:
        try:
            result.set_result(await play.play(house))
        except Exception as error:
            result.set_exception(error)
        finally:
            stages.release()
