"""What a run looks like on a real terminal, done by the core alone and by Python."""

import os
import re
import signal
import subprocess
from collections.abc import Callable

import pytest
from inline_snapshot import snapshot

from tests.conftest import Project
from tests.e2e.terminals import Gate, Terminal
from tests.e2e.ways import NATIVE, PYTHON, WAYS

CHAIN = """
name = "chain"

[tasks.compile]
run = "echo compiling"

[tasks.lint]
depends-on = ["compile"]
run = ["seq -s ' ' -f 'file%g of 世界,' 40", "cat gate"]

[tasks.test]
depends-on = ["lint"]
run = "echo failed; exit 3"

[tasks.after]
depends-on = ["test"]
run = "true"
"""
# What a task may print to take the screen over.
RUDE = r"printf 'one\n\033[2J\033[10A\033[?25l\a\033]0;title\a\033[31mred\033[0m\rdone\n'"


def shows(*texts: str) -> Callable[[str], bool]:
    return lambda shown: all(text in shown for text in texts)


@WAYS
@pytest.mark.parametrize("columns", [80, 120, 200])
def test_what_runs_is_shown_below_what_is_over(
    project: Project, way: tuple[str, ...], columns: int
) -> None:
    project.write("pipeline.toml", CHAIN)
    gate = Gate(project, "gate")
    with Terminal(project, "run", "after", *way, columns=columns) as terminal:
        shown = terminal.until(shows("世"))
        gate.open()
        end = terminal.end()
    assert (
        shown
        == snapshot(
            {
                80: """\
✓ compile <time>  disabled
  lint <time>  file1 of 世界, file2 of 世界, file3 of 世界, file4 of 世界,…
<bar of 40>  1/4, 1 running\
""",
                120: """\
✓ compile <time>  disabled
  lint <time>  file1 of 世界, file2 of 世界, file3 of 世界, file4 of 世界, file5 of 世界, file6 of 世界, file7 of …
<bar of 40>  1/4, 1 running\
""",  # noqa: E501 - as wide as the screen
                200: """\
✓ compile <time>  disabled
  lint <time>  file1 of 世界, file2 of 世界, file3 of 世界, file4 of 世界, file5 of 世界, file6 of 世界, file7 of 世界, file8 of 世界, file9 of 世界, file10 of 世界, file11 of 世界, file12 of 世…
<bar of 40>  1/4, 1 running\
""",  # noqa: E501 - as wide as the screen
            }
        )[columns]
    )
    assert end == snapshot("""\
✓ compile <time>  disabled
✓ lint <time>  disabled
✗ test <time>  disabled
--- log of test
failed
--- end of test
- did not start: after (dependency failed: test)

error[PIPEC_STEP_FAILED]: test: `echo failed; exit 3` ended with exit status 3
4 tasks in <time>: 1 failed, 1 skipped, 2 passed
record: .pipec/runs/<run>\
""")
    assert terminal.process.returncode == 1
    assert terminal.screen.cursor.x == 0


@WAYS
def test_a_narrow_terminal_shows_what_fits(project: Project, way: tuple[str, ...]) -> None:
    project.write("pipeline.toml", CHAIN)
    gate = Gate(project, "gate")
    with Terminal(project, "run", "lint", *way, columns=20) as terminal:
        shown = terminal.until(shows("running"))
        gate.open()
        end = terminal.end()
    assert shown == snapshot("""\
✓ compile <time> …
  lint <time>
1/2, 1 running\
""")
    assert end.partition("record:")[0] == snapshot("""\
✓ compile <time> …
✓ lint <time> …

2 tasks in <time>: 2
passed
""")


@WAYS
def test_colours_are_those_of_every_terminal(project: Project, way: tuple[str, ...]) -> None:
    project.write("pipeline.toml", CHAIN)
    gate = Gate(project, "gate")
    with Terminal(project, "run", "after", *way) as terminal:
        terminal.until(shows("世"))
        shown = terminal.colored()
        gate.open()
        terminal.end()
    assert shown == snapshot("""\
<green>✓<> compile <time>  disabled
  lint <cyan><time><>  file1 of 世界, file2 of 世界, file3 of 世界, file4 of 世界,…
<bar of 40>  <bold>1/4<>, 1 running\
""")
    assert terminal.colored() == snapshot("""\
<green>✓<> compile <time>  disabled
<green>✓<> lint <time>  disabled
<red>✗<> test <time>  disabled
--- log of test
failed
--- end of test
<brown>-<> did not start: after (dependency failed: test)

<red>error[PIPEC_STEP_FAILED]<>: test: `echo failed; exit 3` ended with exit status 3
4 tasks in <time>: 1 failed, 1 skipped, 2 passed
record: .pipec/runs/<run>\
""")


@WAYS
@pytest.mark.parametrize(
    ("words", "env"), [((), {"NO_COLOR": "1"}), (("--color", "never"), {"FORCE_COLOR": "1"})]
)
def test_without_colours_the_same_is_shown(
    project: Project, way: tuple[str, ...], words: tuple[str, ...], env: dict[str, str]
) -> None:
    project.write("pipeline.toml", CHAIN)
    gate = Gate(project, "gate")
    with Terminal(project, "run", "after", *words, *way, env=env) as terminal:
        shown = terminal.until(shows("世"))
        gate.open()
        terminal.end()
    assert shown.endswith("1/4, 1 running")
    assert not re.search(rb"\x1b\[[\d;]*m", terminal.output)


@WAYS
@pytest.mark.parametrize("env", [{"TERM": "dumb"}, {"CI": "true"}], ids=["dumb", "ci"])
def test_a_terminal_that_nobody_looks_at_gets_lines(
    project: Project, way: tuple[str, ...], env: dict[str, str]
) -> None:
    project.write("pipeline.toml", CHAIN)
    gate = Gate(project, "gate")
    with Terminal(project, "run", "lint", *way, env={"NO_COLOR": "1", **env}) as terminal:
        terminal.until(shows("compile"))
        gate.open()
        end = terminal.end()
    assert b"\x1b" not in terminal.output
    assert end == snapshot("""\
✓ compile <time>  disabled
✓ lint <time>  disabled

2 tasks in <time>: 2 passed
record: .pipec/runs/<run>\
""")


def test_colours_can_be_had_without_a_terminal(project: Project) -> None:
    project.write("pipeline.toml", CHAIN)
    for words, env in [(("--color", "always"), {"NO_COLOR": "1"}), ((), {"FORCE_COLOR": "1"})]:
        for way in (NATIVE, PYTHON):
            _, text = project.start("run", "compile", *words, *way, env=env).communicate()
            assert text.startswith(b"\x1b[32m\xe2\x9c\x93\x1b[0m compile"), text
            # No picture, though: nothing moves the cursor.
            assert set(re.findall(rb"\x1b\[[\d;]*(.)", text)) == {b"m"}


@WAYS
def test_a_window_that_changes_its_size_leaves_nothing_behind(
    project: Project, way: tuple[str, ...]
) -> None:
    project.write(
        "pipeline.toml",
        """
name = "screens"

[tasks.first]
run = ["echo a long line of output that takes all of a window with eighty columns", "cat gate-1"]

[tasks.second]
depends-on = ["first"]
run = ["echo short", "cat gate-2"]

[tasks.third]
depends-on = ["second"]
run = ["echo a line of output", "cat gate-3"]
""",
    )
    gates = [Gate(project, f"gate-{number}") for number in (1, 2, 3)]
    with Terminal(project, "run", "third", *way, columns=80) as terminal:
        terminal.until(shows("a long line"))
        terminal.resize(30)
        gates[0].open()
        narrow = terminal.until(shows("short", "1/3, 1 running"))
        terminal.resize(120)
        gates[1].open()
        wide = terminal.until(shows("a line", "2/3, 1 running"))
        gates[2].open()
        end = terminal.end()
    assert narrow == snapshot("""\
✓ first <time>  disabled
  second <time>  short
1/3, 1 running\
""")
    assert wide == snapshot("""\
✓ first <time>  disabled
✓ second <time>  disabled
  third <time>  a line of output
<bar of 40>  2/3, 1 running\
""")
    assert end == snapshot("""\
✓ first <time>  disabled
✓ second <time>  disabled
✓ third <time>  disabled

3 tasks in <time>: 3 passed
record: .pipec/runs/<run>\
""")


def test_very_many_tasks_take_no_more_than_half_of_the_screen(project: Project) -> None:
    tasks = [f'[tasks.t{number:02}]\nrun = "cat gate-{number}"\n' for number in range(30)]
    names = ", ".join(f'"t{number:02}"' for number in range(30))
    project.write(
        "pipeline.toml", 'name = "many"\n' + "".join(tasks) + f"[jobs.all]\ntarget = [{names}]\n"
    )
    gates = [Gate(project, f"gate-{number}") for number in range(30)]
    words = ("run", "all", "--concurrency", "30", *PYTHON)
    with Terminal(project, *words, rows=16) as terminal:
        shown = terminal.until(shows("30 running"))
        for gate in gates:
            gate.open()
        end = terminal.end()
    assert shown == snapshot("""\
  t00 <time>
  t01 <time>
  t02 <time>
  t03 <time>
  t04 <time>
  t05 <time>
  and 24 more
<bar of 40>  0/30, 30 running\
""")
    assert "━" not in end
    assert end.splitlines()[-2] == "30 tasks in <time>: 30 passed"


@WAYS
def test_a_run_of_a_thousand_tasks_ends_with_a_clean_screen(
    project: Project, way: tuple[str, ...]
) -> None:
    names = [f"t{number:03}" for number in range(1000)]
    tasks = [f'[tasks.{name}]\nrun = "true"\n' for name in names]
    project.write(
        "pipeline.toml", 'name = "many"\n' + "".join(tasks) + f"[jobs.all]\ntarget = {names}\n"
    )
    with Terminal(project, "run", "all", *way) as terminal:
        end = terminal.end()
    lines = end.splitlines()
    assert lines[-2].startswith("1000 tasks in <time>: 1000 passed")
    assert all(line.startswith("✓ t") for line in lines[:-3] if line), end
    # Each line stays, in the order in which tasks ended.
    told = re.findall(rb"\xe2\x9c\x93\x1b\[0m (t\d{3})", terminal.output)
    assert sorted(told) == [name.encode() for name in names]


@WAYS
def test_what_a_task_prints_moves_no_cursor(project: Project, way: tuple[str, ...]) -> None:
    project.write(
        "pipeline.toml",
        f"name = 'rude'\n[tasks.rude]\nrun = '''\n{RUDE}\ncat gate; false'''\n",
    )
    gate = Gate(project, "gate")
    with Terminal(project, "run", "rude", *way) as terminal:
        shown = terminal.until(shows("running"))
        gate.open()
        end = terminal.end()
    assert shown == snapshot("""\
  rude <time>  done
<bar of 40>  0/1, 1 running\
""")
    assert end == snapshot("""\
✗ rude <time>  disabled
--- log of rude
one
done
--- end of rude

error[PIPEC_STEP_FAILED]: rude: `printf 'one\\n\\033[2J\\033[10A\\033[?25l\\a\\033]0;t
itle\\a\\033[31mred\\033[0m\\rdone\\n' …` ended with exit status 1
1 task in <time>: 1 failed
record: .pipec/runs/<run>\
""")
    for order in (b"\x1b[2J", b"\x1b[10A", b"\x1b[?", b"\a", b"\x1b]"):
        assert order not in terminal.output


@WAYS
def test_an_interrupt_leaves_lines_and_no_picture(project: Project, way: tuple[str, ...]) -> None:
    project.write("pipeline.toml", CHAIN)
    Gate(project, "gate")
    with Terminal(project, "run", "lint", *way) as terminal:
        terminal.until(shows("世"))
        terminal.type(b"\x03")
        end = terminal.end()
    assert terminal.process.returncode == 130
    assert end.replace("^C", "") == snapshot("""\
✓ compile <time>  disabled
warning[PIPEC_INTERRUPTED]: SIGINT: the tasks are asked to end, a second signal
kills them
! lint <time>  interrupted

2 tasks in <time>: 1 cancelled, 1 passed, SIGINT
record: .pipec/runs/<run>\
""")
    assert terminal.screen.cursor.x == 0


@WAYS
def test_a_task_that_is_killed_leaves_no_picture_either(
    project: Project, way: tuple[str, ...]
) -> None:
    # It does not end when it is asked to: the second interrupt kills it.
    project.write(
        "pipeline.toml",
        """
name = "screens"

[tasks.stubborn]
run = "trap '' INT TERM; echo here; while :; do cat gate; done"
""",
    )
    Gate(project, "gate")
    with Terminal(project, "run", "stubborn", *way, env={"NO_COLOR": "1"}) as terminal:
        terminal.until(shows("here"))
        terminal.type(b"\x03")
        terminal.until(shows("PIPEC_INTERRUPTED"))
        terminal.type(b"\x03")
        end = terminal.end()
    assert terminal.process.returncode == 130
    assert "━" not in end
    assert "─" not in end
    assert "! stubborn" in end


@WAYS
def test_after_a_stop_the_picture_is_drawn_below_what_was_written_meanwhile(
    project: Project, way: tuple[str, ...]
) -> None:
    project.write("pipeline.toml", CHAIN)
    gate = Gate(project, "gate")
    with Terminal(project, "run", "lint", *way, env={"NO_COLOR": "1"}) as terminal:
        terminal.until(shows("世"))
        os.kill(terminal.process.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, terminal.process.pid, os.WSTOPPED)
        terminal.read_what_is_there()
        # As the shell does that has the terminal then.
        terminal.type(b"jobs\n")
        os.kill(terminal.process.pid, signal.SIGCONT)
        terminal.until(lambda shown: shown.count("1 running") == 2)
        gate.open()
        end = terminal.end()
    assert "jobs" in end
    assert end.endswith("record: .pipec/runs/<run>")


@WAYS
def test_a_run_that_is_killed_leaves_a_terminal_that_can_be_used(
    project: Project, way: tuple[str, ...]
) -> None:
    project.write("pipeline.toml", CHAIN)
    Gate(project, "gate")
    with Terminal(project, "run", "lint", *way) as terminal:
        before = terminal.modes()
        terminal.until(shows("1 running"))
        terminal.process.kill()
        end = terminal.end()
        assert terminal.modes() == before
    # Nobody is left to take the picture away: what is typed next goes below it.
    assert "1 running" in end.splitlines()[-1]
    cursor = terminal.screen.cursor
    assert (cursor.x, cursor.y, cursor.hidden) == (0, len(end.splitlines()), False)


@WAYS
def test_a_cached_run_writes_once(project: Project, way: tuple[str, ...]) -> None:
    tasks = (
        f'[tasks.t{number}]\nrun = "true"\ncache = true\ninputs = ["*.toml"]\noutputs = []\n'
        for number in range(50)
    )
    names = [f"t{number}" for number in range(50)]
    project.write(
        "pipeline.toml", 'name = "many"\n' + "\n".join(tasks) + f"[jobs.all]\ntarget = {names}\n"
    )
    assert project.pipec("run", "all").status == 0
    assert project.pipec("run", "all").status == 0
    with traced(project, "run", "all", *way) as terminal:
        end = terminal.end()
    assert "50 cached" in end
    assert len(writes(project)) == 1


@pytest.mark.slow
@WAYS
def test_a_flood_of_output_is_few_writes(project: Project, way: tuple[str, ...]) -> None:
    names = [f"t{number:02}" for number in range(100)]
    tasks = (f'[tasks.{name}]\nrun = "seq 10000"\n' for name in names)
    project.write(
        "pipeline.toml", 'name = "many"\n' + "\n".join(tasks) + f"[jobs.all]\ntarget = {names}\n"
    )
    with traced(project, "run", "all", *way) as terminal:
        end = terminal.end()
    assert "100 passed" in end
    # A picture takes one, ten times a second at most; a million lines take none.
    assert len(writes(project)) < 2000


def traced(project: Project, *words: str) -> Terminal:
    return Terminal(
        project,
        *words,
        before=(
            "strace",
            "-f",
            "-qq",
            "-y",
            "-e",
            "trace=write",
            "-o",
            str(project.folder / "trace"),
        ),
    )


def writes(project: Project) -> list[str]:
    trace = project.read("trace")
    return [line for line in trace.splitlines() if re.search(r"write\(2</dev/pts/", line)]


def test_a_terminal_of_its_own_is_what_an_interactive_task_has(project: Project) -> None:
    project.write(
        "pipeline.toml",
        """
name = "screens"

[tasks.first]
run = ["echo working", "cat gate"]

[tasks.ask]
interactive = true
depends-on = ["first"]
run = "read -r name; echo hello $name; cat gate"
""",
    )
    gate = Gate(project, "gate")
    with Terminal(project, "run", "ask", env={"NO_COLOR": "1"}, data=subprocess.PIPE) as terminal:
        terminal.until(shows("working"))
        gate.open()
        terminal.until(lambda shown: "first <time>" in shown and "running" not in shown)
        terminal.type(b"you\n")
        shown = terminal.until(shows("hello you"))
        gate.open()
        end = terminal.end()
    assert shown == snapshot("""\
✓ first <time>  disabled
you
hello you\
""")
    assert end == snapshot("""\
✓ first <time>  disabled
you
hello you
✓ ask <time>  disabled

2 tasks in <time>: 2 passed
record: .pipec/runs/<run>\
""")
