"""What a person sees: every state of the page is reached, says what it should, and is kept as a picture under artifacts/."""

from __future__ import annotations

import asyncio
import random
import re
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from e2e.data import read_table
from e2e.house import EXAMPLES, EXPERIMENTS, House
from e2e.player import SECONDS_TO_LOAD, SECONDS_TO_PLAY, SECONDS_TO_START, Player
from e2e.rerunning import Rerun, rerun_all
from e2e.visit import Visit

WINDOW = (1100, 760)
_HOLD = """
const [get, looked] = [window.fetch, new Promise((resolve) => { window.letGo = resolve; })];
window.fetch = async (address, settings) => {
  const response = await get(address, settings);
  if (!String(address).includes(".image?")) return response;
  const reader = response.body.getReader();
  let bytes = 0;
  return new Response(new ReadableStream({
    async pull(stream) {
      if (bytes > 4_000_000) await looked;
      const { done, value } = await reader.read();
      if (done) return stream.close();
      bytes += value.length;
      stream.enqueue(value);
    },
  }));
};
"""
"""What holds the rest of a page's image back until `letGo()` is called."""


@dataclass(frozen=True)
class Seen:
    """A page in some state: its phase, the error that its root element holds, and its visible text."""

    phase: str
    error: str
    text: str


async def _look(player: Player, picture: Path) -> Seen:
    """What a page shows now; a picture is kept."""
    await player.page.screenshot(path=picture)
    read = "[document.documentElement.dataset.phase, document.documentElement.dataset.error ?? '', document.body.innerText]"
    return Seen(*await player.read(read))


async def _player(stack: AsyncExitStack, house: House, player_id: str, origin: str) -> Player:
    player = await Player.make(player_id, await house.browsers.get("chromium"), "chromium", origin, window=WINDOW)
    stack.push_async_callback(player.leave)
    return player


# -- a match from end to end ---------------------------------------------------------------------------------------------


async def _through_all_phases(house: House, example: str) -> dict[str, Seen]:
    server = await house.server(EXAMPLES / f"{example}.py")
    room = f"phases-{example}"
    seen: dict[str, Seen] = {}
    async with AsyncExitStack() as stack:
        one = await _player(stack, house, "Ada", server.url)
        other = await _player(stack, house, "Ben", server.url)

        async def keep(state: str, player: Player = one) -> None:
            seen[state] = await _look(player, house.artifacts / f"{example}-{state}.png")

        await one.page.add_init_script(_HOLD)  # or it may have loaded before it is looked at
        await one.open(server.url, room, {})
        await one.page.wait_for_function("/packages: .* MB/.test(document.getElementById('label').textContent)")
        await keep("loading")
        await one.page.evaluate("letGo()")
        await one.reach("waiting", seconds=SECONDS_TO_LOAD)
        await keep("waiting")
        await other.open(server.url, room, {})
        await other.reach("playing", seconds=SECONDS_TO_LOAD)
        await one.reach("playing", seconds=SECONDS_TO_START)
        keys = [asyncio.create_task(player.press_keys(random.Random(f"{example} {player.player_id}"))) for player in (one, other)]
        await one.reach_frame(200)
        await keep("playing")
        await asyncio.gather(*(player.reach("finished", seconds=SECONDS_TO_PLAY) for player in (one, other)))
        for key in keys:
            key.cancel()
        await keep("finished")
        seen["problems"] = Seen("", "", "\n".join(one.problems + other.problems))
    return seen


@pytest.mark.parametrize("play", [Visit(lambda house: _through_all_phases(house, "arena"))], ids=["arena"])
def test_a_page_goes_through_loading_waiting_playing_finished(play: Visit, played: dict[str, Seen]) -> None:
    assert played["problems"].text == ""
    played = {state: seen for state, seen in played.items() if state != "problems"}
    assert {state: seen.phase for state, seen in played.items()} == {state: state for state in played}
    assert list(played) == ["loading", "waiting", "playing", "finished"]
    assert all(seen.error == "" for seen in played.values())
    assert re.search(r"\nLoading Python and packages: [0-9.]+ of [0-9.]+ MB\n", played["loading"].text)
    assert "Loading" not in played["waiting"].text
    assert "1 of 2" in played["waiting"].text and "Ada (you)" in played["waiting"].text
    assert "Connected" in played["playing"].text
    assert "Thank you" in played["finished"].text


# -- what is known of the others -----------------------------------------------------------------------------------------

SILENT = "The other player is not heard at the moment. The match waits."
ABSENT = {
    "pause": "The other player is away. The match waits for them.",
    "default": "The other player is away. The match goes on without them until they return.",
    "partner": "The other player is away. The computer plays in their place until they return.",
}
RETURNING = "The other player is back, and catches up."


def _peer(state: str, on_drop: str) -> dict[str, Any]:
    return {"type": "peers", "peers": [{"peer": 1, "state": state}], "on_drop": on_drop}


NEWS: dict[str, dict[str, Any]] = {
    "silent": _peer("silent", "default"),
    **{f"absent-{on_drop}": _peer("absent", on_drop) for on_drop in ABSENT},
    "returning": _peer("returning", "pause"),
    "here": _peer("here", "pause"),
    "hidden": {"type": "paused", "players": ["blue"]},
    "seen": {"type": "paused", "players": []},
    "catching-up": {"type": "catching_up", "share": 0.42},
    "caught-up": {"type": "catching_up", "share": None},
}
"""What the worker says, in this order."""
WORDS = {
    "silent": SILENT,
    **{f"absent-{on_drop}": words for on_drop, words in ABSENT.items()},
    "returning": RETURNING,
    "hidden": "Paused: blue's page is hidden",
    "catching-up": "Catching up: 42 %",
}
_KEEP_WORKER = """
window.Worker = class extends Worker {
  constructor(...given) {
    super(...given);
    window.keptWorker = this;
  }
};
"""


async def _news_of_the_other(house: House) -> dict[str, Seen]:
    """What Python says in a match, mostly of the other player; here it is said in its place, and what the page makes of it."""
    server = await house.server(EXAMPLES / "arena.py")
    seen: dict[str, Seen] = {}
    async with AsyncExitStack() as stack:
        players = [await _player(stack, house, name, server.url) for name in ("Ada", "Ben")]
        await players[0].page.add_init_script(_KEEP_WORKER)
        for player in players:
            await player.open(server.url, "news", {})
        await asyncio.gather(*(player.reach("playing", seconds=SECONDS_TO_LOAD) for player in players))
        for state, message in NEWS.items():
            await players[0].page.evaluate("data => window.keptWorker.onmessage({ data })", message)
            seen[state] = await _look(players[0], house.artifacts / f"news-{state}.png")
    return seen


@pytest.mark.parametrize("play", [Visit(_news_of_the_other)], ids=["arena"])
def test_what_a_person_may_wonder_about_in_a_match_is_said_in_plain_words(play: Visit, played: dict[str, Seen]) -> None:
    assert [seen.phase for seen in played.values()] == ["playing"] * len(NEWS)
    for state, words in WORDS.items():
        assert words in played[state].text
    assert all(("Paused" in played[state].text) == (state in ("absent-pause", "returning", "hidden")) for state in NEWS)
    for state in ("here", "seen", "caught-up"):
        assert not any(words in played[state].text for words in WORDS.values())


async def _watch(house: House) -> Seen:
    server = await house.server(EXPERIMENTS / "three_players.py")
    async with AsyncExitStack() as stack:
        watcher = await _player(stack, house, "Wes", server.url)
        await watcher.open(server.url, "watched", {"watch": "1"})
        await watcher.reach("waiting", seconds=SECONDS_TO_LOAD)
        return await _look(watcher, house.artifacts / "watching.png")


@pytest.mark.parametrize("play", [Visit(_watch)], ids=["three_players"])
def test_a_page_that_only_watches_says_so(play: Visit, played: Seen) -> None:
    assert (played.phase, played.error) == ("waiting", "")
    assert "Watching" in played.text and "Wes" not in played.text


# -- alone ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Solo:
    """What came of a match of one player."""

    summary: dict[str, Any]
    export: bytes
    rerun: Rerun
    stats: dict[str, float]
    problems: list[str]


async def _tap_right(player: Player) -> None:
    """Push the cart to the right and, as no key is down, to the left, in turn, until cancelled."""
    while True:
        await player.page.keyboard.press("ArrowRight", delay=100)
        await asyncio.sleep(0.1)


async def _balance(house: House) -> Solo:
    server = await house.server(EXAMPLES / "cart_pole.py")
    async with AsyncExitStack() as stack:
        player = await _player(stack, house, "Cy", server.url)
        await player.open(server.url, "alone", {})
        # A pole falls within half a second, so the keys are there before the match is.
        keys = asyncio.create_task(_tap_right(player))
        await player.reach("playing", "finished", seconds=SECONDS_TO_LOAD)
        await player.reach_frame(5)
        await _look(player, house.artifacts / "cart_pole-playing.png")
        await player.reach("finished", seconds=SECONDS_TO_PLAY)
        keys.cancel()
        session = await player.read("window.pyodideRuntime.start.session")
        stats, problems = await player.stats(), player.problems
    summary = await asyncio.to_thread(server.summary, session)
    export = await asyncio.to_thread(server.of_player, session, "Cy", "export.csv")
    record = server.data / session / "players" / "Cy" / "record.ndjson"
    reruns = await asyncio.to_thread(rerun_all, [record], ["node"])
    return Solo(summary, export, reruns[record, "node"], stats, problems)


@pytest.mark.parametrize("play", [Visit(_balance)], ids=["cart_pole"])
def test_one_player_alone_plays_to_the_end(play: Visit, played: Solo) -> None:
    assert played.problems == []
    assert played.summary["outcome"] == "completed"
    table = read_table(played.export)
    assert list(dict.fromkeys(table.column("episode"))) == ["0", "1", "2"]
    assert played.summary["players"][0]["certified_through"] == [2, int(table.rows[-1]["frame"])]
    (player,) = table.players
    assert set(table.column(f"action.{player}")) == {"0", "1"}
    assert played.stats["rollbacks"] == 0
    assert (played.rerun.differences, played.rerun.status) == ("", 0)
    assert played.rerun.export == played.export


# -- mistakes ------------------------------------------------------------------------------------------------------------

GOOD = """import pyodide_runtime as pr


def make_env():
    import gymnasium

    return gymnasium.make("CartPole-v1")


experiment = pr.Experiment(name="Mistaken", environment=make_env, max_steps=30, requirements=["gymnasium==1.4.0"])
"""
IN_THE_ENVIRONMENT = GOOD.replace('"CartPole-v1"', '"NoSuchPole-v1"')
IN_A_SETTING = GOOD.replace("max_steps=30", "max_steps=-30")
LINE_OF_ENVIRONMENT, LINE_OF_SETTING = 7, 10


@dataclass(frozen=True)
class Mistake:
    """How a mistake came to light: what the page showed, and the lines that the terminal got from then on."""

    seen: Seen
    terminal: list[str]


async def _make_mistake(house: House, text: str, name: str) -> Mistake:
    """Serve a good experiment, put a mistake into its file, and open a page."""
    folder = house.folder / name
    folder.mkdir()
    file = folder / "mistaken.py"
    file.write_text(GOOD)
    server = await house.server(file)
    file.write_text(text)
    before = len(server.lines)
    async with AsyncExitStack() as stack:
        player = await _player(stack, house, "Di", server.url)
        await player.open(server.url, "mistaken", {})
        await player.reach("failed", seconds=SECONDS_TO_LOAD)
        seen = await _look(player, house.artifacts / f"failed-{name}.png")
    await asyncio.to_thread(server.wait_for_line, "mistaken.py:", SECONDS_TO_START)
    return Mistake(seen, server.lines[before:])


@pytest.mark.parametrize(
    ("play", "line", "words"),
    [
        pytest.param(
            Visit(lambda house: _make_mistake(house, IN_THE_ENVIRONMENT, "environment")),
            LINE_OF_ENVIRONMENT,
            "NoSuchPole",
            id="environment",
        ),
        pytest.param(
            Visit(lambda house: _make_mistake(house, IN_A_SETTING, "setting")),
            LINE_OF_SETTING,
            "max_steps",
            id="setting",
        ),
    ],
)
def test_a_mistake_is_one_message_with_file_and_line(play: Visit, played: Mistake, line: int, words: str) -> None:
    place = f"mistaken.py:{line}"
    assert played.seen.phase == "failed"
    for told in (played.seen.error, played.seen.text, "\n".join(played.terminal)):
        assert told.count(place) == 1, told
        assert words in told
    assert "Traceback" not in played.seen.text
