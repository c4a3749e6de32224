"""The tables of the smaller benchmarks, as they stand in `results/` and in the documentation."""

import datetime as dt
import io
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Final

RESULTS: Final = Path(__file__).parent / "results"
TITLES: Final = {
    "overhead": "What a task costs beside its process",
    "planning": "Planning of 1,000, 10,000 and 100,000 tasks",
    "editor": "A keystroke in a file of 5,000 lines",
}


@contextmanager
def kept(name: str, *, keep: bool) -> Iterator[None]:
    """Keeps what is printed within as today's table of a benchmark, and prints it.

    Args:
        name: one of `TITLES`.
        keep: whether it is written to `results/` at all.
    """
    heard = io.StringIO()
    with redirect_stdout(heard):
        yield
    table = heard.getvalue().strip()
    print(table)
    if keep:
        today = dt.datetime.now(tz=dt.UTC).date()
        text = f"### {TITLES[name]}\n\nTaken {today}.\n\n{table}\n"
        (RESULTS / f"{today}-{name}.md").write_text(text, encoding="utf-8")


def newest_tables(results: Path = RESULTS) -> str:
    """The newest table of each benchmark that has one, in the order of `TITLES`."""
    found = [max(results.glob(f"????-??-??-{name}.md"), default=None) for name in TITLES]
    return "\n".join(path.read_text(encoding="utf-8") for path in found if path is not None)
