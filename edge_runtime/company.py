"""Marks are judged by the company they keep: among digits a doubtful one is likelier to be one, among letters less so.

How many of the marks on a page, and in each word, are digits is told from the marks themselves, by the rule of Saerens,
Latinne and Decaestecker (2002), "Adjusting the outputs of a classifier to new a priori probabilities".
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

PRIOR = 0.98  # of what a network's confidences were fitted on, so much is digits
# Marks of a page were written, lit and cut out alike, and err together: as evidence, each counts as this power of its
# odds. Chosen, with PRIOR, on generated pages of held-out digits, letters and words.
EVIDENCE = 0.35
USUAL = 0.7  # before anything on a page is seen, so many of its marks are thought to be digits
PAGE, WORD = 2.0, 1.0  # so many marks is what was thought before weighed as, of a page and of a word
ROUNDS = 4
LEAST = 1e-4  # no network is surer than that

Shares = NDArray[np.float64]


def judged(sure: Sequence[float], words: Sequence[Sequence[int]], witness: Sequence[bool]) -> Shares:
    """Return how likely each mark is to be a digit: float64 (N,), 0-1, where it stands.

    `sure` is how likely that is by its look alone, 0-1, where PRIOR of all marks are digits; `words` are the indices of
    the marks in each word; marks in none keep no company, and come out as 0. What is no `witness` is judged like the
    rest, but says nothing of its company.
    """
    odds = []
    for looks in sure:
        looks = min(max(float(looks), LEAST), 1 - LEAST)
        odds.append((looks / (1 - looks) * ((1 - PRIOR) / PRIOR)) ** EVIDENCE)  # as if it were as likely as not before
    page = share([odds[i] for word in words for i in word if witness[i]], USUAL, PAGE)
    found = np.zeros(len(odds))
    for word in words:
        prior = share([odds[i] for i in word if witness[i]], page, WORD)
        for i in word:
            found[i] = _likely(odds[i], prior)
    return found


def share(odds: Sequence[float], prior: float, weight: float) -> float:
    """Return how many of some marks are digits, 0-1; what was thought before counts as `weight` marks."""
    part = prior
    for _ in range(ROUNDS):
        part = (sum(_likely(odd, part) for odd in odds) + weight * prior) / (len(odds) + weight)
    return part


def _likely(odd: float, prior: float) -> float:
    turned = odd * prior / (1 - prior)
    return turned / (1 + turned)
