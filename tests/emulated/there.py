"""Read pictures where this is run, for a comparison: `python there.py IMAGES.npy SCORES.npy`."""

import sys

import numpy as np

from edge_runtime import Classifier

if __name__ == "__main__":
    with Classifier() as classifier:
        np.save(sys.argv[2], classifier.scores(np.load(sys.argv[1])))
