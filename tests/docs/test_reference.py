"""The reference says what the program says, and leaves out nothing of it."""

import tomli

from pipec.spec.base import Spec
from pipec.spec.meaning import meanings
from pipec.spec.schema import all_models
from tests.docs.python_reference import PYTHON_PAGE, python_page
from tests.docs.reference import INDEX, PAGE, index, load_model, models, with_tables

WITHOUT_KEYS = {"MemoryStore"}


def test_the_tables_are_those_of_the_models() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert with_tables(page) == page, "`python -m tests.docs.reference` writes the tables"


def test_every_table_of_the_language_is_in_the_reference() -> None:
    shown = [load_model(name) for name in models(PAGE.read_text(encoding="utf-8"))]
    assert len(set(shown)) == len(shown)
    assert set(shown) == {model for model in all_models(Spec) if model.__name__ not in WITHOUT_KEYS}


def test_the_example_of_a_key_is_toml_with_that_key() -> None:
    for model in all_models(Spec):
        for meaning in meanings(model):
            assert list(tomli.loads(meaning.example)) == ([meaning.key] if meaning.example else [])


def test_the_index_of_codes_is_current() -> None:
    assert INDEX.read_text(encoding="utf-8") == index(), "`python -m tests.docs.reference`"


def test_the_reference_of_the_python_api_is_current() -> None:
    page = PYTHON_PAGE.read_text(encoding="utf-8")
    assert page == python_page(), "`python -m tests.docs.reference`"
