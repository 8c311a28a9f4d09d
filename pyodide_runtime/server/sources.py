"""Which Python files belong to an experiment: its own, and the modules beside it that it imports.

Imports are followed from module to module and read from the syntax tree; nothing is run. This module knows
nothing of `Experiment` or of browsers.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType

from pyodide_runtime.errors import ExperimentError

OWN_PACKAGE = __name__.partition(".")[0]


@dataclass(frozen=True)
class Source:
    """One Python file of an experiment.

    Attributes:
        module: its dotted name, seen from the experiment's folder.
        file: its path on disk.
        relative: its path below the experiment's folder, parted by "/".
        text: its contents.
        tree: its syntax tree.
        code: what is run of it.
    """

    module: str
    file: Path
    relative: str
    text: str
    tree: ast.Module
    code: CodeType

    @property
    def is_package(self) -> bool:
        """Whether the file is a package's `__init__.py`."""
        return self.file.name == "__init__.py"


class Sources:
    """The files of one experiment, by dotted module name.

    Args:
        experiment_file: the experiment's own file.

    Raises ExperimentError, with file and line, where a file cannot be read or is not Python.
    """

    def __init__(self, experiment_file: Path) -> None:
        self.folder = experiment_file.parent
        self.by_module: dict[str, Source] = {}
        self._experiment_file = experiment_file
        self.main = self._add(experiment_file.stem, experiment_file)

    def find(self, module: str) -> Source | None:
        """The module beside the experiment, read with all that it imports if it was not known; else None."""
        if module in self.by_module:
            return self.by_module[module]
        top, *rest = module.split(".")
        if top == OWN_PACKAGE or not all(part.isidentifier() for part in (top, *rest)):
            return None
        parent = self.by_module.get(module.rpartition(".")[0])
        if parent is not None and not parent.is_package:
            return None
        path = self.folder.joinpath(top, *rest)
        for file in (path / "__init__.py", path.with_suffix(".py")):
            if file.is_file():
                return self._add(module, file)
        return None

    def is_namespace(self, module: str) -> bool:
        """Whether the module is a folder without `__init__.py` that holds a file of the experiment."""
        return any(name.startswith(f"{module}.") for name in self.by_module)

    def by_file(self, file: str) -> Source | None:
        """The source that was read from a file, given by its path."""
        return next((source for source in self.by_module.values() if str(source.file) == file), None)

    def texts(self) -> dict[str, str]:
        """Relative path -> contents, sorted by path."""
        return {source.relative: source.text for source in sorted(self.by_module.values(), key=_by_path)}

    def _add(self, module: str, file: Path) -> Source:
        text = _read(file)
        relative = file.relative_to(self.folder).as_posix()
        source = Source(module, file, relative, text, *_parse(text, file))
        self.by_module[module] = source
        for node in ast.walk(source.tree):
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                for name in _imported_names(node, source):
                    self._follow(name, node, source)
        return source

    def _follow(self, name: str, node: ast.stmt, importer: Source) -> None:
        """Read the module and the packages that lead to it, as importing does."""
        parts = name.split(".")
        found = [found for count in range(len(parts)) if (found := self.find(".".join(parts[: count + 1])))]
        for source in found:
            if source.module in sys.stdlib_module_names:
                raise ExperimentError(
                    f"{source.relative} beside the experiment hides Python's own module {source.module}; "
                    "give the file another name",
                    file=str(importer.file),
                    line=node.lineno,
                )
        if name == importer.module and importer.file == self._experiment_file:
            raise ExperimentError(
                f"the file imports {name}, which is itself; give the file another name than the package",
                file=str(importer.file),
                line=node.lineno,
            )


def _by_path(source: Source) -> str:
    return source.relative


def _read(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = file.read_bytes()[: error.start]
        raise ExperimentError("the file is not UTF-8; save it as UTF-8", file=str(file), line=before.count(b"\n") + 1) from None
    except OSError as error:
        raise ExperimentError(f"the file cannot be read: {error.strerror}", file=str(file)) from None


def _parse(text: str, file: Path) -> tuple[ast.Module, CodeType]:
    try:
        tree = ast.parse(text, filename=str(file))
        return tree, compile(tree, str(file), "exec", dont_inherit=True)
    except SyntaxError as error:
        raise ExperimentError(f"{type(error).__name__}: {error.msg}", file=str(file), line=error.lineno) from None
    except (ValueError, RecursionError) as error:
        raise ExperimentError(f"the file is not Python: {error}", file=str(file)) from None


def _imported_names(node: ast.Import | ast.ImportFrom, source: Source) -> Iterator[str]:
    """Every dotted name that the statement may import as a module."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
        return
    base = node.module or ""
    if node.level:
        package = source.module.split(".")
        package = package[: len(package) - node.level + source.is_package]
        if len(package) < 1:
            return  # beyond the top: Python itself says so when the file is run
        base = ".".join([*package, *([node.module] if node.module else [])])
    yield base
    yield from (f"{base}.{alias.name}" for alias in node.names if alias.name != "*")
