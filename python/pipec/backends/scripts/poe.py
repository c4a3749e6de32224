"""Tasks of Poe the Poet in a pyproject.toml."""

from pipec.backends.scripts.port import Companion
from pipec.backends.scripts.toml_entries import TomlEntries


class Poe(TomlEntries):
    """The table `tool.poe.tasks`."""

    name = "poe"
    separator = ":"
    companion: Companion | None = None

    def __init__(self) -> None:
        super().__init__("tool", "poe", "tasks")

    def is_used_in(self, text: str) -> bool:
        """Whether the project has settings of Poe the Poet."""
        return self.has(text, "tool", "poe")
