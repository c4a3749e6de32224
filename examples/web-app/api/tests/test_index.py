"""Searching: what is found, and in which order."""

import pytest

from fieldnotes.index import Index

PAGES = [
    {"url": "wren.html", "title": "Wren", "summary": "Loud"},
    {"url": "robin.html", "title": "Robin", "summary": "Sings all winter"},
]
TERMS = {"moss": [(0, 1), (1, 2)], "mossy": [(0, 4)], "winter": [(1, 3)], "wren": [(0, 8), (1, 1)]}


@pytest.fixture
def index() -> Index:
    return Index(PAGES, TERMS)


@pytest.mark.parametrize(
    ("question", "urls"),
    [
        ("wren", ["wren.html", "robin.html"]),
        ("WREN!", ["wren.html", "robin.html"]),
        ("winter", ["robin.html"]),
        ("mos", ["wren.html", "robin.html"]),
        ("moss winter", ["robin.html"]),
        ("eagle", []),
        ("moss eagle", []),
        ("", []),
    ],
)
def test_a_question_finds_pages_best_first(index: Index, question: str, urls: list[str]) -> None:
    assert [hit.url for hit in index.search(question)] == urls


def test_scores_of_several_words_add_up(index: Index) -> None:
    assert [hit.score for hit in index.search("moss wren")] == [1 + 4 + 8, 2 + 1]


def test_no_more_hits_than_asked_for(index: Index) -> None:
    assert len(index.search("wren", limit=1)) == 1
