"""The search index, as `indexer` wrote it, and the question it answers."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class Hit:
    """A page that answers a search, with what counts for it."""

    url: str
    title: str
    summary: str
    score: int


class Index:
    """Which page holds which word."""

    def __init__(
        self, pages: list[dict[str, str]], terms: dict[str, list[tuple[int, int]]]
    ) -> None:
        self._pages = pages
        self._terms = terms

    @classmethod
    def read(cls, path: Path) -> "Index":
        """The index in a file."""
        data = json.loads(path.read_text(encoding="utf-8"))
        return cls(data["pages"], data["terms"])

    def search(self, question: str, *, limit: int = 10) -> list[Hit]:
        """The pages that hold every word of the question, the best first.

        A word also finds the longer words that it begins: `cater` finds `caterpillars`.
        """
        scores: dict[int, int] | None = None
        for word in WORD.findall(question.lower()):
            found = self._pages_with(word)
            scores = (
                found
                if scores is None
                else {page: scores[page] + found[page] for page in scores.keys() & found.keys()}
            )
        ranked = sorted((scores or {}).items(), key=lambda item: (-item[1], item[0]))
        return [Hit(**self._pages[page], score=score) for page, score in ranked[:limit]]

    def _pages_with(self, word: str) -> dict[int, int]:
        found: dict[int, int] = {}
        for term, places in self._terms.items():
            if term.startswith(word):
                for page, weight in places:
                    found[page] = found.get(page, 0) + weight
        return found
