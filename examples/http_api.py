"""Have a server read a picture: edge-digits serve, and python examples/http_api.py page.jpg http://127.0.0.1:8000"""

import json
import sys
from pathlib import Path
from urllib.request import Request, urlopen

picture, address = sys.argv[1:]
with urlopen(Request(f"{address}/api/read", data=Path(picture).read_bytes())) as answer:
    print(*json.load(answer)["text"], sep="\n")
