"""Builds the site: every Markdown file of `content/` becomes a page, beside the search index."""

import argparse
import html
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from string import Template

from markdown_it import MarkdownIt

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Page:
    """One file of `content/`."""

    slug: str
    title: str
    latin: str
    summary: str
    body: str


def read_page(path: Path) -> Page:
    """The page in a file that opens with a block of `name: value` lines between two `---`."""
    opening, head, text = path.read_text(encoding="utf-8").split("---\n", 2)
    if opening:
        raise SystemExit(f"{path}: does not start with `---`")
    fields = dict(line.split(": ", 1) for line in head.splitlines())
    try:
        return Page(
            path.stem,
            fields["title"],
            fields["latin"],
            fields["summary"],
            MarkdownIt().render(text),
        )
    except KeyError as missing:
        raise SystemExit(f"{path}: has no {missing}") from None


def index_body(pages: list[Page]) -> str:
    """The list of all pages, by title."""
    items = "\n".join(
        f'<li><a href="{page.slug}.html">{html.escape(page.title)}</a>: '
        f"{html.escape(page.summary)}</li>"
        for page in sorted(pages, key=lambda page: page.title)
    )
    return f"<ul>\n{items}\n</ul>"


def main() -> None:
    """Reads `--content`, writes `--out`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--content", type=Path, required=True)
    parser.add_argument("--search-index", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    site, base = os.environ["SITE_TITLE"], os.environ["SITE_URL"].rstrip("/")
    template = Template((HERE / "templates" / "page.html").read_text(encoding="utf-8"))

    def write(slug: str, title: str, summary: str, body: str) -> None:
        text = template.substitute(
            site=html.escape(site),
            title=html.escape(title),
            summary=html.escape(summary),
            url=html.escape(f"{base}/{slug}.html"),
            body=body,
        )
        (options.out / f"{slug}.html").write_text(text, encoding="utf-8")

    shutil.rmtree(options.out, ignore_errors=True)
    shutil.copytree(HERE / "static", options.out)
    shutil.copy(options.search_index, options.out / "search-index.json")
    pages = [read_page(path) for path in sorted(options.content.glob("*.md"))]
    for page in pages:
        latin = f'<p class="latin">{html.escape(page.latin)}</p>\n'
        write(page.slug, page.title, page.summary, latin + page.body)
    write("index", "All birds", f"{len(pages)} birds of one garden", index_body(pages))
    print(f"{len(pages) + 1} pages in {options.out}")


if __name__ == "__main__":
    main()
