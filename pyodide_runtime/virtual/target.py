"""What is to be simulated, by the name that it has on a command line: an environment's maker, or an experiment.

MODULE:NAME, where MODULE is the name of a module or the path of a .py file, and NAME a function (or class) that makes an
environment, or a `pr.Experiment`; without a NAME, `experiment` is meant. The module is imported as it would be
anywhere else; modules beside a file can be imported by it.
"""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from ..drops import OnDrop
from ..environment import adapt
from ..errors import ExperimentError, PyodideRuntimeError
from ..experiment import Experiment
from ..partner import Policy
from .scenario import Factory, Scenario

__all__ = ["Target", "load_target"]

USUAL_NAME = "experiment"


@dataclass(frozen=True, slots=True)
class Target:
    """What was named.

    Attributes:
        name: as it was given.
        factory: makes the environment.
        players: how many it has, as far as it says: as many as the experiment says or as a PettingZoo environment has agents,
            else one.
        experiment: None if it is none.
    """

    name: str
    factory: Factory
    players: int
    experiment: Experiment | None = None

    def partner_in(self, scenario: Scenario) -> Policy | None:
        """The policy that plays for players whose hosts are gone: the experiment's, if one is to play there."""
        if self.experiment is None or scenario.on_drop is not OnDrop.PARTNER:
            return None
        return self.experiment.partner


def load_target(name: str) -> Target:
    """Import what was named; an environment is made once, to be looked at.

    Raises:
        ExperimentError: there is nothing of that name, importing it fails, or it is neither a function nor an experiment.
        EnvironmentNotSupported, ActionError: what it makes is no environment.
    """
    path, suffix, rest = name.partition(".py")
    if suffix and rest[:1] in ("", ":"):
        module, attribute = _of_file(Path(path + suffix)), rest[1:] or USUAL_NAME
    else:
        dotted, _, given = name.partition(":")
        module, attribute = _of_name(dotted), given or USUAL_NAME
    value: Any = module
    for part in attribute.split("."):
        value = getattr(value, part, None)
    if isinstance(value, Experiment):
        return Target(name, value.environment, _count_players(name, value.environment, value.players), value)
    if value is None:
        raise ExperimentError(f"{name}: there is no {attribute} in it; write MODULE:FACTORY, a function that makes the environment")
    if not callable(value):
        raise ExperimentError(f"{name}: {attribute} is a {type(value).__name__}, neither a function nor an Experiment")
    return Target(name, value, _count_players(name, value))


def _of_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise ExperimentError("there is no such file", file=str(path))
    if not path.stem.isidentifier():
        raise ExperimentError(f"{path.stem!r} cannot be imported; name the file with letters, digits and '_' only", file=str(path))
    folder = str(path.resolve().parent)
    sys.path[:] = [folder, *(other for other in sys.path if other != folder)]
    known = sys.modules.get(path.stem)
    if known is not None and Path(str(getattr(known, "__file__", ""))).resolve() != path.resolve():
        del sys.modules[path.stem]  # a module of the same name, from another folder
    return _of_name(path.stem)


def _of_name(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except PyodideRuntimeError:
        raise
    except (Exception, SystemExit) as error:  # whatever the module's own code raises, it means the same
        raise ExperimentError(f"{name!r} cannot be imported: {type(error).__name__}: {error}") from error


def _count_players(name: str, factory: Factory, players: int | None = None) -> int:
    try:
        return len(adapt(factory(), players=players).players)
    except PyodideRuntimeError as error:
        raise type(error)(f"{name}: {error}") from error
    except Exception as error:
        raise ExperimentError(f"{name} cannot be made: {type(error).__name__}: {error}") from error
