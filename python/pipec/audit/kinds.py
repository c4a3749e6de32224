"""What of a trace counts, by the kind of the step that left it."""

import os
import sys
import sysconfig
from collections.abc import Iterable
from typing import Literal

import pipec
from pipec.audit.tracing import Trace

Kind = Literal["command", "dynamic", "call", "agent"]


def counted(trace: Trace, kind: Kind, root: str) -> Trace:
    """The trace without what is none of the task's doing.

    A `dynamic` function is called in every run, and what it returns is in the key: what it read or
    heard for that is not a part of the task. Python itself and what is installed for it are no
    part of a `call`. An agent has its own settings and its own connections; what it reads and
    writes in the project is the task's.
    """
    if kind == "dynamic":
        trace.looked_at |= trace.read
        trace.read = set()
        trace.connected = set()
    elif kind == "call":
        own = _interpreter(trace.executed, root)
        trace.read = {path for path in trace.read if not path.startswith(own)}
    elif kind == "agent":
        trace.read = {path for path in trace.read if path.startswith(f"{root}/")}
        trace.connected = set()
    return trace


def _interpreter(executed: Iterable[str], root: str) -> tuple[str, ...]:
    """Where Python, its standard library, what is installed for it and pipec lie."""
    pythons = [path for path in executed if os.path.basename(path).startswith("python")]
    prefixes = [os.path.dirname(os.path.dirname(path)) for path in pythons]
    prefixes += [sys.prefix, sys.base_prefix, os.path.dirname(os.path.abspath(pipec.__file__))]
    prefixes += sysconfig.get_paths().values()
    prefixes += [os.path.realpath(prefix) for prefix in prefixes]
    folders = {f"{prefix.rstrip('/')}/" for prefix in prefixes}
    # A folder that holds the project as well says nothing about what lies in it.
    return tuple(folder for folder in folders if not f"{root}/".startswith(folder))
