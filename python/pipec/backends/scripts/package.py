"""`scripts` of a package.json, which npm, pnpm, yarn and bun run."""

from pipec.backends.scripts.json_entries import JsonEntries
from pipec.backends.scripts.port import Companion


class Package(JsonEntries):
    """Scripts of a package.json."""

    name = "package"
    separator = ":"
    companion: Companion | None = None

    def __init__(self) -> None:
        super().__init__("scripts")

    def is_used_in(self, text: str) -> bool:
        """Every package.json can have scripts."""
        del text
        return True
