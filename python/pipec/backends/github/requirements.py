"""Whether the requirements by which runners install pipec lock every hash."""

import re
from collections.abc import Iterator

_PIN = re.compile(r"^(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?\s*(?P<rest>.*)$")


def requirement_problems(text: str) -> Iterator[str]:
    """What keeps the file from deciding alone what is installed; nothing if it does."""
    has_pipec = False
    joined = re.sub(r"\\\r?\n", " ", text)
    for line in joined.splitlines():
        entry = line.split(" #")[0].strip()
        if not entry or entry.startswith("#"):
            continue
        if entry.startswith("-"):
            if not entry.startswith(("--only-binary", "--require-hashes", "--no-binary")):
                yield f"`{entry.split()[0]}` leads elsewhere"
            continue
        found = _PIN.match(entry)
        if found is None or not found["rest"].startswith("=="):
            yield f"`{entry.split()[0]}` has no exact version"
        elif "--hash=sha256:" not in entry:
            yield f"`{found['name']}` has no hash"
        elif re.sub(r"[-_.]+", "-", found["name"]).lower() == "pipec":
            has_pipec = True
    if not has_pipec:
        yield "`pipec` is not in it"
