"""Two keys are the same exactly when everything that must matter is."""

import copy
import itertools
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.property.effort import laws
from tests.reference.inputs import Selection, look
from tests.reference.key import essence
from tests.unit.core.bench import Bench, decide, pattern, seal, task

counter = itertools.count()
INPUTS = ["src/**", "lit", "gone"]


def base_task() -> dict[str, Any]:
    """A task with something of everything."""
    return task(
        INPUTS,
        ["out/**"],
        description="as written",
        shell=["sh", "-c"],
        cwd="",
        env={
            "A": "1",
            "S": {"secret": "TOKEN"},
            "K": {"secret": "TOKEN", "in-key": True},
            "V": {"var": "MODE", "default": "dev"},
            "M": {"var": "MODE", "default": "dev", "map": {"dev": "1", "prod": "1", "x": "2"}},
            "N": {"value": "1", "in-key": False},
        },
        env_inputs=["CI", "NODE_*"],
        structured_inputs=[{"env": "WHO"}, {"file": "package.json", "key": "a"}],
        matrix={"os": "a"},
        steps=[
            {"kind": "shell", "command": "make", "env": {"B": "1"}},
            {"kind": "argv", "argv": ["a", "b c"]},
        ],
    )


class World:
    """A task, the files it sees and the host it runs on."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.task = base_task()
        self.host = {"TOKEN": "t", "MODE": "dev", "CI": "1", "NODE_ENV": "a", "OTHER": "o"}
        self.platform = "linux-x86_64"
        self.extras = [["file package.json a", '"1"']]
        self.name = "t"
        root.mkdir()
        bench = self.bench()
        bench.write("src/a", "a")
        bench.write("src/b", "b", 0o755)
        bench.write("src/deep/c", "c")
        bench.write("lit", "l")
        bench.write("not-an-input", "n")
        (root / "src" / "link").symlink_to("a")

    def bench(self) -> Bench:
        request = {"host": self.host, "platform": self.platform}
        return Bench(self.root, {self.name: self.task}, request=request)

    def key(self) -> str:
        return self.bench().key(extras=self.extras)

    def essence(self) -> str:
        rules = [pattern(rule) for rule in INPUTS]
        inputs = look(self.root, Selection(rules, {}, self.task["outputs"]))
        return essence(
            self.task, inputs, host=self.host, platform=self.platform, extras=self.extras
        )


def paths(root: Path) -> list[Path]:
    """The files of a world."""
    return [root / name for name in ("src/a", "src/b", "src/deep/c", "lit", "not-an-input")]


def rename_folder(world: World) -> None:
    if (world.root / "src/deep").is_dir():
        (world.root / "src/deep").rename(world.root / "src/moved")


def move(world: World) -> None:
    moved = world.root.with_name(f"moved-{next(counter)}")
    shutil.copytree(world.root, moved, symlinks=True)
    shutil.rmtree(world.root)
    world.root = moved


def retarget(world: World) -> None:
    (world.root / "src/link").unlink()
    (world.root / "src/link").symlink_to("b")


def reorder(world: World) -> None:
    world.task = json.loads(json.dumps(dict(reversed(world.task.items()))))
    world.task["env"] = dict(reversed(world.task["env"].items()))


def set_field(name: str, value: object):
    """A change of one field of the task."""

    def change(world: World) -> None:
        world.task[name] = copy.deepcopy(value)

    return change


def in_step(number: int, name: str, value: object):
    def change(world: World) -> None:
        world.task["steps"][number][name] = value

    return change


def on_host(name: str, value: str | None):
    def change(world: World) -> None:
        world.host = {**world.host, name: value} if value is not None else world.host
        if value is None:
            world.host = {key: text for key, text in world.host.items() if key != name}

    return change


def in_env(name: str, value: object):
    return lambda world: world.task["env"].update({name: copy.deepcopy(value)})


def on_file(name: str, edit):
    def change(world: World) -> None:
        path = world.root / name
        if path.exists():
            edit(path)

    return change


CHANGES = {
    # files
    "edit": on_file("src/a", lambda path: path.write_text("A")),
    "edit another": on_file("src/deep/c", lambda path: path.write_text("C")),
    "edit what is no input": on_file("not-an-input", lambda path: path.write_text("N")),
    "touch": on_file("src/a", lambda path: os.utime(path, (1, 1))),
    "executable": on_file("src/a", lambda path: path.chmod(0o744)),
    "not executable": on_file("src/b", lambda path: path.chmod(0o644)),
    "other bits": on_file("src/a", lambda path: path.chmod(0o600)),
    "other executable bits": on_file("src/b", lambda path: path.chmod(0o711)),
    "remove": on_file("src/b", lambda path: path.unlink()),
    "remove a literal": on_file("lit", lambda path: path.unlink()),
    "add": lambda world: world.bench().write("src/new", ""),
    "add a literal": lambda world: world.bench().write("gone", ""),
    "add an output": lambda world: world.bench().write("out/x", ""),
    "add an empty folder": lambda world: (world.root / "src/empty").mkdir(exist_ok=True),
    "rename": on_file("src/a", lambda path: path.rename(path.with_name("z"))),
    "rename a folder": rename_folder,
    "retarget a link": retarget,
    "move the checkout": move,
    # the task
    "key order": reorder,
    "rename the task": lambda world: setattr(world, "name", "renamed"),
    "description": set_field("description", "otherwise"),
    "retry": set_field("retry", {"attempts": 3}),
    "timeout": set_field("timeout-ms", 5000),
    "pool": set_field("pool", "db"),
    "priority": set_field("priority", 5),
    "requires": set_field("requires", {"tools": ["make"]}),
    "allow failure": set_field("allow-failure", value=True),
    "ttl": lambda world: world.task["cache"].update({"ttl-ms": 60_000}),
    "salt": lambda world: world.task["cache"].update({"salt": "1"}),
    "command": in_step(0, "command", "make all"),
    "step shell": in_step(0, "shell", ["bash", "-c"]),
    "step cwd": in_step(0, "cwd", "src"),
    "step env": in_step(0, "env", {"B": "2"}),
    "step name": in_step(0, "name", "named"),
    "step timeout": in_step(0, "timeout-ms", 5),
    "argv": in_step(1, "argv", ["a", "b", "c"]),
    "one step less": lambda world: world.task.update({"steps": world.task["steps"][:1]}),
    "steps swapped": lambda world: world.task["steps"].reverse(),
    "shell": set_field("shell", ["bash", "-c"]),
    "cwd": set_field("cwd", "src"),
    "outputs": set_field("outputs", [{"glob": "out/**"}, {"glob": "out/x", "exclude": True}]),
    "optional output": set_field("outputs", [{"glob": "out/**", "optional": True}]),
    "matrix": set_field("matrix", {"os": "b"}),
    "matrix name": set_field("matrix", {"so": "a"}),
    "platform independent": set_field("platform-independent", value=True),
    # the environment
    "env value": in_env("A", "2"),
    "env name": in_env("A2", "1"),
    "env not in the key": in_env("N", {"value": "2", "in-key": False}),
    "env as a variable": in_env("A", {"var": "OTHER", "default": "1"}),
    "secret": on_host("TOKEN", "rotated"),
    "mode": on_host("MODE", "prod"),
    "mode gone": on_host("MODE", None),
    "env input": on_host("CI", "2"),
    "env input empty": on_host("CI", ""),
    "env input gone": on_host("CI", None),
    "env input by star": on_host("NODE_PATH", "x"),
    "no env input": on_host("OTHER", "2"),
    "structured variable": on_host("WHO", "me"),
    "structured variable empty": on_host("WHO", ""),
    "structured value": lambda world: world.extras.__setitem__(0, ["file package.json a", '"2"']),
    "platform": lambda world: setattr(world, "platform", "linux-aarch64"),
}


@pytest.fixture
def world(tmp_path: Path):
    return lambda: World(tmp_path / str(next(counter)))


@pytest.mark.parametrize("change", CHANGES)
def test_each_change_alone_changes_the_key_if_it_must(world, change: str) -> None:
    here = world()
    before = here.key(), here.essence()
    CHANGES[change](here)
    after = here.key(), here.essence()
    assert (before[0] == after[0]) == (before[1] == after[1])


@laws(40)
@given(*[st.lists(st.sampled_from(sorted(CHANGES)), max_size=4)] * 2)
def test_keys_are_the_same_when_all_that_matters_is(
    world, first: list[str], second: list[str]
) -> None:
    one, other = world(), world()
    for here, changes in ((one, first), (other, second)):
        for change in changes:
            CHANGES[change](here)
    assert (one.key() == other.key()) == (one.essence() == other.essence())


# --- dependencies ------------------------------------------------------------------------------


def chain(root: Path, **fields: object) -> Bench:
    """`t` after `a`, which owns files, and `b`, which owns none."""
    tasks = {
        "a": task(["in-a"], ["a.out"]),
        "b": task(["in-b"]),
        "t": task(["in-t"], depends_on=["a", "b"], **fields),
    }
    bench = Bench(root, tasks)
    for name in ("in-a", "in-b", "in-t"):
        bench.write(name, "1")
    return bench


def key_after(bench: Bench, output: str = "out", order: tuple[str, ...] = ("a", "b")) -> str:
    """The key of `t` when its dependencies have run and made this."""
    engine = bench.engine(force=True)
    for name in order:
        decide(engine, name)
        bench.write("a.out", output)
        seal(engine, name)
    return str(decide(engine, "t")["key"])


def test_a_dependency_counts_by_its_outputs_or_else_by_its_key(tmp_path: Path) -> None:
    bench = chain(tmp_path)
    key = key_after(bench)
    bench.write("in-a", "2")
    assert key_after(bench) == key, "the same outputs from other inputs"
    assert key_after(bench, "other") != key
    bench.write("in-b", "2")
    assert key_after(bench) != key, "no outputs: the key counts"


def test_order_and_names_of_dependencies_do_not_count(tmp_path: Path) -> None:
    bench = chain(tmp_path)
    key = key_after(bench)
    bench.tasks["t"]["depends-on"] = ["b", "a"]
    assert key_after(bench, order=("b", "a")) == key
    bench.tasks = {
        "x": bench.tasks["a"],
        "y": bench.tasks["b"],
        "t": {**bench.tasks["t"], "depends-on": ["x", "y"]},
    }
    assert key_after(bench, order=("x", "y")) == key


def test_an_uncached_dependency_counts_by_its_outputs_too(tmp_path: Path) -> None:
    bench = chain(tmp_path)
    key = key_after(bench)
    bench.tasks["a"].pop("cache")
    assert key_after(bench) == key
    assert key_after(bench, "other") != key


@pytest.mark.parametrize("through_group", [False, True])
@pytest.mark.parametrize("by", ["depends-on", "structured-inputs"])
def test_nothing_after_a_failed_task_is_cached(
    tmp_path: Path, by: str, *, through_group: bool
) -> None:
    bench = chain(tmp_path)
    if through_group:
        bench.tasks["g"] = {"depends-on": ["a"]}
    need = "g" if through_group else "a"
    bench.tasks["t"] = task(["in-t"], ["t.out"])
    bench.tasks["t"][by] = [need] if by == "depends-on" else [{"outputs-of": need}]
    for _ in range(2):
        engine = bench.engine()
        decide(engine, "a")
        engine.failed("a")
        if through_group:
            decide(engine, "g")
        assert decide(engine, "t")["verdict"]["kind"] == "disabled"
        bench.write("t.out", "made after a failure")
        assert not seal(engine, "t")["stored"]


def test_an_input_that_changes_while_the_task_runs_is_told_and_nothing_is_stored(
    tmp_path: Path,
) -> None:
    bench = chain(tmp_path)
    engine = bench.engine()
    decide(engine, "a")
    bench.write("in-a", "changed by the task")
    bench.write("a.out", "1")
    sealed = seal(engine, "a")
    assert sealed["changed_inputs"] == ["in-a"]
    assert not sealed["stored"]
    bench.tasks["t"]["depends-on"] = ["a"]
    assert decide(engine, "b")["verdict"]["kind"] == "miss"
