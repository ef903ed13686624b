"""Send what a stream shows to an MQTT broker: python examples/mqtt.py http://camera.local/stream mqtt://localhost"""

import os
import sys
from pathlib import Path

from edge_runtime import Broker, DigitReader, Mqtt, run

source, address = sys.argv[1:]
with DigitReader() as reader:
    run([source], reader, [Mqtt(Broker.parse(address, os.environ), Path("kitchen.sqlite"), device="kitchen")])
