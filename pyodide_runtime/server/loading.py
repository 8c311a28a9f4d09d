"""Reading an experiment file on the server, which has none of the experiment's packages.

The file is run once, with stand-ins for the packages that are not installed, to learn its settings;
`environment` and `draw` are never called. Whatever is wrong with it becomes one `ExperimentError` with the
file and the line of the user's own code. This module knows nothing of rooms, browsers or HTTP.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.abc
import importlib.machinery
import json
import sys
import threading
import types
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyodide_runtime.errors import ExperimentError
from pyodide_runtime.experiment import Experiment, SettingError
from pyodide_runtime.server.sources import OWN_PACKAGE, Sources
from pyodide_runtime.server.stand_ins import StandInFinder

VARIABLE = "experiment"
"""Name of the module variable that an experiment file sets."""

_loading = threading.RLock()


@dataclass(frozen=True)
class LoadedExperiment:
    """An experiment file as the server needs it.

    Attributes:
        experiment: its settings.
        module: the name by which the browser imports the file.
        files: relative path -> source of the file and of the modules beside it that it imports.
        sprites: name of a sprite -> image file.
    """

    experiment: Experiment
    module: str
    files: dict[str, str]
    sprites: dict[str, Path]

    def for_worker(self) -> dict[str, Any]:
        """What a browser's worker is told of the experiment, as JSON values."""
        return {
            "module": self.module,
            "files": self.files,
            "requirements": list(self.experiment.requirements),
            "settings": self.experiment.settings(),
        }

    def fingerprint(self) -> str:
        """Equal for two readings of the same file exactly if nothing in it was edited in between."""
        sprites = {name: str(path) for name, path in self.sprites.items()}
        told = json.dumps([self.module, self.files, sprites], sort_keys=True)
        return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()


def load(file: str | Path) -> LoadedExperiment:
    """Read an experiment file. Raises ExperimentError with the file and, where there is one, the line.

    Leaves `sys.meta_path` as it was, and `sys.modules` without the experiment's modules and without
    stand-ins. Packages that are installed are imported as usual.
    """
    path = Path(file).absolute()
    try:
        _check_file(path)
        sources = Sources(path)
        with _loading:
            experiment = _run(sources)
            sprites = {name: _sprite(sources, name, image) for name, image in experiment.sprites.items()}
    except ExperimentError as error:
        raise ExperimentError(error.message, file=_as_seen(error.file), line=error.line) from None
    return LoadedExperiment(experiment, sources.main.module, sources.texts(), sprites)


def _as_seen(file: str | None) -> str | None:
    """The file as it is named from where the server was started, if it lies below."""
    here = Path.cwd()
    return str(Path(file).relative_to(here)) if file and Path(file).is_relative_to(here) else file


def _check_file(path: Path) -> None:
    if not path.exists():
        raise ExperimentError("there is no such file", file=str(path))
    if not path.is_file() or path.suffix != ".py":
        raise ExperimentError("this is no Python file; give the experiment's .py file", file=str(path))
    if not path.stem.isidentifier():
        raise ExperimentError(
            f"{path.stem!r} cannot be imported; name the file with letters, digits and '_' only",
            file=str(path),
        )
    if path.stem == OWN_PACKAGE or path.stem in sys.stdlib_module_names:
        raise ExperimentError(f"the name {path.stem} is taken by a module that Python needs; rename the file", file=str(path))


def _run(sources: Sources) -> Experiment:
    main = sources.main
    with _imports_of(sources):
        try:
            module = importlib.import_module(main.module)
        except ExperimentError as error:
            raise _placed(error, sources) from None
        except (Exception, SystemExit) as error:
            raise _placed(ExperimentError(_in_one_message(error)), sources, error) from None
        values = vars(module)
        value = values.get(VARIABLE)
    if isinstance(value, Experiment):
        return value
    if VARIABLE in values:
        kind = type(value).__name__
        raise ExperimentError(
            f"{VARIABLE} is a {kind}, not an Experiment; write {VARIABLE} = pr.Experiment(...)",
            file=str(main.file),
            line=_line_of_assignment(main.tree, VARIABLE),
        )
    others = [name for name, other in values.items() if isinstance(other, Experiment)]
    remedy = f"rename {others[0]} to {VARIABLE}" if others else f"write {VARIABLE} = pr.Experiment(...)"
    raise ExperimentError(
        f"the file sets no variable named {VARIABLE}; {remedy}",
        file=str(main.file),
        line=_line_of_assignment(main.tree, others[0]) if others else None,
    )


class _SourceFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the experiment's own modules, and runs exactly the text that is sent to the browser."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self.names: set[str] = set()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if "." in fullname and fullname.rpartition(".")[0] not in self.names:
            return None
        source = self._sources.find(fullname)
        if source is None and not self._sources.is_namespace(fullname):
            return None
        self.names.add(fullname)
        is_package = source is None or source.is_package
        origin = None if source is None else str(source.file)
        spec = importlib.machinery.ModuleSpec(fullname, self, origin=origin, is_package=is_package)
        spec.has_location = origin is not None
        return spec

    def exec_module(self, module: types.ModuleType) -> None:
        source = self._sources.find(module.__name__)
        if source is not None:
            exec(source.code, vars(module))


@contextmanager
def _imports_of(sources: Sources) -> Iterator[None]:
    """While it lasts, the experiment's modules and stand-ins can be imported; then everything is put back."""
    own = _SourceFinder(sources)
    stand_ins = StandInFinder(lambda file: sources.by_file(file) is not None)
    tops = {name.partition(".")[0] for name in sources.by_module}
    hidden = {name: module for name, module in sys.modules.items() if name.partition(".")[0] in tops}
    for name in hidden:
        del sys.modules[name]
    sys.meta_path.insert(0, own)
    sys.meta_path.append(stand_ins)
    try:
        yield
    finally:
        sys.meta_path[:] = [finder for finder in sys.meta_path if finder is not own and finder is not stand_ins]
        for name, module in list(sys.modules.items()):
            loader = getattr(getattr(module, "__spec__", None), "loader", None)
            if loader is own or loader is stand_ins or name in own.names:
                del sys.modules[name]
        sys.modules.update(hidden)


def _in_one_message(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _placed(error: ExperimentError, sources: Sources, raised: BaseException | None = None) -> ExperimentError:
    """The error with the innermost place in the experiment's own files at which it arose."""
    if error.file is not None:
        return error
    trace = (raised or error).__traceback__
    place = None
    while trace is not None:
        source = sources.by_file(trace.tb_frame.f_code.co_filename)
        if source is not None:
            place = source, trace.tb_lineno
        trace = trace.tb_next
    if place is None:
        return ExperimentError(error.message, file=str(sources.main.file))
    source, line = place
    if isinstance(error, SettingError):
        line = _line_of_setting(source.tree, line, error.setting.partition("[")[0])
    return ExperimentError(error.message, file=str(source.file), line=line)


def _line_of_setting(tree: ast.Module, line: int, setting: str) -> int:
    """The line at which the call that begins at or reaches over `line` gives the argument named `setting`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.lineno <= line <= (node.end_lineno or node.lineno):
            for keyword in node.keywords:
                if keyword.arg == setting:
                    return keyword.value.lineno
    return line


def _line_of_assignment(tree: ast.Module, name: str) -> int | None:
    lines = [
        node.lineno for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Store)
    ]
    return lines[-1] if lines else None


def _sprite(sources: Sources, name: str, image: str) -> Path:
    folder = sources.folder.resolve()
    path = (folder / image).resolve()
    if path.is_relative_to(folder) and path.is_file():
        return path
    fault = "leads out of the experiment's folder" if not path.is_relative_to(folder) else "is not there"
    line = next(
        (
            keyword.value.lineno
            for node in ast.walk(sources.main.tree)
            if isinstance(node, ast.Call)
            for keyword in node.keywords
            if keyword.arg == "sprites"
        ),
        None,
    )
    raise ExperimentError(
        f"sprites[{name!r}]: the file {image!r} {fault}; put it beside the experiment file",
        file=str(sources.main.file),
        line=line,
    )
