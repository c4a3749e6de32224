"""The reference says what the models say, and leaves out none of them."""

from pathlib import Path

from pipec.spec.base import Spec
from tests.docs.reference import load_model, models, with_tables

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "pipeline-file.md"

# Read and checked, and answered with PIPEC_NOT_SUPPORTED; or, of a store in memory, without a key.
NOT_USABLE_YET = {
    "AgentStepSpec",
    "CallStepSpec",
    "DynamicStepSpec",
    "EnvText",
    "HttpStore",
    "MemoryStore",
    "ReapiStore",
    "RedisStore",
    "S3Store",
    "SelectedText",
}


def test_the_tables_are_those_of_the_models() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert with_tables(page) == page, "`python -m tests.docs.reference` writes the tables"


def test_every_table_that_can_be_used_is_in_the_reference() -> None:
    shown = {load_model(name) for name in models(PAGE.read_text(encoding="utf-8"))}
    usable = {
        model
        for model in all_models(Spec)
        if model.__module__ != "pipec.spec.later" and model.__name__ not in NOT_USABLE_YET
    }
    assert shown == usable


def all_models(base: type[Spec]) -> set[type[Spec]]:
    below = set(base.__subclasses__())
    return below.union(*(all_models(model) for model in below))
