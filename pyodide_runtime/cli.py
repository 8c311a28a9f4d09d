"""The command line: `python -m pyodide_runtime COMMAND ...`.

Each command is a module with `add_arguments(parser)` and `run(arguments) -> exit status`, imported only when
it is asked for, so that no command needs what another one needs. Errors raised on purpose become one message
on stderr and exit status 2. This module knows nothing of what commands do.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, cast

from pyodide_runtime import __version__
from pyodide_runtime.errors import PyodideRuntimeError

PROGRAM = "python -m pyodide_runtime"


@dataclass(frozen=True)
class Command:
    """A command and where it is to be found."""

    name: str
    module: str
    help: str


COMMANDS = (
    Command("serve", "pyodide_runtime.server.command", "serve an experiment to the players' browsers"),
    Command("bundle", "pyodide_runtime.bundle.command", "make a static folder that plays an experiment from any file host"),
    Command("rerun", "pyodide_runtime.rerun", "run a recorded session again, without browser or network"),
    Command("simulate", "pyodide_runtime.virtual.command", "play matches on bad virtual networks, and prove each"),
)


class CommandModule(Protocol):
    """What a command's module offers."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Say which arguments the command takes."""

    def run(self, arguments: argparse.Namespace) -> int:
        """Do it; the exit status."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command named by the arguments, by default those of the process; returns the exit status."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    parser = argparse.ArgumentParser(prog=PROGRAM, description="Environments in the browser, played together.")
    parser.add_argument("--version", action="version", version=__version__)
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True)
    asked = next((word for word in given if not word.startswith("-")), None)
    for command in COMMANDS:
        subparser = subparsers.add_parser(command.name, help=command.help, description=f"{command.help}.")
        if command.name == asked:
            module = cast(CommandModule, importlib.import_module(command.module))
            module.add_arguments(subparser)
            subparser.set_defaults(run=module.run)
    parsed = parser.parse_args(given)
    try:
        return int(parsed.run(parsed))
    except PyodideRuntimeError as error:
        print(error, file=sys.stderr)
        return 2
