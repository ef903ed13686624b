"""What this machine is called by others on its networks."""

import ipaddress
import re
import socket
import struct
import sys
from contextlib import suppress

SIOCGIFADDR = 0x8915  # Linux: the IPv4 address of a device


def host() -> str:
    """Return the name that this machine has, in lower case."""
    return socket.gethostname().lower().removesuffix(".")


def local(name: str) -> str:
    """Return what a machine of this name is called by mDNS."""
    return f"{name.partition('.')[0]}.local"


def names() -> list[str]:
    """Return what this machine goes by: localhost, its name, the one by mDNS, and its IPv4 addresses.

    IPv6 addresses change too often: a certificate for them would have to be trusted anew all the time.
    """
    own = [name for name in (host(), local(host())) if re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)*", name)]
    return list(dict.fromkeys(["localhost", *own, "127.0.0.1", "::1", *addresses()]))


def addresses() -> list[str]:
    """Return the IPv4 addresses of this machine, as far as the system tells."""
    ips = set()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        if sys.platform == "linux":
            import fcntl

            for _, device in socket.if_nameindex():
                with suppress(OSError):  # it has none
                    answer = fcntl.ioctl(asking, SIOCGIFADDR, struct.pack("256s", device.encode()))
                    ips.add(socket.inet_ntoa(answer[20:24]))
        with suppress(OSError):  # there is no way out
            asking.connect(("192.0.2.1", 9))  # sends nothing
            ips.add(asking.getsockname()[0])
    return sorted(ips, key=ipaddress.IPv4Address)
