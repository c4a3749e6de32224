"""The shells that have a name: their arguments up to the command."""

from collections.abc import Mapping

SHELLS: Mapping[str, tuple[str, ...]] = {
    # A script ends at its first failing line; in bash a pipe fails when any part of it does.
    "bash": ("bash", "-eo", "pipefail", "-c"),
    "cmd": ("cmd", "/d", "/s", "/c"),
    "pwsh": ("pwsh", "-NoProfile", "-NonInteractive", "-Command"),
    "sh": ("sh", "-e", "-c"),
}
