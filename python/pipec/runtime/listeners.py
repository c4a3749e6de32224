"""Who listens to a TCP port of this machine."""

import asyncio
import os

_LISTENING = "0A"
_TABLES = ("/proc/net/tcp", "/proc/net/tcp6")
_HOSTS = ("127.0.0.1", "::1")
_PATIENCE_S = 1.0


async def takes_connections(port: int) -> bool:
    """Whether somebody on this machine takes connections at the port."""
    for host in _HOSTS:
        try:
            _, writer = await asyncio.wait_for(asyncio.open_connection(host, port), _PATIENCE_S)
        except (OSError, TimeoutError):
            continue
        writer.close()
        return True
    return False


def describe_listener(port: int) -> str:
    """Who listens, as far as it can be told: `process 4711 (postgres)`; empty if it cannot."""
    sockets = {f"socket:[{inode}]" for table in _TABLES for inode in _listening(table, port)}
    if not sockets:
        return ""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            names = os.listdir(f"/proc/{pid}/fd")
            if any(os.readlink(f"/proc/{pid}/fd/{name}") in sockets for name in names):
                with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as file:
                    return f"process {pid} ({file.read().strip()})"
        except OSError:
            # It has ended, or belongs to somebody else.
            continue
    return ""


def _listening(table: str, port: int) -> list[str]:
    """The inodes of the sockets that listen to the port."""
    try:
        with open(table, encoding="ascii") as file:
            rows = [line.split() for line in file.readlines()[1:]]
    except OSError:
        return []
    suffix = f":{port:04X}"
    return [row[9] for row in rows if row[3] == _LISTENING and row[1].endswith(suffix)]
