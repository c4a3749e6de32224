"""What shows a run may break; `rust/core/tests/broken_view.rs` is the same for runs by the core."""

import sys

from tests.conftest import Project
from tests.e2e.records import read_records
from tests.e2e.terminals import Terminal
from tests.e2e.ways import PYTHON

# Draws one picture, and never again.
BROKEN = """
import sys
from pipec.cli.main import main
from pipec.cli.report.plain import PlainReporter

def beat(reporter):
    reporter._draw()
    raise RuntimeError("the picture broke")

PlainReporter.beat = beat
sys.exit(main(sys.argv[4:]))
"""


def test_a_run_whose_display_breaks_goes_on_and_says_so(project: Project) -> None:
    project.write(
        "pipeline.toml",
        """
        name = "app"
        [tasks.first]
        run = "echo said"
        [tasks.second]
        depends-on = ["first"]
        run = "echo done > done"
        """,
    )
    before = (sys.executable, "-c", BROKEN)
    with Terminal(project, "run", "second", *PYTHON, before=before) as terminal:
        modes = terminal.modes()
        shown = terminal.end()
        assert terminal.modes() == modes
    assert terminal.process.returncode == 2
    assert project.read("done") == "done\n"
    assert "✓ second" in shown
    assert "the picture broke" in shown
    assert "<bar" not in shown
    assert not terminal.screen.cursor.hidden
    (record,) = read_records(project.folder)
    assert (record["status"], record["exit_code"]) == ("failed", 2)
    assert record["reason"] == "internal error"
    assert [task["status"] for task in record["tasks"]] == ["passed", "passed"]
