"""Constraints on the digits of a picture's lines: a number of digits, or a pattern.

    reader.read(pixels, constraint=of_length(8))
    reader.read(pixels, constraint=of_patterns("[0-3]?[01]?20??"))      # a date, without its signs

A constraint is a deterministic finite automaton over digits.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edge_runtime.errors import OptionError

ANY = frozenset(range(10))
LONGEST = 64  # digits: a strip has 128 steps, and a digit that repeats the one before takes two
# A token of a pattern: a digit, any digit, one of a set, or any number of digits.
TOKEN = re.compile(r"\[(?P<set>(?:\d-\d|\d)+)\]|(?P<one>\d)|(?P<any>\?)|(?P<many>\*)")


@dataclass(frozen=True, slots=True)
class Constraint:
    """A deterministic finite automaton: `moves` maps each state and digit, 0-9, to the next state.

    It starts in state START, and accepts digits that end in one of the states `accepting`.
    """

    moves: tuple[Mapping[int, int], ...]
    accepting: frozenset[int]
    START = 0

    def accepts(self, labels: Sequence[int]) -> bool:
        """Return whether the constraint accepts these digits."""
        state = self.START
        for label in labels:
            if label not in self.moves[state]:
                return False
            state = self.moves[state][label]
        return state in self.accepting


def of_length(least: int, most: int | None = None) -> Constraint:
    """Return the constraint for lines of `least` to `most` digits, or of exactly `least`.

    Raises OptionError unless 1 <= least <= most <= LONGEST.
    """
    most = least if most is None else most
    if not 1 <= least <= most <= LONGEST:
        raise OptionError(f"a line must have 1 to {LONGEST} digits, not {least} to {most}")
    return of_patterns(*("?" * count for count in range(least, most + 1)))


def of_patterns(*patterns: str) -> Constraint:
    """Return the constraint that accepts lines matching one of these patterns.

    As in file names, `?` matches any digit, `[1-357]` one of these, `*` any number of digits, including none; a digit
    matches itself. Raises OptionError where no pattern is given, or one contains anything else.
    """
    chains = [_tokens(pattern) for pattern in patterns]
    if not chains:
        raise OptionError("a constraint needs a pattern")
    # A state is the set of tokens, by chain, that may come next (subset construction).
    start = _opened({(number, 0) for number in range(len(chains))}, chains)
    numbers, waiting = {start: 0}, [start]
    moves: list[dict[int, int]] = []
    accepting = set()
    for places in waiting:  # grows during the loop
        own: dict[int, int] = {}
        for label in sorted(ANY):
            led = {
                (chain, at if many else at + 1)
                for chain, at in places
                if at < len(chains[chain])
                for labels, many in [chains[chain][at]]
                if label in labels
            }
            if led:
                after = _opened(led, chains)
                if after not in numbers:
                    numbers[after] = len(numbers)
                    waiting.append(after)
                own[label] = numbers[after]
        moves.append(own)
        if any(at == len(chains[chain]) for chain, at in places):
            accepting.add(numbers[places])
    return Constraint(tuple(moves), frozenset(accepting))


Tokens = list[tuple[frozenset[int], bool]]  # the digits that it matches, and whether any number of them
Places = frozenset[tuple[int, int]]


def _opened(places: set[tuple[int, int]], chains: Sequence[Tokens]) -> Places:
    """Return `places`, and the places after each token that may match no digit."""
    opened = set(places)
    for chain, at in places:
        while at < len(chains[chain]) and chains[chain][at][1]:
            at += 1
            opened.add((chain, at))
    return frozenset(opened)


def _tokens(pattern: str) -> Tokens:
    tokens: Tokens = []
    at = 0
    while at < len(pattern):
        match = TOKEN.match(pattern, at)
        if match is None:
            raise OptionError(f"a pattern may hold digits, ?, * and [sets] of digits: {pattern!r} has {pattern[at]!r}")
        at = match.end()
        tokens.append((_labels(match), match["many"] is not None))
    if len(tokens) > LONGEST:
        raise OptionError(f"the pattern {pattern!r} has more than {LONGEST} digits")
    return tokens


def _labels(match: re.Match[str]) -> frozenset[int]:
    if match["one"]:
        return frozenset({int(match["one"])})
    if not match["set"]:
        return ANY
    ranges = re.findall(r"(\d)(?:-(\d))?", match["set"])
    return frozenset(label for first, last in ranges for label in range(int(first), int(last or first) + 1))
