"""Bundles in a real browser, from a file host in a sub-path: one player without any server of ours, and two through a match server
at another origin."""

from __future__ import annotations

import asyncio
import random
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from e2e.bundling import FileHost, bundle
from e2e.data import read_table
from e2e.house import EXAMPLES, House
from e2e.player import SECONDS_TO_LOAD, SECONDS_TO_PLAY, Player
from e2e.rerunning import rerun
from e2e.server import Server
from e2e.visit import Visit

WINDOW = (1100, 760)
PLACE = "studies/one"
FILES = {"table": "export.csv", **{name: name for name in ("record.ndjson", "diagnostics.ndjson", "outcome.json")}}
"""Names of the files that a page gives out, by the value of the button."""

_NOTE_LABELS = """
window.labels = [];
new MutationObserver(() => {
  const label = document.getElementById("label")?.textContent;
  if (label && label !== window.labels.at(-1)) window.labels.push(label);
}).observe(document, { childList: true, characterData: true, subtree: true });
"""


@dataclass
class Came:
    """What came of a visit: texts of the page by state, the labels of its progress bar, files, what was asked of the host, and what
    went wrong."""

    texts: dict[str, str] = field(default_factory=dict)
    labels: list[str] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    terminal: str = ""
    record: Path = Path()
    session: dict[str, Any] = field(default_factory=dict)


async def _visitor(stack: AsyncExitStack, house: House, name: str, origin: str) -> Player:
    player = await Player.make(name, await house.browsers.get("chromium"), "chromium", origin, window=WINDOW)
    stack.push_async_callback(player.leave)
    return player


async def _keep(came: Came, player: Player, state: str, house: House) -> None:
    await player.page.screenshot(path=house.artifacts / f"bundle-{state}.png")
    came.texts[state] = await player.page.evaluate("document.body.innerText")


async def _balance(player: Player) -> None:
    """Press and release the right arrow, evenly enough that the pole stands for a while."""
    while True:
        await player.page.keyboard.down("ArrowRight")
        await asyncio.sleep(0.034)
        await player.page.keyboard.up("ArrowRight")
        await asyncio.sleep(0.034)


async def _alone(house: House) -> Came:
    came = Came()
    site = house.folder / "site"
    came.terminal = (await asyncio.to_thread(bundle, EXAMPLES / "cart_pole.py", site / PLACE)).stdout
    async with AsyncExitStack() as stack:
        host = stack.enter_context(FileHost(site))
        player = await _visitor(stack, house, "Ada", host.url)
        await player.page.add_init_script(_NOTE_LABELS)
        await player.page.goto(f"{host.url}/{PLACE}/?player_id=Ada")
        await player.page.wait_for_selector("#label:not(:empty)")
        await _keep(came, player, "loading", house)
        # A pole falls within half a second, so the keys are there before the match is.
        keys = asyncio.create_task(_balance(player))
        await player.reach("playing", "finished", seconds=SECONDS_TO_LOAD)
        await player.reach_frame(5)
        await _keep(came, player, "playing", house)
        came.labels = await player.page.evaluate("window.labels")
        await player.reach("finished", seconds=SECONDS_TO_PLAY)
        keys.cancel()
        await _keep(came, player, "finished", house)
        for value, name in FILES.items():
            async with player.page.expect_download() as event:
                await player.page.click(f"#data button[value='{value}']")
            download = await event.value
            came.names.append(download.suggested_filename)
            came.files[name] = (await download.path()).read_bytes()
        came.problems = player.problems
        came.asked = list(host.asked)
    came.record = house.folder / "alone.ndjson"
    came.record.write_bytes(came.files["record.ndjson"])
    return came


ALONE = Visit(_alone)


@pytest.mark.parametrize("play", [ALONE], ids=[""])
def test_one_player_plays_to_the_end_from_a_file_host_alone(play: Visit, played: Came) -> None:
    assert played.problems == []
    assert all(path.startswith(f"/{PLACE}/") for path in played.asked), "nothing lies outside the bundle's folder"
    assert any("MB" in label for label in played.labels) and len(set(played.labels)) > 3, (
        "it says what it loads, and how much of it"
    )
    assert "download them before you close" in played.texts["finished"]
    assert "Download the data (CSV)" in played.texts["finished"]


@pytest.mark.parametrize("play", [ALONE], ids=[""])
def test_its_data_are_taken_from_the_page_and_a_rerun_gives_the_same(play: Visit, played: Came) -> None:
    table = read_table(played.files["export.csv"])
    assert {row["episode"] for row in table.rows} == {"0", "1", "2"}, "three tries"
    assert {row["action.player_0"] for row in table.rows} == {"0", "1"}, "the keys did something"
    again = rerun(played.record, "node")
    assert (again.status, again.differences) == (0, "")
    assert again.export == played.files["export.csv"]
    assert b'"outcome":"completed"' in played.files["outcome.json"].replace(b" ", b"")
    assert b'"summary"' in played.files["diagnostics.ndjson"]
    assert [name.partition("-Ada-")[2] for name in played.names] == list(FILES.values())


# -- two players ---------------------------------------------------------------------------------------------------------


async def _two(house: House) -> Came:
    came = Came()
    site = house.folder / "site-two"
    experiment = EXAMPLES / "arena.py"
    async with AsyncExitStack() as stack:
        host = stack.enter_context(FileHost(site))
        server = Server(experiment, house.folder / "data-bundle", "--allow-origin", host.url)
        stack.push_async_callback(asyncio.to_thread, (servers := ExitStack()).close)
        await asyncio.to_thread(servers.enter_context, server)
        made = await asyncio.to_thread(bundle, experiment, site / PLACE, "--server", server.url)
        came.terminal = made.stdout + made.stderr
        one = await _visitor(stack, house, "Ada", host.url)
        other = await _visitor(stack, house, "Ben", host.url)
        await one.page.goto(f"{host.url}/{PLACE}/")
        await one.reach("waiting", seconds=SECONDS_TO_LOAD)
        await _keep(came, one, "two-waiting", house)
        address = await one.page.locator("#address").get_attribute("href")
        await other.page.goto(f"{address}&player_id=Ben")
        await asyncio.gather(*(player.reach("playing", seconds=SECONDS_TO_LOAD) for player in (one, other)))
        keys = [asyncio.create_task(player.press_keys(random.Random(player.player_id))) for player in (one, other)]
        await one.reach_frame(100)
        await _keep(came, one, "two-playing", house)
        await asyncio.gather(*(player.reach("finished", seconds=SECONDS_TO_PLAY) for player in (one, other)))
        for key in keys:
            key.cancel()
        await _keep(came, one, "two-finished", house)
        session: str = await one.read("window.pyodideRuntime.start.session")
        came.session = await asyncio.to_thread(server.summary, session)
        for told in came.session["players"]:
            name = told["player_id"]
            came.files[name] = await asyncio.to_thread(server.of_player, session, name, "export.csv")
        came.problems = one.problems + other.problems
        came.asked = list(host.asked)
        came.session["frames rolled back"] = (await one.stats())["rollbacks"] + (await other.stats())["rollbacks"]
    return came


@pytest.mark.parametrize("play", [Visit(_two)], ids=[""])
def test_two_players_of_a_bundle_meet_through_a_match_server_elsewhere(play: Visit, played: Came) -> None:
    assert played.problems == []
    assert "1 of 2" in played.texts["two-waiting"]
    assert "Connected" in played.texts["two-playing"]
    assert "Thank you" in played.texts["two-finished"] and "Download" not in played.texts["two-finished"]
    assert played.session["outcome"] == "completed"
    first, second = played.files.values()
    assert first == second and len(read_table(first).rows) == 450
    assert len({row["action.blue"] for row in read_table(first).rows}) > 2
    assert played.session["frames rolled back"] > 0
    assert all(path.startswith(f"/{PLACE}/") for path in played.asked)
    assert any(path.endswith("/pyodide.asm.wasm") for path in played.asked), "Python came from the bundle"


# -- what cannot be played -----------------------------------------------------------------------------------------------


async def _refused(house: House) -> Came:
    came = Came()
    site = house.folder / "site-refused"
    made = await asyncio.to_thread(bundle, EXAMPLES / "arena.py", site / "alone")
    came.terminal = made.stderr
    server = await house.server(EXAMPLES / "arena.py")
    await asyncio.to_thread(bundle, EXAMPLES / "cart_pole.py", site / "other", "--server", server.url)
    async with AsyncExitStack() as stack:
        host = stack.enter_context(FileHost(site))
        player = await _visitor(stack, house, "Ada", host.url)
        await player.page.goto(f"{host.url}/alone/")
        await player.reach("failed", seconds=SECONDS_TO_LOAD)
        await _keep(came, player, "without-a-server", house)
        # A server that was not told of this origin lets nobody in.
        await player.page.goto(f"{host.url}/other/")
        await player.reach("failed", seconds=SECONDS_TO_LOAD)
        await _keep(came, player, "not-allowed", house)
        moved = next((site / "alone").glob("experiment-*"))
        moved.rename(site / "away")
        await player.page.goto(f"{host.url}/alone/?again")
        await player.reach("failed", seconds=SECONDS_TO_LOAD)
        await _keep(came, player, "file-missing", house)
        await player.page.goto((site / "alone" / "index.html").as_uri())
        await player.reach("failed", seconds=SECONDS_TO_LOAD)
        await _keep(came, player, "opened-as-a-file", house)
    with ExitStack() as servers:
        folder = house.folder / "data-other"
        host = servers.enter_context(FileHost(site))
        other = Server(EXAMPLES / "arena.py", folder, "--allow-origin", host.url)
        await asyncio.to_thread(servers.enter_context, other)
        await asyncio.to_thread(bundle, EXAMPLES / "cart_pole.py", site / "other", "--server", other.url)
        async with AsyncExitStack() as stack:
            player = await _visitor(stack, house, "Ada", host.url)
            await player.page.goto(f"{host.url}/other/")
            await player.reach("failed", seconds=SECONDS_TO_LOAD)
            await _keep(came, player, "other-experiment", house)
    return came


@pytest.mark.parametrize("play", [Visit(_refused)], ids=[""])
def test_a_bundle_that_cannot_be_played_says_why(play: Visit, played: Came) -> None:
    assert "THIS BUNDLE CANNOT BE PLAYED" in played.terminal and "--server https://HOST" in played.terminal
    assert "match server" in played.texts["without-a-server"] and "--server" in played.texts["without-a-server"]
    assert "lets nobody in from here" in played.texts["not-allowed"] and "--allow-origin" in played.texts["not-allowed"]
    assert "experiment.json: the server answered 404" in played.texts["file-missing"]
    assert "python3 -m http.server" in played.texts["opened-as-a-file"]
    assert "different versions of the experiment (" in played.texts["other-experiment"]
    assert "cart_pole.py" in played.texts["other-experiment"]
