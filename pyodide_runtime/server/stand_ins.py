"""Stand-ins for packages that are not installed, so that an experiment file can be read without them.

A stand-in module has every attribute; an attribute can be called, indexed, derived from, iterated over (it
is empty) and used as a decorator. It has no value: whoever asks for a number is told so. Nothing here knows
what an experiment is; whose imports are answered is decided by the caller of `StandInFinder`.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import operator
import sys
import types
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NoReturn


class UnknownValue(TypeError):
    """A number was asked of something whose package is not installed here."""


class StandIn:
    """Stands for something, named by its dotted path, in a package that is not installed."""

    def __init__(self, path: str) -> None:
        self.__dict__["_path"] = path

    def __repr__(self) -> str:
        path: str = self.__dict__["_path"]
        return f"<{path}; {path.partition('.')[0]} is not installed on the server>"

    def __getattr__(self, name: str) -> StandIn:
        if name.startswith("__") and name != "__version__":
            raise AttributeError(name)
        attribute = StandIn(f"{self.__dict__['_path']}.{name}")
        self.__dict__[name] = attribute
        return attribute

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """What a call gives; a lone function or class is given back, as most decorators do."""
        if len(arguments) == 1 and not named and isinstance(arguments[0], (types.FunctionType, type)):
            return arguments[0]
        return StandIn(f"{self.__dict__['_path']}()")

    def __getitem__(self, key: object) -> StandIn:
        return StandIn(f"{self.__dict__['_path']}[...]")

    def __setitem__(self, key: object, value: object) -> None:
        pass

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __contains__(self, item: object) -> bool:
        return False

    def __bool__(self) -> bool:
        return True

    def __enter__(self) -> StandIn:
        return self

    def __exit__(self, *exception: object) -> None:
        pass

    def __instancecheck__(self, instance: object) -> bool:
        base = self.__dict__.get("_base")
        return base is not None and isinstance(instance, base)

    def __subclasscheck__(self, subclass: type) -> bool:
        base = self.__dict__.get("_base")
        return base is not None and issubclass(subclass, base)

    def __mro_entries__(self, bases: tuple[object, ...]) -> tuple[type, ...]:
        """The class that a class deriving from this one really derives from: the same one every time."""
        base = self.__dict__.get("_base")
        if base is None:
            base = type(self.__dict__["_path"].rpartition(".")[2], (_Base,), {})
            self.__dict__["_base"] = base
        return (base,)

    def _number(self, *_: object) -> NoReturn:
        raise UnknownValue(f"{self!r} has no value here; write the value out, or ask for it in the environment")

    __len__ = __int__ = __float__ = __index__ = __complex__ = __round__ = _number


class _Base:
    """Base of the classes that stand in as base classes: takes any arguments."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        pass

    def __init_subclass__(cls, **named: Any) -> None:
        pass


def _operator(name: str) -> Callable[..., StandIn]:
    def operate(self: StandIn, *_: object) -> StandIn:
        return StandIn(f"{self.__dict__['_path']}.{name}()")

    return operate


def _comparison(self: StandIn, other: object) -> bool:
    return False


for _name in (
    "add",
    "sub",
    "mul",
    "truediv",
    "floordiv",
    "mod",
    "pow",
    "matmul",
    "and",
    "or",
    "xor",
    "lshift",
    "rshift",
):
    for _prefix in ("", "r"):
        setattr(StandIn, f"__{_prefix}{_name}__", _operator(f"__{_prefix}{_name}__"))
for _name in ("neg", "pos", "abs", "invert"):
    setattr(StandIn, f"__{_name}__", _operator(f"__{_name}__"))
for _function in (operator.lt, operator.le, operator.gt, operator.ge):
    setattr(StandIn, f"__{_function.__name__}__", _comparison)


class StandInModule(types.ModuleType):
    """Stands for a module that is not installed; also a package of such modules."""

    def __getattr__(self, name: str) -> StandIn:
        if name.startswith("__") and name != "__version__":
            raise AttributeError(name)
        attribute = StandIn(f"{self.__name__}.{name}")
        setattr(self, name, attribute)
        return attribute


class StandInFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Answers, as the last on `sys.meta_path`, for modules that nobody else found.

    Args:
        is_asked_by: tells by the file name of the code that imports whether its imports are to be answered.
            Imports made by installed packages must not be: they try out optional packages and would be
            deceived for good.
    """

    def __init__(self, is_asked_by: Callable[[str], bool]) -> None:
        self._is_asked_by = is_asked_by

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The spec of a stand-in, or None where an import is not to be answered."""
        parent = fullname.rpartition(".")[0]
        if parent:
            answered = isinstance(sys.modules.get(parent), StandInModule)
        else:
            answered = self._is_asked_by(_importing_file())
        if not answered:
            return None
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        """An empty stand-in."""
        return StandInModule(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        """A stand-in has no code."""


def _importing_file() -> str:
    """File name of the innermost running code that is neither this module's nor the import system's."""
    frame: types.FrameType | None = sys._getframe(1)
    while frame is not None:
        name = frame.f_code.co_filename
        if name != __file__ and not name.startswith("<frozen importlib") and name != importlib.__file__:
            return name
        frame = frame.f_back
    return ""
