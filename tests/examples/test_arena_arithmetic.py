"""The arena's arithmetic is equal on every host because its sources hold nothing else: they are read here.

Floats may only be added, subtracted, multiplied, divided and compared, and square roots taken. All else that
the sources may use is named below; what is not named is refused, so that a new operation needs a new thought.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
AUDITED = ("arena_floor.py", "arena_world.py", "arena_environment.py")

OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.USub, ast.Not, ast.BitOr)
"""BitOr stands in annotations only: integers are never combined bit by bit."""
MODULES = {
    "__future__", "arena_floor", "arena_world", "collections", "collections.abc", "dataclasses", "gymnasium",
    "math", "numpy", "numpy.typing", "pettingzoo", "random", "typing",
}  # fmt: skip
OF_MODULES = {
    "math": {"sqrt"},
    "random": {"Random"},
    "np": {"array", "float64"},
    "spaces": {"Box", "Discrete"},
}
DRAWS = {"random", "randrange", "choice", "seed"}
"""What `random.Random` computes from whole random bits, alike in every version; no gauss, no uniform."""
FUNCTIONS = {
    "ValueError", "bool", "dataclass", "deque", "enumerate", "field", "float", "int", "len", "list", "max",
    "min", "range", "zip",
}  # fmt: skip
METHODS = {"append", "fromkeys", "get"}
OF_THE_FLOOR = {"Body", "normal_between", "push_out_of_walls", "touching"}


def faults(source: str) -> list[str]:
    """Every use of something that is not known to be equal everywhere, with its line."""
    tree = ast.parse(source)
    own = {
        node.name for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.ClassDef))
    }  # classes and functions of the file itself
    found = []
    for node in ast.walk(tree):
        fault = _fault(node, own)
        if fault:
            found.append(f"line {getattr(node, 'lineno', '?')}: {fault}")
    return found


def _fault(node: ast.AST, own: set[str]) -> str | None:
    if isinstance(node, (ast.operator, ast.unaryop)) and not isinstance(node, OPERATORS):
        return f"operator {type(node).__name__}"
    if isinstance(node, (ast.Set, ast.SetComp)):
        return "a set, whose order is not fixed"
    if isinstance(node, ast.Import):
        strange = [alias.name for alias in node.names if alias.name not in MODULES]
        return f"import of {strange[0]}" if strange else None
    if isinstance(node, ast.ImportFrom):
        if node.module not in MODULES or node.module in ("math", "random", "numpy"):
            return f"import from {node.module}"
        return None
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        allowed = OF_MODULES.get(node.value.id)
        return f"{node.value.id}.{node.attr}" if allowed is not None and node.attr not in allowed else None
    if isinstance(node, ast.Call):
        return _fault_of_call(node.func, own)
    return None


def _fault_of_call(called: ast.expr, own: set[str]) -> str | None:
    if isinstance(called, ast.Name):
        return None if called.id in FUNCTIONS | OF_THE_FLOOR | own else f"call of {called.id}"
    if isinstance(called, ast.Attribute):
        holder = called.value
        if isinstance(holder, ast.Name) and (holder.id in OF_MODULES or holder.id == "rules"):
            return None  # its attributes are checked by themselves, or are another audited file
        if isinstance(holder, ast.Attribute) and holder.attr == "generator":
            return None if called.attr in DRAWS else f"draw by {called.attr}"
        return None if called.attr in METHODS | own else f"call of .{called.attr}"
    return "call of something that has no name"


@pytest.mark.parametrize("name", AUDITED)
def test_the_arena_keeps_to_operations_that_are_equal_on_every_host(name: str) -> None:
    assert faults((EXAMPLES / name).read_text()) == []


@pytest.mark.parametrize(
    "snippet",
    [
        "y = x ** 2.0",
        "x **= 2.0",
        "y = x % 1.5",
        "y = x // 0.1",
        "y = a @ b",
        "y = sum(values)",
        "y = pow(x, 2)",
        "y = round(x, 3)",
        "y = abs(hash(x))",
        "import math\ny = math.sin(x)",
        "import math\ny = math.hypot(x, z)",
        "import math\nf = math.exp",
        "from math import sin",
        "import cmath",
        "import time",
        "import random\ny = random.random()",
        "y = self.generator.gauss(0.0, 1.0)",
        "y = self.generator.uniform(0.0, 1.0)",
        "y = np.dot(a, b)",
        "y = np.array(a).mean()",
        "y = {a, b}",
        "y = {a for a in b}",
        "y = set(b)",
    ],
)
def test_the_audit_refuses_what_may_differ_between_hosts(snippet: str) -> None:
    assert faults(snippet) != []
