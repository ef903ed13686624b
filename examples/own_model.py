"""Read a picture with a model of your own: python examples/own_model.py page.jpg model.tflite labels.txt"""

import sys
from pathlib import Path

from edge_runtime import DigitReader, PictureError, open_source

picture, model, labels = sys.argv[1:]
with DigitReader(Path(model), labels=Path(labels)) as reader:
    for frame in open_source(picture):
        if isinstance(frame, PictureError):
            sys.exit(str(frame))
        print(*reader.read(frame).text, sep="\n")
