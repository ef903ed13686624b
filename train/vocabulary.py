"""Words of six languages, for drawn text: none of their letters is a digit.

They are the word lists of BIP 39 in the npm package `bip39` (ISC license), 2,048 words a language, fetched like the
typefaces and kept beside them. The project contains none of them.
"""

import json
import unicodedata
from functools import cache

from train import dataset, npm

PACKAGE, VERSION = "bip39", "3.1.0"
FILE = "package/src/wordlists/{name}.json"
LANGUAGES = {
    "czech": "c773adc9ba669c9010c9ca2acf1704893812fa0fe7a4077b2c93708ca6bce965",
    "english": "62f88f0b7469bfddd862ba4e2499af3758384ae6304c5bb48637d2401d22afb2",
    "french": "f548b34fb1111f9ee2269c9b86f049f1617dead19faf3ead7a209eedaadd9e4e",
    "italian": "0cc1a33b4023fe1edc3e327d67971d52225a8d6f8bdd44cd7514361b551f11ce",
    "portuguese": "1ceb4acb0bd040ce168f7f09ff7da4ea77b2bbf39c81e17281fb1f9723e09bbb",
    "spanish": "aca9726354586fcffba66c8628685dcceee70d58274fb8e75c268786e00cfcd3",
}


@cache
def words(held_out: bool) -> tuple[str, ...]:
    """Return the training words, or the held-out ones: every fifth.

    Raises DataError where they are not available.
    """
    files = {
        f"{name}.json": npm.Packed(PACKAGE, VERSION, FILE.format(name=name), sha256)
        for name, sha256 in LANGUAGES.items()
    }
    folder = npm.fetched(files, dataset.cache_folder().with_name("words"), "word lists")
    every = {
        unicodedata.normalize("NFC", word)
        for name in files
        for word in json.loads((folder / name).read_text(encoding="utf-8"))
    }
    return tuple(word for i, word in enumerate(sorted(every)) if (i % 5 == 4) == held_out)
