"""Every example's environment in Pyodide: it resets, steps, rolls back, and is drawn; and one is played by the worker's calls."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pytest_pyodide import run_in_pyodide

from pyodide_runtime.rows import to_csv
from tests.pyodide.sources import EXAMPLES, example

SHAPES = {"rect", "circle", "ellipse", "line", "polygon", "text", "sprite"}
DEEPEST = 8

#: A match of one player, as the worker of the bridge runs it: everything that Python wants stored is acknowledged at once.
PLAY_ALONE = """
const [config, start, keys] = %s;
const worker = pyodide.pyimport("pyodide_runtime.worker");
const encoder = new TextEncoder(), decoder = new TextDecoder();
const about = JSON.parse(worker.open(JSON.stringify(config)));
worker.start(JSON.stringify(start));
const told = { about, phases: [], rows: "", record: "", outcome: "", views: 0, ticks: 0, firstView: null, stats: {} };

function inbox(events) {
    const payloads = events.map((event) => encoder.encode(JSON.stringify(event)));
    const bytes = new Uint8Array(payloads.reduce((sum, payload) => sum + 8 + payload.length, 0));
    let at = 0;
    for (const payload of payloads) {
        bytes[at] = 2;
        new DataView(bytes.buffer).setUint32(at + 4, payload.length, true);
        bytes.set(payload, at + 8);
        at += 8 + payload.length;
    }
    return bytes;
}

let now = 1000, events = [], stop = false;
while (!stop && told.ticks < 20000) {
    // One key after the other, each for three ticks.
    const turn = Math.floor(told.ticks / 3);
    events.push({ type: "key", key: keys[(turn + 1) %% keys.length], down: false });
    events.push({ type: "key", key: keys[turn %% keys.length], down: true });
    const answer = worker.tick(now, inbox(events));
    if (Object.prototype.toString.call(answer) !== "[object Uint8Array]") throw new TypeError("tick returned no bytes");
    told.ticks += 1;
    events = [];
    const view = new DataView(answer.buffer, answer.byteOffset, answer.byteLength);
    for (let at = 8; at < answer.length;) {
        const kind = view.getUint8(at), length = view.getUint32(at + 4, true), from = at + 8;
        const payload = answer.subarray(from, from + length);
        at = from + length;
        if (kind === 1) throw new Error("a packet, with nobody to send it to");
        if (kind === 2) {
            const event = JSON.parse(decoder.decode(payload));
            if (event.type === "phase") {
                told.phases.push(event.phase);
                stop = event.phase === "finished" || event.phase === "failed";
            }
        }
        if (kind === 3) {
            told.views += 1;
            told.firstView ??= decoder.decode(payload.subarray(1));
        }
        if (kind === 4) {
            const upload = view.getUint32(from, true), header = view.getUint32(from + 4, true);
            const { kind: of } = JSON.parse(decoder.decode(payload.subarray(8, 8 + header)));
            if (of in told) told[of] += decoder.decode(payload.subarray(8 + header));
            events.push({ type: "stored", upload });
        }
        if (kind === 5) {
            const values = new Float64Array(payload.slice().buffer);
            about.stats.forEach((name, place) => { told.stats[name] = values[place]; });
        }
    }
    now = Math.max(now + 1, view.getFloat64(0, true));
}
worker.destroy();
return JSON.stringify(told);
"""


@pytest.fixture
def ready(selenium: Any) -> Any:
    """A Pyodide with the packages of all examples."""
    selenium.load_package(["pyodide-runtime", "cogrid", "pettingzoo", "gymnasium"])
    return selenium


@run_in_pyodide
def reset_step_and_roll_back(selenium: Any, source: dict[str, Any], deepest: int) -> dict[str, Any]:
    import random

    import pyodide_runtime as pr
    from pyodide_runtime.worker import load_experiment

    experiment = load_experiment(source)
    runtime = pr.Runtime(experiment.environment(), seed=5, max_steps=experiment.max_steps, players=experiment.players)
    choices = random.Random(5)
    moves = [*experiment.keys_of_players[0].values(), experiment.default_action]
    script = [{player: choices.choice(moves) for player in runtime.players} for _ in range(60)]
    other = [{player: choices.choice(moves) for player in runtime.players} for _ in range(60)]

    runtime.batch([pr.Snapshot()])
    started = runtime.digest()
    while not runtime.done and runtime.frame < 16:
        runtime.batch([pr.Step(script[runtime.frame]), pr.Snapshot()])
    frames = runtime.frame
    straight = [runtime.snapshot_digest(frame) for frame in range(frames + 1)]
    rows = runtime.rows

    differed = 0
    for depth in range(1, deepest + 1):
        end = frames - depth % 2
        start = end - depth
        for actions in (other, script, script):
            runtime.batch([pr.Rollback(start, actions[start:end], stop_at_end=True, save_all=True)])
            differed += runtime.digest() != straight[end]
        assert [runtime.snapshot_digest(frame) for frame in range(end + 1)] == straight[: end + 1]
        assert runtime.rows == rows[:end]
        runtime.batch([pr.Rollback(end, script[end:frames], save_all=True)])
    assert runtime.digest() == straight[frames]
    assert runtime.rows == rows
    runtime.batch([pr.Reset()])
    return {
        "way": runtime.simulation.way.value,
        "players": len(runtime.players),
        "frames": frames,
        "distinct": len(set(straight)),
        "differed": differed,
        "began alike": runtime.digest() == started,
    }


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_resets_steps_and_rolls_back_by_every_depth(ready: Any, name: str) -> None:
    source = example(name)
    found = reset_step_and_roll_back(ready, source, DEEPEST)
    assert found["players"] == source["settings"]["players"]
    assert found["frames"] >= DEEPEST
    assert found["distinct"] == found["frames"] + 1
    assert 1 <= found["differed"] <= DEEPEST
    assert found["began alike"] is True


@run_in_pyodide
def draw_an_episode(selenium: Any, source: dict[str, Any]) -> list[tuple[str, str]]:
    import pyodide_runtime as pr
    from pyodide_runtime.drawing import Drawing
    from pyodide_runtime.worker import load_experiment

    experiment = load_experiment(source)
    runtime = pr.Runtime(experiment.environment(), seed=5, players=experiment.players)
    moves = [*experiment.keys_of_players[0].values(), experiment.default_action]
    found = []
    for player in runtime.players:
        drawing = Drawing(experiment.draw, player)
        runtime.batch([pr.Reset()])
        views = []
        while not runtime.done and runtime.frame < 20:
            before = runtime.digest()
            views.append(drawing.view(runtime.simulation.root))
            assert runtime.digest() == before
            runtime.batch([pr.Step({name: moves[runtime.frame % len(moves)] for name in runtime.players})])
        assert all(view[0] == 0 for view in views)
        found.append((views[0][1:].decode(), views[-1][1:].decode()))
    return found


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_drawn_for_every_player_and_drawing_changes_nothing(ready: Any, name: str) -> None:
    source = example(name)
    pictures = draw_an_episode(ready, source)
    assert len(pictures) == source["settings"]["players"]
    for first, last in pictures:
        assert first != last
        for picture in (first, last):
            scene = json.loads(picture)
            assert scene["width"] > 0
            assert scene["height"] > 0
            assert {shape["shape"] for shape in scene["shapes"]} <= SHAPES
            assert len(scene["shapes"]) >= 3


@run_in_pyodide
def run_again(selenium: Any, record: str) -> tuple[bytes, list[str]]:
    from pathlib import Path

    from pyodide_runtime.record import read_record
    from pyodide_runtime.rerun import replay_record
    from pyodide_runtime.rows import to_csv

    path = Path("/home/pyodide/record.ndjson")
    path.write_text(record, encoding="utf-8")
    rows, differences = replay_record(read_record(path))
    return to_csv(rows), differences


def test_cart_pole_is_played_to_its_end_by_the_calls_of_the_bridge(ready: Any) -> None:
    source = example("cart_pole")
    config = {"session": "alone", "experiment": source}
    start = {"session": "alone", "seed": 3, "players": [{"player_id": "A", "index": 0}], "index": 0}
    told = json.loads(ready.run_js(PLAY_ALONE % json.dumps([config, start, ["ArrowRight", "ArrowLeft"]])))

    assert told["about"]["name"] == "CartPole"
    assert set(told["about"]["keys"]) == set(source["settings"]["keys"])
    assert told["phases"] == ["playing", "finished"]
    outcome = json.loads(told["outcome"])
    assert outcome["outcome"] == "completed"
    assert outcome["episodes"] == source["settings"]["episodes"] == 3

    rows = [json.loads(line) for line in told["rows"].splitlines()]
    assert outcome["rows"] == len(rows) >= 20
    assert {row["episode"] for row in rows} == {0, 1, 2}
    assert outcome["certified_through"] == [2, rows[-1]["frame"]]
    assert {dict(row["cells"])["action.player_0"] for row in rows} == {"0", "1"}
    assert told["views"] >= len(rows)
    assert json.loads(told["firstView"])["shapes"]
    assert told["stats"]["distinctActions"] == 2
    assert told["stats"]["rollbacks"] == 0

    export, differences = run_again(ready, told["record"])
    assert differences == []
    assert export == to_csv(row["cells"] for row in rows)
