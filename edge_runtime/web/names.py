"""The names and addresses of this machine on its networks."""

import ipaddress
import re
import socket
import struct
import sys
from contextlib import suppress

SIOCGIFADDR = 0x8915  # Linux: the IPv4 address of a device


def host() -> str:
    """Return this machine's host name in lower case."""
    return socket.gethostname().lower().removesuffix(".")


def local(name: str) -> str:
    """Return the mDNS name for a host name."""
    return f"{name.partition('.')[0]}.local"


def names() -> list[str]:
    """Return this machine's names: localhost, its host name, its mDNS name, and its IPv4 addresses.

    IPv6 addresses change too often: each change would need a new certificate, which users would have to trust again.
    """
    own = [name for name in (host(), local(host())) if re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)*", name)]
    return list(dict.fromkeys(["localhost", *own, "127.0.0.1", "::1", *addresses()]))


def addresses() -> list[str]:
    """Return the IPv4 addresses of this machine that the system reports."""
    ips = set()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        if sys.platform == "linux":
            import fcntl

            for _, device in socket.if_nameindex():
                with suppress(OSError):  # the device has no address
                    answer = fcntl.ioctl(asking, SIOCGIFADDR, struct.pack("256s", device.encode()))
                    ips.add(socket.inet_ntoa(answer[20:24]))
        with suppress(OSError):  # no route
            asking.connect(("192.0.2.1", 9))  # sends nothing
            ips.add(asking.getsockname()[0])
    return sorted(ips, key=ipaddress.IPv4Address)
