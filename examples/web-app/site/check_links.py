"""Checks the built site: every link leads to a file, and every page has one heading."""

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit


class References(HTMLParser):
    """What a page refers to, and how many first-level headings it has."""

    def __init__(self) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.headings = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Called by the parser for every element."""
        self.headings += tag == "h1"
        self.targets += [value for name, value in attrs if name in {"href", "src"} and value]


def problems(page: Path) -> list[str]:
    """What is wrong with one page."""
    references = References()
    references.feed(page.read_text(encoding="utf-8"))
    found = [] if references.headings == 1 else [f"{references.headings} first-level headings"]
    for target in references.targets:
        parts = urlsplit(target)
        if not parts.scheme and parts.path and not (page.parent / parts.path).is_file():
            found.append(f"`{target}` leads nowhere")
    return found


def main(site: Path, report: Path) -> int:
    """Writes the report; 1 if a page has a problem."""
    lines = []
    bad = 0
    for page in sorted(site.glob("*.html")):
        found = problems(page)
        bad += len(found)
        lines += [f"{page.name}: {problem}" for problem in found] or [f"{page.name}: sound"]
    report.parent.mkdir(parents=True, exist_ok=True)
    report.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(report.read_text(encoding="utf-8"), end="")
    return 1 if bad or not lines else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
