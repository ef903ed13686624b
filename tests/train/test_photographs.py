import hashlib

import numpy as np

from train import dataset, photographs


def test_one_photograph_is_kept_to_choose_with() -> None:
    training, held_out = photographs.names(False), photographs.names(True)
    assert len(held_out) == 1
    assert {*training, *held_out} == set(photographs.PHOTOGRAPHS)


def test_photographs_match_their_hashes_in_color() -> None:
    for name, sha256 in photographs.PHOTOGRAPHS.items():
        picture = photographs.photograph(name)
        assert picture.dtype == np.uint8
        assert min(picture.shape[:2]) > 400
        assert picture.shape[2] == 3
        file = dataset.cache_folder().with_name("photographs") / f"{name}.jpg"
        assert hashlib.sha256(file.read_bytes()).hexdigest() == sha256
