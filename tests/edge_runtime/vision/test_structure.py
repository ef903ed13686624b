"""What keeps the reading line simple: few ways between its modules, none of them back, and few numbers in it."""

import ast
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import pytest

from edge_runtime import DigitReader, vision
from edge_runtime.records import Frame
from edge_runtime.sources.pictures import load

LINE = ("edge_runtime.vision.", "edge_runtime.survey", "edge_runtime.reader", "edge_runtime.inference.classifier")
MOST_PAIRS = 21  # of stages: arithmetic of boxes is none
# The most numbers chosen by hand in each part of the reading line; they only fall.
MOST_NUMBERS = {"vision": 41, "lines": 11, "orientation.py": 10, "tracking": 4}
# Numbers that nobody chose: none, one, two, the darkest ink, and halves (as of pixels, whose middles lie there).
PLAIN = (0, 1, 2, 255, 0.5)
# Nor did anybody choose these: by module, a part of their line, and why.
STRUCTURE = {
    "normalize": {
        "INNER = 20": "the contract: the side of the box of ink in it",
        "CENTER = 14": "the contract: the middle of the field",
        "columns = 16 * ": "the bytes that rows are aligned to",
        "np.ones((3, 3)": "a pixel and its neighbors",
    },
    "planes": {
        "VGA = 640 * 480": "the pixels of VGA",
        "MEDIAN_DIFFERENCE = ": "a property of the normal distribution",
    },
    "regions": {"np.ones((3, 3)": "a pixel and its neighbors"},
    "constraint": {
        "range(10)": "the digits",
        "LONGEST = 64": "half of the steps that the line network has for a strip",
    },
    "ctc": {"transpose(0, 2, 1, 3)": "axes"},
    "orientation": {
        "QUARTER = 90.0": "degrees of a quarter turn",
        "QUARTER_TURNS: ": "the quarter turns",
        "(1, 2, 3)": "the quarter turns",
        "3 * QUARTER": "a quarter turn",
        "4 * QUARTER": "a whole turn",
        "% 4": "a whole turn",
        "np.arange(-45, 45)": "the degrees between two quarter turns",
        "1e-12": "the rounding of sines",
    },
}
SHAPING = ("empty", "reshape", "zeros")  # what they are given is the shape of an array


def called(run: Callable[[], object]) -> set[tuple[str, str]]:
    """Return which modules of the line call which others while this runs, by their names."""
    pairs: set[tuple[str, str]] = set()

    def module(frame: FrameType | None) -> str | None:
        name = frame.f_globals.get("__name__", "") if frame else ""
        return str(name) if name.startswith(LINE) and not name.endswith(".boxes") else None

    def profile(frame: FrameType, event: str, argument: object) -> None:
        if event == "call":
            caller, callee = module(frame.f_back), module(frame)
            if caller and callee and caller != callee:
                pairs.add((caller, callee))

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        run()
    finally:
        sys.setprofile(before)
    return pairs


def cyclic(pairs: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Return the pairs that are left when modules that call none of the others are taken away again and again."""
    left = set(pairs)
    while ends := {callee for _, callee in left} - {caller for caller, _ in left}:
        left = {(caller, callee) for caller, callee in left if callee not in ends}
    return left


def test_few_modules_call_each_other(reader: DigitReader, samples: Path) -> None:
    frame = load(samples / "paper.jpg")
    reader.trace(frame)  # whatever is made on first use
    pairs = called(lambda: reader.trace(Frame(frame.pixels)))
    listed = "\n".join(f"{caller} -> {callee}" for caller, callee in sorted(pairs))
    assert ("edge_runtime.survey", "edge_runtime.vision.planes") in pairs, listed
    assert not [pair for pair in pairs if pair[1] == "edge_runtime.reader"], listed
    assert not cyclic(pairs), listed
    assert len(pairs) <= MOST_PAIRS, f"{len(pairs)} ways between modules:\n{listed}"


def test_a_cycle_is_seen() -> None:
    chain = {("a", "b"), ("b", "c"), ("a", "c"), ("c", "d")}
    assert cyclic(chain) == set()
    assert cyclic(chain | {("c", "a")}) == {("a", "b"), ("b", "c"), ("a", "c"), ("c", "a")}


def folded(node: ast.AST) -> float | None:
    """Return the number that an expression of nothing but numbers is, or None: 0.5 where it says 1 / 2."""
    match node:
        case ast.Constant(value=int() | float() as value):
            return float(value)
        case ast.UnaryOp(operand=operand) if folded(operand) is not None:
            pass
        case ast.BinOp(left=left, right=right) if folded(left) is not None and folded(right) is not None:
            pass
        case _:
            return None
    return float(eval(compile(ast.Expression(node), "", "eval")))


def shapes(node: ast.AST) -> list[ast.AST]:
    """Return what in a node is an index, a bound of a slice (but no step), or the number or length of axes."""
    match node:
        case ast.Subscript(slice=at):
            parts = at.elts if isinstance(at, ast.Tuple) else [at]
            bounds = [bound for part in parts if isinstance(part, ast.Slice) for bound in (part.lower, part.upper)]
            return [*parts, *(bound for bound in bounds if bound)]
        case ast.Call(func=ast.Attribute(attr=name), args=arguments) if name in SHAPING:
            return [*arguments, *(side for part in arguments if isinstance(part, ast.Tuple) for side in part.elts)]
        case ast.Compare(left=ast.Attribute(attr="ndim"), comparators=axes):
            return [*axes]
    return []


def numbers(source: str) -> list[tuple[int, float]]:
    """Return the line and value of every number in a source that might be another one."""
    tree = ast.parse(source)
    passed = {part for node in ast.walk(tree) for part in shapes(node)}
    literals: list[tuple[int, float]] = []
    left: list[ast.AST] = [tree]
    while left:
        node = left.pop()
        value = None if node in passed else folded(node)
        if value is not None and abs(value) not in PLAIN:
            literals.append((node.lineno, value))  # type: ignore[attr-defined]
        if value is None and not isinstance(node, ast.Constant):
            left += ast.iter_child_nodes(node)
    return sorted(literals)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param("A, B = 0.3, (-1, 20)  # 30", [0.3, 20], id="each by itself"),
        pytest.param("A = 2 * 2 + 0.5 - (-0.3)", [4.8], id="folded to one"),
        pytest.param("A = 2 * 2 * B + 3 * 4 * C", [4, 12], id="folded beside a name"),
        pytest.param("A = B * 2 * 2 - 1 / 2", [], id="halves and twos"),
        pytest.param("A = x[3:, 4][5][::6] + 255 - True", [6], id="indices"),
        pytest.param("A = x[7 * y]", [7], id="part of an index"),
        pytest.param("A = np.zeros((0, 4)), x.reshape(-1, 5), x.ndim == 3, np.ones((7, 7))", [7, 7], id="shapes"),
        pytest.param("def a(b=7): return f'{b} 8' + '9'", [7], id="defaults and text"),
    ],
)
def test_every_number_is_counted(source: str, expected: list[float]) -> None:
    assert sorted(value for _, value in numbers(source)) == expected


@pytest.mark.parametrize("part", MOST_NUMBERS)
def test_few_numbers_are_chosen(part: str) -> None:
    listed = []
    place = Path(vision.__path__[0]).parent / part
    for path in sorted(place.glob("*.py")) if place.is_dir() else [place]:
        source = path.read_text(encoding="utf-8")
        lines, fixed = source.splitlines(), STRUCTURE.get(path.stem, {})
        assert [each for each in fixed if each not in source] == [], f"{path.name} no longer holds these"
        for number, value in numbers(source):
            line = lines[number - 1].strip()
            if not any(each in line for each in fixed):
                listed.append(f"{path.name}:{number}: {value:g}   {line[:80]}")
    assert len(listed) <= MOST_NUMBERS[part], f"{len(listed)} numbers:\n" + "\n".join(listed)
