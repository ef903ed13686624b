"""What a line says that holds more than a number: words, words with numbers, a code or an equation."""

from typing import NamedTuple

import numpy as np

from train import fonts

# Kinds of lines, and how often each occurs: as in the trial that showed what words do, and what number lines lose.
KINDS = {"words": 0.4, "words and numbers": 0.22, "code": 0.14, "equation": 0.24}
MOST = 14  # digits in a line
# Single letters that no digit resembles; in a code, where no word tells a letter from a digit, groups of letters.
VARIABLES = "abcdefhkmnprtuvwxyAEFHKMNPRTXY"
CODED = "ABCDEFGHJKLMNPQRSTUVWXYZ"
OPERATORS = "+×-/="
NO_LETTERS = "→✓"  # an arrow and a tick, which typefaces lack


class Text(NamedTuple):
    """What a line says: tokens, each a word, a number or a sign, and whether a space follows each."""

    tokens: tuple[str, ...]
    spaced: tuple[bool, ...]

    @property
    def digits(self) -> tuple[int, ...]:
        """Return the digits, left to right."""
        return tuple(int(character) for token in self.tokens for character in token if character in fonts.DIGITS)

    def first(self, count: int) -> "Text":
        """Return the first `count` tokens."""
        return Text(self.tokens[:count], self.spaced[:count])

    def __str__(self) -> str:
        """Return the text as it is written."""
        pairs = zip(self.tokens, self.spaced, strict=True)
        return "".join(token + " " * space for token, space in pairs if token not in NO_LETTERS).strip()


def text(kind: str, words: tuple[str, ...], rng: np.random.Generator) -> Text:
    """Return what a line of one of KINDS says, in these words."""
    match kind:
        case "words":
            tokens = [_cased(any_word(words, rng), rng) for _ in range(rng.integers(1, 6))]
            if rng.random() < 0.1:
                tokens.insert(0, str(rng.choice(list(NO_LETTERS))))
            return Text(tuple(tokens), (True,) * len(tokens))
        case "words and numbers":
            return _words_and_numbers(words, rng)
        case "code":
            return _code(words, rng)
        case _:
            return _equation(rng)


def _words_and_numbers(words: tuple[str, ...], rng: np.random.Generator) -> Text:
    """Return words and one to three numbers, in any order."""
    tokens, spaced, left = list[str](), list[bool](), MOST
    numbers = int(rng.integers(1, 4))
    order = [True] * numbers + [False] * int(rng.integers(1, 4))
    for number in rng.permutation(order):
        if not number:
            word = _cased(any_word(words, rng), rng)
            few = rng.random() < 0.35  # a unit or an abbreviation
            tokens.append(word[: rng.integers(1, 4)] if few and word[0] not in fonts.LOOK_ALIKE else word)
            spaced.append(True)
            if rng.random() < 0.25:
                spaced[-1] = False
                tokens.append(str(rng.choice(list(":.,-"))))
                spaced.append(True)
            continue
        count = min(left, int(rng.integers(1, 6)))
        if not count:
            continue
        left -= count
        tokens.append(_number(count, rng))
        spaced.append(bool(rng.random() < 0.85))
    return Text(tuple(tokens), tuple(spaced))


def _code(words: tuple[str, ...], rng: np.random.Generator) -> Text:
    """Return a code: groups of letters and of digits without spaces, at times after a word."""
    tokens, spaced = list[str](), list[bool]()
    if rng.random() < 0.3:
        tokens, spaced = [_cased(any_word(words, rng), rng)], [True]
    number, left = bool(rng.random() < 0.5), MOST
    for _ in range(rng.integers(2, 6)):
        if number:
            count = min(left, int(rng.integers(1, 5)))
            left -= count
            tokens.append(_number(count, rng))
        else:
            count = int(rng.integers(1, 5))
            own = VARIABLES if count == 1 else CODED if rng.random() < 0.75 else CODED.lower().replace("l", "")
            tokens.append("".join(rng.choice(list(own), count)))
        spaced.append(False)
        if rng.random() < 0.12:
            tokens.append(str(rng.choice(list("-/."))))
            spaced.append(False)
        number = not number
    return Text(tuple(tokens), tuple(spaced))


def _equation(rng: np.random.Generator) -> Text:
    """Return terms of numbers and variables, with operators and brackets between them."""
    tokens, left, open_brackets = list[str](), MOST, 0
    for term in range(rng.integers(2, 6)):
        if term:
            tokens.append(str(rng.choice(list(OPERATORS), p=[0.3, 0.15, 0.25, 0.1, 0.2])))
        if rng.random() < 0.2:
            tokens.append(str(rng.choice(["(", "["], p=[0.8, 0.2])))
            open_brackets += 1
        what = rng.random()
        if what < 0.7 and left:
            count = min(left, int(rng.integers(1, 4)))
            left -= count
            tokens.append(_number(count, rng))
        if what > 0.5:
            tokens.append(str(rng.choice(list(VARIABLES))))
        if open_brackets and rng.random() < 0.5:
            tokens.append(str(rng.choice([")", "]"], p=[0.8, 0.2])))
            open_brackets -= 1
    wide = bool(rng.random() < 0.5)
    return Text(tuple(tokens), tuple(wide and token in OPERATORS for token in tokens))


def _number(count: int, rng: np.random.Generator) -> str:
    return "".join(map(str, rng.integers(0, 10, count)))


def any_word(words: tuple[str, ...], rng: np.random.Generator) -> str:
    """Return a random word."""
    return words[rng.integers(len(words))]


def _cased(word: str, rng: np.random.Generator) -> str:
    """Return a word in one of the cases that people write."""
    case = rng.choice(["lower", "first", "upper", "camel"], p=[0.5, 0.28, 0.17, 0.05])
    if case == "first":
        return word.capitalize()
    if case == "upper":
        return word.upper()
    if case == "camel":
        middle = len(word) // 2
        return word[:middle] + word[middle:].capitalize()
    return word
