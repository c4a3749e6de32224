"""The front end says findings about whatever it is fed, and raises nothing else."""

from tests.fuzz.frontend import fuzz, seeds


def test_made_up_files_raise_nothing_but_findings() -> None:
    assert len(seeds()) > 500
    reached, kept, failures = fuzz(600, seed=1)
    assert failures == []
    assert reached > 500
    assert kept
