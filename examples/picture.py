"""Read a picture: python examples/picture.py page.jpg"""

import sys

from edge_runtime import DigitReader, PictureError, open_source

with DigitReader() as reader:
    for frame in open_source(sys.argv[1]):
        if isinstance(frame, PictureError):
            sys.exit(str(frame))
        for line in reader.read(frame).lines:
            print(line.text, f"{line.confidence:.2f}", line.box)
