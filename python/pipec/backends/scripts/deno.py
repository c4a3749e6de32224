"""`tasks` of a deno.json or deno.jsonc."""

from pipec.backends.scripts.json_entries import JsonEntries
from pipec.backends.scripts.port import Companion


class Deno(JsonEntries):
    """Tasks of Deno."""

    name = "deno"
    separator = ":"
    companion: Companion | None = None

    def __init__(self) -> None:
        super().__init__("tasks")

    def is_used_in(self, text: str) -> bool:
        """Every file of Deno can have tasks."""
        del text
        return True
