"""`python -m pyodide_runtime serve EXPERIMENT.py`: serves one experiment until it is interrupted.

What a mistake costs is one clear message and exit status 2. The packages of the server are imported only once
the command really runs. This module knows nothing of what the server answers.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pyodide_runtime.errors import PyodideRuntimeError
from pyodide_runtime.ice import IceError, checked_servers
from pyodide_runtime.server.loading import LoadedExperiment, load

if TYPE_CHECKING:
    from pyodide_runtime.server.context import ServerOptions

DEMO_ROOM = "demo"
LARGEST_SOCKET_MESSAGE_BYTES = 2**20
NEEDED_FILES = ("pyodide.mjs", "pyodide-lock.json")
DEFAULT_PORTS = {"http": 80, "https": 443}
PACKAGES = ("starlette", "uvicorn", "websockets")

_TURN_SERVER = re.compile(r"(?P<scheme>turns?):(?P<user>[^:@\s]+):(?P<password>[^@\s]+)@(?P<address>[^@\s]+)")
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?|[0-9a-f:.]*:[0-9a-f:.]*")
_STUN_SERVER = re.compile(r"stuns?:[^@\s]+")


class CannotServe(PyodideRuntimeError):
    """The server cannot start; the message says what to do."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `serve`."""
    parser.add_argument("experiment", type=Path, metavar="EXPERIMENT.py", help="the experiment's file")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument(
        "--port",
        type=_port,
        default=8000,
        help="port to listen on, 0 for any free one (default: %(default)s)",
    )
    parser.add_argument(
        "--allow-origin",
        type=origin,
        action="append",
        default=[],
        metavar="ORIGIN",
        help="https://HOST of pages elsewhere that may join and upload: a bundle's; may be repeated",
    )
    parser.add_argument("--data", type=Path, default=Path("data"), help="folder for the players' data (default: %(default)s)")
    parser.add_argument(
        "--distribution",
        type=Path,
        default=Path("build/pyodide"),
        help="folder with Pyodide and the wheels, laid out by `make wheels` (default: %(default)s)",
    )
    parser.add_argument(
        "--socket-delay-ms",
        type=_milliseconds,
        default=0,
        metavar="N",
        help="delay each WebSocket message by N milliseconds in both directions, for tests",
    )
    parser.add_argument(
        "--ice-server",
        type=ice_server,
        action="append",
        default=[],
        metavar="URL",
        help="stun:HOST:PORT or turn:USER:PASSWORD@HOST:PORT, for players apart; may be repeated",
    )
    parser.add_argument(
        "--ice-servers",
        type=ice_servers_file,
        default=[],
        metavar="FILE.json",
        help='a list of such servers as browsers take them: [{"urls": ..., "username": ..., "credential": ...}]',
    )
    parser.add_argument(
        "--ice-transport-policy",
        choices=("all", "relay"),
        help="relay: players connect through TURN servers only, if not through this one (default: as the experiment says)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Serve until interrupted. Raises PyodideRuntimeError with a message for the terminal."""
    loaded = load(arguments.experiment)
    _check_distribution(arguments.distribution)
    try:
        from pyodide_runtime.server.app import ServerOptions, make_app
        from pyodide_runtime.server.claim import claimed
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in (*PACKAGES, "anyio"):
            raise
        raise _missing(error) from None
    options = ServerOptions(
        experiment_file=arguments.experiment.absolute(),
        data=arguments.data,
        distribution=arguments.distribution,
        bridge=bridge_folder(),
        allowed_origins=arguments.allow_origin,
        socket_delay_ms=arguments.socket_delay_ms,
        ice_servers=[*arguments.ice_server, *arguments.ice_servers],
        ice_transport_policy=arguments.ice_transport_policy,
    )
    # First of all the folder: to make the application ends what an earlier server left unfinished there.
    with claimed(options.data), _listen(arguments.host, arguments.port) as listener:
        _run_server(make_app(options), listener, loaded, options)
    return 0


def bridge_folder() -> Path:
    """The page and its modules: within the installed package, or beside it in the source tree."""
    package = Path(__file__).parents[1]
    for folder in (package / "bridge", package.parent / "js_bridge"):
        if (folder / "page" / "play.html").is_file():
            return folder
    raise CannotServe(f"the page is missing: there is neither {package / 'bridge'} nor {folder}; install the package anew")


def ice_server(text: str) -> dict[str, Any]:
    """An `RTCIceServer`, as a JSON value, from its URL; credentials of a TURN server stand before an "@"."""
    turn = _TURN_SERVER.fullmatch(text)
    if turn:
        url = f"{turn['scheme']}:{turn['address']}"
        return {"urls": url, "username": turn["user"], "credential": turn["password"]}
    if _STUN_SERVER.fullmatch(text):
        return {"urls": text}
    raise argparse.ArgumentTypeError(f"{text!r} is no ICE server; write stun:HOST:PORT or turn:USER:PASSWORD@HOST:PORT")


def origin(text: str) -> str:
    """The origin that a URL is of, as browsers write it: "https://example.org", without a default port and without a path."""
    try:
        parts = urlsplit(text)
        default = DEFAULT_PORTS[parts.scheme]
        port = parts.port or default
    except (KeyError, ValueError):
        raise argparse.ArgumentTypeError(f"{text!r} is no origin; write https://HOST or https://HOST:PORT") from None
    host = parts.hostname or ""
    if not _HOST.fullmatch(host) or parts.path not in ("", "/") or parts.query or parts.fragment or parts.username is not None:
        raise argparse.ArgumentTypeError(f"{text!r} is no origin; write https://HOST or https://HOST:PORT, and nothing behind it")
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" if port == default else f"{parts.scheme}://{shown}:{port}"


def ice_servers_file(text: str) -> list[dict[str, Any]]:
    """The ICE servers in a JSON file, checked."""
    try:
        return checked_servers(json.loads(Path(text).read_text(encoding="utf-8")))
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{text} cannot be read: {error.strerror}") from None
    except IceError as error:
        raise argparse.ArgumentTypeError(f"{text}: {error}") from None
    except (ValueError, RecursionError) as error:
        raise argparse.ArgumentTypeError(f"{text} is not JSON in UTF-8: {error}") from None


def _port(text: str) -> int:
    if not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port; write a number from 0 to 65535")
    return int(text)


def _milliseconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1
    if not 0 <= value <= 60_000:
        raise argparse.ArgumentTypeError(f"{text!r} is no delay; write milliseconds from 0 to 60000")
    return value


def _check_distribution(folder: Path) -> None:
    missing = next((name for name in NEEDED_FILES if not (folder / name).is_file()), None)
    if missing is not None:
        what = f"there is no {missing} in {folder}" if folder.is_dir() else f"there is no folder {folder}"
        raise CannotServe(
            f"{what}: Pyodide and the wheels are not laid out; run `make wheels`, "
            "or name the folder that has them by --distribution"
        )


def _missing(error: ModuleNotFoundError) -> CannotServe:
    return CannotServe(f'the server needs the package {error.name}; run: pip install "pyodide_runtime[server]"')


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        number = error.errno or 0
        reason = os.strerror(number) if number > 0 else error.strerror or str(error)
        raise CannotServe(
            f"cannot listen on {host}, port {port}: {reason}; choose another port by --port, or any free one by --port 0"
        ) from None


def _run_server(app: Any, listener: socket.socket, loaded: LoadedExperiment, options: ServerOptions) -> None:
    try:
        import uvicorn
        import websockets  # noqa: F401  uvicorn finds it by itself, and refuses sockets silently without
    except ModuleNotFoundError as error:
        raise _missing(error) from None
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        ws="websockets-sansio",
        ws_max_size=LARGEST_SOCKET_MESSAGE_BYTES,
        timeout_graceful_shutdown=1,
        server_header=False,
    )
    server = uvicorn.Server(config)
    print(_greeting(listener, loaded, options), flush=True)
    try:
        asyncio.run(server.serve(sockets=[listener]))
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)


def _greeting(listener: socket.socket, loaded: LoadedExperiment, options: ServerOptions) -> str:
    host, port = listener.getsockname()[:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    url = f"http://{shown}:{port}"
    pages = loaded.experiment.pages
    windows = {1: "a window", 2: "two windows"}.get(pages, f"{pages} windows")
    return "\n".join(
        (
            f"listening on {url}",
            f"Serving {loaded.experiment.name} on {url}/",
            f"  to play, open {url}/play/{DEMO_ROOM} in {windows}",
            f"  data are kept in {options.data}",
            "  stop with Ctrl-C",
        )
    )
