"""For tests: of pipelines, of programs that run them, and of what is plugged into pipec.

Nothing here needs a test framework: checks raise `AssertionError`, and say what was promised.
"""

from pipec.testing.agents import ScriptedAgent, check_agent
from pipec.testing.check_clock import check_clock
from pipec.testing.check_executor import check_executor
from pipec.testing.check_store import check_store
from pipec.testing.clock import FakeClock
from pipec.testing.commands import ScriptedCommand, ScriptedExecutor
from pipec.testing.project import Project
from pipec.testing.stores import MemoryStore

__all__ = [
    "FakeClock",
    "MemoryStore",
    "Project",
    "ScriptedAgent",
    "ScriptedCommand",
    "ScriptedExecutor",
    "check_agent",
    "check_clock",
    "check_executor",
    "check_store",
]
