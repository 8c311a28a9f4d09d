"""From the navigation to the first playable frame, beside the plain way to the same environment.

The plain way is `loadPyodide`, `loadPackage`, and the import of the environment, which is reset and makes a step.

Both pages come from the product's own server, in turns, each into a browser profile of its own. "Nothing cached" is the first visit
with a new profile, "cached" every later one. An experiment for two is played by two at one browser, so that a page need not
wait for another.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from playwright.sync_api import BrowserContext, Playwright, sync_playwright
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from bench.lines import Line, median
from bench.serving import ROOT
from pyodide_runtime.server.app import ServerOptions, make_app
from pyodide_runtime.server.command import bridge_folder
from pyodide_runtime.server.isolation import CrossOriginIsolation
from pyodide_runtime.server.statics import Folder

__all__ = ["measure_startup"]

ROUNDS = 3
CACHED_VISITS = 2
SECONDS = 180.0
LIMITS = {"cached": 0.35, "nothing cached": 0.6}

#: What the plain way needs before Gymnasium can be imported: a module that Pyodide lacks.
STAND_IN = """
import sys, types
stand_in = types.ModuleType("_multiprocessing")
stand_in.SemLock = type("SemLock", (), {"SEM_VALUE_MAX": 1})
stand_in.sem_unlink = lambda name: None
sys.modules["_multiprocessing"] = stand_in
"""

SINGLE = """
environment.reset(seed=7)
environment.step(environment.action_space.sample())
"""

PARALLEL = """
environment.reset(seed=7)
environment.step({agent: environment.action_space(agent).sample() for agent in environment.agents})
"""

#: Both players of a pair at one browser: a key each will do, since nobody plays.
ALONE = """
import dataclasses
from {module} import experiment as pair

experiment = dataclasses.replace(pair, players_per_page=2, keys=[{{"a": 1}}, {{"b": 1}}])
"""


@dataclass(frozen=True)
class Way:
    """An example, and the plain way to its environment.

    Attributes:
        title: for people.
        module: the example's.
        packages: what the plain way loads.
        files: modules of the example that the environment needs.
        code: makes the environment, and its first step.
    """

    title: str
    module: str
    packages: tuple[str, ...]
    files: tuple[str, ...]
    code: str


WAYS = (
    Way(
        "CartPole",
        "cart_pole",
        ("numpy", "gymnasium"),
        (),
        f"import gymnasium\nenvironment = gymnasium.make('CartPole-v1')\n{SINGLE}",
    ),
    Way(
        "Overcooked",
        "overcooked",
        ("numpy", "gymnasium", "cogrid"),
        (),
        f"from cogrid.envs import registry\nenvironment = registry.make('Overcooked-CrampedRoom-V0')\n{PARALLEL}",
    ),
    Way(
        "arena",
        "arena",
        ("numpy", "gymnasium", "pettingzoo"),
        ("arena_environment", "arena_floor", "arena_world"),
        f"from arena_environment import Arena\nenvironment = Arena(max_steps=450)\n{PARALLEL}",
    ),
)


def measure_startup(distribution: Path, titles: Sequence[str]) -> list[Line]:
    """The ratios, and where the time of a start-up goes. RuntimeError with what a page said where it does not start."""
    lines: list[Line] = []
    traces: list[Line] = []
    with sync_playwright() as playwright:
        for way in WAYS:
            if way.title not in titles:
                continue
            print(f"{way.title}: start-up", file=sys.stderr, flush=True)
            with tempfile.TemporaryDirectory() as folder, _served(way, distribution, Path(folder)) as url:
                ours, plain = _visits(playwright, url, Path(folder))
            for which, limit in LIMITS.items():
                lines.append(_ratio(way, which, ours[which], plain[which], limit))
            traces += _trace(way, ours["cached"][-1])
    return lines + traces


@dataclass(frozen=True)
class Visit:
    """One page's start: milliseconds since the navigation, and its parts as the page tells of them."""

    ready_ms: float
    stages: list[dict[str, Any]]


Visits = dict[str, list[Visit]]


def _visits(playwright: Playwright, url: str, folder: Path) -> tuple[Visits, Visits]:
    """Of the product and of the plain way, by what was cached, in pairs."""
    found: tuple[Visits, Visits] = ({which: [] for which in LIMITS}, {which: [] for which in LIMITS})
    for number in range(ROUNDS):
        with contextlib.ExitStack() as stack:
            browsers = [stack.enter_context(_profile(playwright, folder / f"profile-{number}-{who}")) for who in ("ours", "plain")]
            for which in ("nothing cached", *["cached"] * CACHED_VISITS):
                found[0][which].append(_play(browsers[0], f"{url}/play/room{number}{len(found[0][which])}{which[0]}?player_id=a"))
                found[1][which].append(_plain(browsers[1], f"{url}/bench/plain.html"))
    return found


def _play(browser: BrowserContext, address: str) -> Visit:
    page = browser.new_page()
    page.goto(address)
    last = "window.pyodideRuntime?.stages.find(({ name }) => name === 'picture')?.end"
    page.wait_for_function(f"{last} || window.pyodideRuntime?.error", timeout=SECONDS * 1000)
    error, stages = page.evaluate("[window.pyodideRuntime.error, window.pyodideRuntime.stages]")
    if error:
        raise RuntimeError(f"{address}: {error}")
    _rest(page)
    return Visit(stages[-1]["end"], stages)


def _plain(browser: BrowserContext, address: str) -> Visit:
    page = browser.new_page()
    page.goto(address)
    page.wait_for_function("window.readyAt || window.failure", timeout=SECONDS * 1000)
    error, ready_ms, steps = page.evaluate("[window.failure, window.readyAt, window.steps]")
    if error:
        raise RuntimeError(f"{address}: {error}")
    _rest(page)
    return Visit(ready_ms, [{"name": name, "end": at} for name, at in steps])


def _rest(page: Any) -> None:
    """Give the browser the time to write what it caches, and close the page."""
    page.wait_for_timeout(1000)
    page.close()


@contextlib.contextmanager
def _profile(playwright: Playwright, folder: Path) -> Iterator[BrowserContext]:
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        raise SystemExit("Chromium is not installed; `make browsers` installs it")
    arguments = ["--no-sandbox", "--disable-background-networking"]
    browser = playwright.chromium.launch_persistent_context(str(folder), executable_path=program, args=arguments)
    try:
        yield browser
    finally:
        browser.close()


@contextlib.contextmanager
def _served(way: Way, distribution: Path, folder: Path) -> Iterator[str]:
    """The product's server with the example, and the plain page beside it. Its address."""
    sources = folder / "experiments"
    shutil.copytree(ROOT / "examples", sources, ignore=shutil.ignore_patterns("__pycache__"))
    experiment = sources / f"{way.module}.py"
    if way.code.endswith(PARALLEL):
        experiment = sources / f"{way.module}_alone.py"
        experiment.write_text(ALONE.format(module=way.module), encoding="utf-8")
    options = ServerOptions(
        experiment_file=experiment,
        data=folder / "data",
        distribution=distribution,
        bridge=bridge_folder(),
        report=lambda text: None,
    )
    texts = {f"{name}.py": (ROOT / "examples" / f"{name}.py").read_text(encoding="utf-8") for name in way.files}
    request = {"packages": way.packages, "files": texts, "code": STAND_IN + way.code}
    pages = Folder(ROOT / "bench" / "page")

    async def told(_: Request) -> Response:
        return JSONResponse(json.loads(json.dumps(request)))

    async def page(asked: Request) -> Response:
        return await pages.respond(asked, asked.path_params["path"])

    beside = Starlette(routes=[Route("/plain.json", told), Route("/bench/{path:path}", page), Mount("/", make_app(options))])
    config = uvicorn.Config(
        CrossOriginIsolation(beside), host="127.0.0.1", port=0, log_level="warning", access_log=False, ws="websockets-sansio"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        if not thread.is_alive():
            raise RuntimeError("the server did not start")
        thread.join(0.05)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


def _ratio(way: Way, which: str, ours: Sequence[Visit], plain: Sequence[Visit], limit: float) -> Line:
    pairs = list(zip(ours, plain, strict=True))
    own, other = median([visit.ready_ms for visit in ours]), median([visit.ready_ms for visit in plain])
    return Line(
        f"first playable frame, {which}, {way.title}",
        median([one.ready_ms / two.ready_ms for one, two in pairs]),
        "",
        f"loadPyodide, NumPy, gymnasium and the environment: {own:.0f} ms against {other:.0f} ms, {len(pairs)} pairs",
        limit,
    )


def _trace(way: Way, visit: Visit) -> list[Line]:
    """The parts of a start-up; they overlap."""
    return [
        Line(
            f"start-up, {stage['name']}, {way.title}",
            stage["end"] - stage["start"],
            "ms",
            f"from {stage['start']:.0f} to {stage['end']:.0f} ms" + (f", {stage['bytes'] / 1e6:.1f} MB" if stage["bytes"] else ""),
        )
        for stage in visit.stages
        if stage["end"] is not None
    ]
