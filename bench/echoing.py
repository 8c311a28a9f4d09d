"""From a press of a key to the picture that shows it, in two real pages whose line is late and lossy.

A script in the page notes when the browser made each key event, and when it had drawn each picture, with what the picture says
of the own player's last action. Nothing of the product is changed by it. The pages and their network are those of the end-to-end
tests.
"""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.lines import Line, median, percentile
from bench.serving import ROOT
from e2e.house import House
from e2e.impairment import Line as Network
from e2e.match import Match, Room

__all__ = ["measure_echo"]

LATENCY_MS, LOSS_PERCENT = 100, 15
FRAME_MS = 1000 / 30
LIMIT = 1.2
PRESSES = 90
LEAST_PRESSES = 60

_NOTING = """
(() => {
  const noted = { keys: [], pictures: [] };
  window.noted = noted;
  addEventListener("keydown", ({ repeat, timeStamp, key }) => {
    if (!repeat) noted.keys.push({ at: timeStamp, did: Number(key) });
  }, true);
  const text = new TextDecoder();
  const drawn = new MessageChannel();
  let next = null;
  // After the browser has painted what its frame's callbacks drew.
  drawn.port1.onmessage = () => { noted.pictures.push({ at: performance.now(), did: next }); };
  window.Worker = class extends Worker {
    constructor(...given) {
      super(...given);
      this.addEventListener("message", ({ data }) => {
        if (data.type !== "view") return;
        next = Number(/did (\\d)/.exec(text.decode(data.payload))?.[1]);
        requestAnimationFrame(() => drawn.port2.postMessage(null));
      });
    }
  };
})();
"""


def measure_echo() -> list[Line]:
    """Both players press keys at any time for half a minute. ValueError if too few presses were seen in a picture."""
    print("echo: presses of keys in two pages", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory() as folder:
        noted = asyncio.run(_play(Path(folder)))
    waits: list[float] = []
    for page in noted:
        waits += _waits(page["keys"], page["pictures"])
    if len(waits) < LEAST_PRESSES:
        raise ValueError(f"only {len(waits)} presses of keys were seen in a picture")
    how = f"{LATENCY_MS} ms and {LOSS_PERCENT} % loss, {len(waits)} presses in two pages, no input delay"
    return [
        Line(
            "input to own picture, median",
            median(waits) / FRAME_MS,
            "",
            f"one frame of {FRAME_MS:.1f} ms: {median(waits):.1f} ms; {how}",
            LIMIT,
        ),
        Line("input to own picture, 95th percentile", percentile(waits, 0.95), "ms", "the press may just have missed its frame"),
        Line("input to own picture, longest", max(waits), "ms", ""),
    ]


def _waits(keys: list[dict[str, Any]], pictures: list[dict[str, Any]]) -> list[float]:
    """How long each press took to be in a picture; one that was in none before the next press is left out."""
    found = []
    for number, press in enumerate(keys):
        end = keys[number + 1]["at"] if number + 1 < len(keys) else float("inf")
        shown = [picture["at"] for picture in pictures if press["at"] < picture["at"] < end and picture["did"] == press["did"]]
        if shown:
            found.append(shown[0] - press["at"])
    return found


async def _play(folder: Path) -> list[dict[str, Any]]:
    noted: list[dict[str, Any]] = []

    async def before(room: Room) -> None:
        for player in room.players:
            await player.page.add_init_script(_NOTING)

    async def during(room: Room) -> None:
        await asyncio.gather(*(_press(player.page, random.Random(player.player_id)) for player in room.players))
        for player in room.players:
            noted.append(await player.read("window.noted"))

    line = Network(latency_ms=LATENCY_MS, loss_percent=LOSS_PERCENT)
    match = Match(ROOT / "bench" / "experiments" / "echo.py", "echo", lines=(line, Network()), before=before, during=during)
    async with House(folder, folder) as house:
        await match.play(house)
    return noted


async def _press(page: Any, choices: random.Random) -> None:
    """One digit after the other, each another one than the last, for times that have nothing to do with frames."""
    last = ""
    for _ in range(PRESSES // 2):
        key = choices.choice([digit for digit in "123456789" if digit != last])
        last = key
        await page.keyboard.down(key)
        await asyncio.sleep(choices.uniform(0.15, 0.25))
        await page.keyboard.up(key)
        await asyncio.sleep(choices.uniform(0.1, 0.2))
