"""The section of a changelog about one version."""

import os
import re

NAMES = ("CHANGELOG.md", "CHANGES.md", "HISTORY.md")


def find_changelog(*folders: str) -> str | None:
    """The first changelog in these folders."""
    for folder in folders:
        for name in NAMES:
            path = os.path.join(folder, name)
            if os.path.isfile(path):
                return path
    return None


def section_of(text: str, version: str) -> str | None:
    """What the changelog says of a version: the text under its heading; None without a heading.

    A heading is `## 1.2.3`, `## [1.2.3]` or `## v1.2.3`, with whatever follows, such as a date.
    """
    heading = re.compile(rf"(#{{1,3}})\s+\[?v?{re.escape(version)}\]?(?![\w.+-])")
    lines = text.splitlines()
    for index, line in enumerate(lines):
        found = heading.match(line)
        if found is None:
            continue
        level = len(found[1])
        end = next(
            (
                later
                for later in range(index + 1, len(lines))
                if re.match(rf"#{{1,{level}}}\s", lines[later])
                or re.match(r"\[[^\]]+\]:\s", lines[later])
            ),
            len(lines),
        )
        return "\n".join(lines[index + 1 : end]).strip()
    return None
