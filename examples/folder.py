"""Read every picture in a folder, a JSON object a line: python examples/folder.py photos/ > readings.jsonl"""

import sys

from edge_runtime import DigitReader, JsonLines, PictureError, open_source

with DigitReader() as reader:
    lines = JsonLines(print)
    for frame in open_source(sys.argv[1]):
        if isinstance(frame, PictureError):
            print(frame, file=sys.stderr)
        else:
            lines.reading(reader.read(frame))
