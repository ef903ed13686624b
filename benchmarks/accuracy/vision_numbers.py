"""The hand-chosen numbers in edge_runtime/vision: list them, and change one temporarily."""

import ast
import importlib
import pkgutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from edge_runtime import vision

# MNIST's format determines these; reading does not work with other values.
STRUCTURAL = frozenset({"normalize.INNER", "normalize.CENTER"})
NAMES = {each.rpartition(".")[2] for each in STRUCTURAL}


class Number(NamedTuple):
    """A module-level constant; `member` is the index within a tuple."""

    module: str  # within its package
    name: str
    member: int | None
    value: float

    @property
    def constant(self) -> str:
        """The constant's name: module.NAME."""
        return f"{self.module}.{self.name}"

    @property
    def label(self) -> str:
        """The name in tables: module.NAME, or module.NAME[i]."""
        return self.constant if self.member is None else f"{self.constant}[{self.member}]"

    def moved(self, factor: float) -> float:
        """Return the value times `factor`; integers are rounded and change by at least 1."""
        if isinstance(self.value, int):
            return self.value + (round(self.value * factor) - self.value or (1 if factor > 1 else -1))
        return self.value * factor


@dataclass(frozen=True, eq=False)
class Source:
    """A module, its assignments to uppercase names, and the module and name behind each import."""

    module: ModuleType
    assigned: dict[str, ast.expr]
    imported: dict[str, tuple[str, str]]

    @property
    def short(self) -> str:
        """The module's name within its package."""
        return self.module.__name__.rpartition(".")[2]

    def made_of(self, name: str) -> set[str]:
        """Return the uppercase names in the expression of `name`."""
        return {node.id for node in ast.walk(self.assigned[name]) if isinstance(node, ast.Name) and node.id.isupper()}


@cache
def sources(package: ModuleType = vision) -> tuple[Source, ...]:
    """Return the parsed modules directly in a package."""
    parsed = []
    for each in pkgutil.iter_modules(package.__path__):
        module = importlib.import_module(f"{package.__name__}.{each.name}")
        assigned: dict[str, ast.expr] = {}
        imported: dict[str, tuple[str, str]] = {}
        for node in ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                imported |= {alias.asname or alias.name: (node.module, alias.name) for alias in node.names}
            elif isinstance(node, ast.Assign):
                for target in node.targets:
                    assigned |= _pairs(target, node.value)
            elif isinstance(node, ast.AnnAssign) and node.value is not None:
                assigned |= _pairs(node.target, node.value)
        parsed.append(Source(module, {name: value for name, value in assigned.items() if name.isupper()}, imported))
    return tuple(parsed)


def _pairs(target: ast.expr, value: ast.expr) -> dict[str, ast.expr]:
    """Return the value of each name in an assignment such as `A = 1` or `A, B = 1, 2`."""
    if isinstance(target, ast.Name):
        return {target.id: value}
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        pairs = zip(target.elts, value.elts, strict=True)
        return {name.id: part for name, part in pairs if isinstance(name, ast.Name)}
    return {}


def numbers(package: ModuleType = vision) -> list[Number]:
    """Return the hand-chosen numbers, module by module; derived ones do not count, but follow."""
    chosen = []
    for source in sources(package):
        for name in source.assigned:
            value = getattr(source.module, name)
            members = list(enumerate(value)) if isinstance(value, tuple) else [(None, value)]
            structural = f"{source.short}.{name}" in STRUCTURAL
            follows = isinstance(source.assigned[name], ast.Name) or source.made_of(name) - NAMES
            weights = hasattr(value, "_fields")  # of a model, each named: fitted, not chosen
            if not (structural or follows or weights) and all(_is_number(each) for _, each in members):
                chosen += [Number(source.short, name, member, each) for member, each in members]
    return chosen


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


@contextmanager
def changed(number: Number, value: float, package: ModuleType = vision) -> Iterator[None]:
    """Temporarily change a number in every module of its package, and the values derived from it.

    Default arguments and decorators keep their values.
    """
    before: list[tuple[ModuleType, str, Any]] = []

    def put(origin: str, name: str, new: object) -> None:
        for source in sources(package):
            own = source.module.__name__ == origin
            for held in [name] if own else [held for held, of in source.imported.items() if of == (origin, name)]:
                before.append((source.module, held, getattr(source.module, held)))
                setattr(source.module, held, new)
                for made in source.assigned:
                    if held in source.made_of(made):
                        expression = compile(ast.Expression(source.assigned[made]), str(source.module.__file__), "eval")
                        put(source.module.__name__, made, eval(expression, vars(source.module)))

    origin = f"{package.__name__}.{number.module}"
    new: Any = value
    if number.member is not None:
        members = getattr(importlib.import_module(origin), number.name)
        new = (*members[: number.member], value, *members[number.member + 1 :])
    try:
        put(origin, number.name, new)
        yield
    finally:
        for module, held, old in reversed(before):
            setattr(module, held, old)
