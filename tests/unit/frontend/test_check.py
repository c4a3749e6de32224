"""Rules on the pipeline as a whole."""
# ruff: noqa: E501 - findings stand here as they are printed

import pytest
from inline_snapshot import snapshot

from pipec.frontend.cycles import find_cycles
from tests.pipelines import codes_of, said_of


def test_each_circle_is_shown_once_as_a_path() -> None:
    text = """
    name = "app"
    [tasks.self]
    depends-on = ["self"]
    [tasks.a]
    depends-on = ["outside", "b"]
    [tasks.b]
    depends-on = ["c", "a"]
    [tasks.c]
    depends-on = ["a"]
    [tasks.outside]
    [jobs.one]
    target = "outside"
    needs = ["two"]
    [jobs.two]
    target = "outside"
    needs = ["one"]
    [named-inputs]
    x = ["y"]
    y = ["!x"]
    [cache.stores]
    near = { layered = ["far"] }
    far = { layered = ["near"] }
    """
    assert said_of(text) == snapshot("""\
error[PIPEC_DEPENDENCY_CYCLE]: the task `self` depends on itself
 --> pipeline.toml:3:15
  |
3 | depends-on = ["self"]
  |               ^^^^^^
  |

error[PIPEC_DEPENDENCY_CYCLE]: tasks depend on each other in a circle: `a` → `b` → `a`
 --> pipeline.toml:5:26
  |
5 | depends-on = ["outside", "b"]
  |                          ^^^
6 | [tasks.b]
7 | depends-on = ["c", "a"]
  |                    --- and `b` needs `a`
  |

error[PIPEC_DEPENDENCY_CYCLE]: jobs need each other in a circle: `one` → `two` → `one`
  --> pipeline.toml:13:10
   |
13 | needs = ["two"]
   |          ^^^^^
...
16 | needs = ["one"]
   |          ----- and `two` needs `one`
   |

warning[PIPEC_UNUSED]: the named input `x` is not used
  --> pipeline.toml:18:1
   |
18 | x = ["y"]
   | ^
   |

error[PIPEC_NAMED_INPUT_CYCLE]: named inputs refer to each other in a circle: `x` → `y` → `x`
  --> pipeline.toml:18:6
   |
18 | x = ["y"]
   |      ^^^
19 | y = ["!x"]
   |      ---- and `y` takes in `x`
   |

warning[PIPEC_UNUSED]: the named input `y` is not used
  --> pipeline.toml:19:1
   |
19 | y = ["!x"]
   | ^
   |

error[PIPEC_DEPENDENCY_CYCLE]: layered stores contain each other in a circle: `far` → `near` → `far`
  --> pipeline.toml:22:20
   |
21 | near = { layered = ["far"] }
   |                     ----- and `near` contains `far`
22 | far = { layered = ["near"] }
   |                    ^^^^^^
   |
""")


def test_a_long_circle_is_shortened() -> None:
    lines = ['name = "app"']
    for index in range(40):
        lines += [f"[tasks.t{index:02}]", f'depends-on = ["t{(index + 1) % 40:02}"]']
    message = said_of("\n".join(lines)).splitlines()[0]
    assert message == snapshot(
        "error[PIPEC_DEPENDENCY_CYCLE]: tasks depend on each other in a circle: `t00` → `t01` → `t02` → `t03` → `t04` → `t05` → (29 more) → `t35` → `t36` → `t37` → `t38` → `t39` → `t00`"
    )


def test_a_chain_of_any_length_has_no_circle() -> None:
    length = 200_000
    edges = {str(index): [str(index + 1)] for index in range(length)}
    assert list(find_cycles(edges)) == []
    edges[str(length - 1)] = ["0"]
    (cycle,) = find_cycles(edges)
    assert len(cycle) == length


def test_references_to_nothing_offer_the_nearest_name() -> None:
    text = """
    name = "app"
    [tasks.web.build]
    depends-on = ["tset", "^build", "other:task"]
    [tasks.web.test]
    [jobs.verify]
    target = "web.biuld"
    """
    assert said_of(text) == snapshot("""\
error[PIPEC_UNKNOWN_TASK]: there is no task `tset`
 --> pipeline.toml:3:15
  |
3 | depends-on = ["tset", "^build", "other:task"]
  |               ^^^^^^
  |
help: did you mean `test`?

error[PIPEC_UNKNOWN_TASK]: `^build` means tasks of the members that a member depends on, and this pipeline has no `workspace`
 --> pipeline.toml:3:23
  |
3 | depends-on = ["tset", "^build", "other:task"]
  |                       ^^^^^^^^
  |

error[PIPEC_UNKNOWN_TASK]: `other:task` refers to `other`, which is neither a source nor a member
 --> pipeline.toml:3:33
  |
3 | depends-on = ["tset", "^build", "other:task"]
  |                                 ^^^^^^^^^^^^
  |

error[PIPEC_UNKNOWN_TASK]: there is no task `web.biuld`
 --> pipeline.toml:6:10
  |
6 | target = "web.biuld"
  |          ^^^^^^^^^^^
  |
help: did you mean `web.build`?
""")


def test_outputs_of_two_tasks_may_not_overlap() -> None:
    text = """
    name = "app"
    [tasks.a]
    outputs = ["dist/**", "!dist/docs/**"]
    [tasks.b]
    outputs = ["dist/docs/**"]
    [tasks.c]
    outputs = ["dist/*.js"]
    [tasks.d]
    outputs = ["*.toml"]
    [tasks.e.matrix]
    os = ["x", "y", "z"]
    [tasks.e]
    outputs = ["e.log"]
    """
    assert said_of(text) == snapshot("""\
error[PIPEC_OVERLAPPING_OUTPUTS]: `a` and `c` both own `dist/.js`
 --> pipeline.toml:7:1
  |
3 | outputs = ["dist/**", "!dist/docs/**"]
  | ------- outputs of `a`
...
7 | outputs = ["dist/*.js"]
  | ^^^^^^^ outputs of `c`
  |

error[PIPEC_OVERLAPPING_OUTPUTS]: the outputs of `d` take in the pipeline file itself
 --> pipeline.toml:9:1
  |
9 | outputs = ["*.toml"]
  | ^^^^^^^
  |

error[PIPEC_OVERLAPPING_OUTPUTS]: `e[os=x]` and `e[os=y]` both own `e.log`
  --> pipeline.toml:13:1
   |
13 | outputs = ["e.log"]
   | ^^^^^^^
   |
help: the combinations of a matrix run one beside the other: they need own outputs
""")


def test_reading_what_another_task_makes_needs_a_dependency() -> None:
    text = """
    name = "app"
    [named-inputs]
    source = ["src/**"]
    [tasks.gen]
    outputs = ["src/gen/**"]
    [tasks.other]
    outputs = ["src/other.ts"]
    [tasks.direct]
    depends-on = ["gen", "other"]
    inputs = ["source"]
    [tasks.transitive]
    depends-on = ["direct"]
    inputs = ["src/gen/a.ts"]
    [tasks.excluded]
    inputs = ["source", "!src/gen", "!src/other.ts"]
    [tasks.forgotten]
    inputs = ["source"]
    [tasks.elsewhere]
    inputs = ["lib/**", { outputs-of = "gen" }]
    """
    assert said_of(text) == snapshot("""\
warning[PIPEC_UNDECLARED_DEPENDENCY]: `forgotten` reads `src/gen/x`, which `gen` makes, and does not depend on it (and of 1 other task)
  --> pipeline.toml:17:1
   |
 5 | outputs = ["src/gen/**"]
   | ------- made here, by `gen`
...
17 | inputs = ["source"]
   | ^^^^^^ read here
   |
help: add `gen` to `depends-on`, or exclude its outputs

error[PIPEC_UNDECLARED_DEPENDENCY]: `elsewhere` takes the outputs of `gen` without depending on it
  --> pipeline.toml:19:1
   |
19 | inputs = ["lib/**", { outputs-of = "gen" }]
   | ^^^^^^
   |
help: add `gen` to `depends-on`
""")


@pytest.mark.parametrize(
    ("fields", "codes"),
    [
        ("", ["CACHE_WITHOUT_INPUTS", "CACHE_WITHOUT_OUTPUTS"]),
        ('inputs = ["a"]', ["CACHE_WITHOUT_OUTPUTS"]),
        ("inputs = []\noutputs = []", []),
        ('env-inputs = ["A"]\noutputs = ["x"]', []),
        ('inputs = [{ env = "A" }]\noutputs = ["x"]', []),
    ],
)
def test_a_cached_task_says_what_it_reads_and_makes(fields: str, codes: list[str]) -> None:
    assert codes_of(f'name = "app"\n[tasks.t]\ncache = true\n{fields}\n') == codes


def test_what_nothing_uses_is_a_warning() -> None:
    text = """
    name = "app"
    [pools]
    db = 1
    web = 1
    [named-inputs]
    used = ["a"]
    inner = ["b"]
    outer = ["inner"]
    idle = ["used"]
    [triggers]
    pr = { manual = true }
    [task-defaults.lnt]
    retry = 2
    [task-defaults."*"]
    retry = 1
    [tasks.lint]
    pool = "db"
    inputs = ["used", "outer"]
    """
    assert codes_of(text) == ["UNUSED"] * 4
    assert said_of(text) == snapshot("""\
warning[PIPEC_UNUSED]: the pool `web` is not used
 --> pipeline.toml:4:1
  |
4 | web = 1
  | ^^^
  |

warning[PIPEC_UNUSED]: the named input `idle` is not used
 --> pipeline.toml:9:1
  |
9 | idle = ["used"]
  | ^^^^
  |

warning[PIPEC_UNUSED]: the trigger `pr` is not used
  --> pipeline.toml:11:1
   |
11 | pr = { manual = true }
   | ^^
   |

warning[PIPEC_UNUSED]: no task takes the defaults `lnt`
  --> pipeline.toml:12:16
   |
12 | [task-defaults.lnt]
   |                ^^^
   |
help: did you mean `lint`?
""")


def test_folders_that_are_never_entered() -> None:
    text = """
    name = "app"
    [named-inputs]
    bad = ["a", { env = "A" }, ".pipec/cache/x"]
    [tasks.t]
    inputs = ["bad", "!node_modules", "web/node_modules/**", ".github/x"]
    outputs = [".pipec/x", "!.git/y"]
    """
    assert said_of(text) == snapshot("""\
warning[PIPEC_NEVER_AN_INPUT]: `.pipec/cache/x` selects nothing: no file in `.pipec` is ever an input
 --> pipeline.toml:3:28
  |
3 | bad = ["a", { env = "A" }, ".pipec/cache/x"]
  |                            ^^^^^^^^^^^^^^^^
  |

warning[PIPEC_NEVER_AN_INPUT]: `web/node_modules/**` selects nothing: no file in `node_modules` is ever an input
 --> pipeline.toml:5:35
  |
5 | inputs = ["bad", "!node_modules", "web/node_modules/**", ".github/x"]
  |                                   ^^^^^^^^^^^^^^^^^^^^^
  |

error[PIPEC_INVALID_PATTERN]: `.pipec/x` cannot be an output: nothing in `.pipec` can be owned
 --> pipeline.toml:6:12
  |
6 | outputs = [".pipec/x", "!.git/y"]
  |            ^^^^^^^^^^
  |
""")


def test_a_bare_word_that_is_nearly_a_named_input() -> None:
    text = """
    name = "app"
    [named-inputs]
    source = ["src/**"]
    [tasks.t]
    inputs = ["source", "sourc", "Makefile", "sourc/**"]
    """
    assert said_of(text) == snapshot("""\
warning[PIPEC_UNKNOWN_NAMED_INPUT]: `sourc` is not a named input, so it is taken as a path
 --> pipeline.toml:5:21
  |
5 | inputs = ["source", "sourc", "Makefile", "sourc/**"]
  |                     ^^^^^^^ did you mean `source`?
  |
""")


def test_references_into_members_and_sources_are_held_to_what_is_known_of_them() -> None:
    text = """
    name = "app"
    [sources.storefront]
    path = "../storefront"
    [tasks.a]
    depends-on = ["storefront:test", "storefrnt:test", "storefront:", "a[b=c:d]"]
    [tasks.e.matrix]
    f = ["g:h"]
    [tasks.i]
    depends-on = ["e[f=g:h]"]
    """
    assert said_of(text) == snapshot("""\
warning[PIPEC_NOT_SUPPORTED]: `sources` is not supported yet: tasks that need one of their tasks will not run
 --> pipeline.toml:2:2
  |
2 | [sources.storefront]
  |  ^^^^^^^
  |

error[PIPEC_UNKNOWN_TASK]: `storefrnt:test` refers to `storefrnt`, which is neither a source nor a member
 --> pipeline.toml:5:34
  |
5 | depends-on = ["storefront:test", "storefrnt:test", "storefront:", "a[b=c:d]"]
  |                                  ^^^^^^^^^^^^^^^^
  |
help: did you mean `storefront`?

error[PIPEC_UNKNOWN_TASK]: `storefront:` is not a reference to a task
 --> pipeline.toml:5:52
  |
5 | depends-on = ["storefront:test", "storefrnt:test", "storefront:", "a[b=c:d]"]
  |                                                    ^^^^^^^^^^^^^
  |
help: write `member:task`, `source:task`, `*:task` or `^task`

error[PIPEC_UNKNOWN_TASK]: there is no task `a[b=c:d]`
 --> pipeline.toml:5:67
  |
5 | depends-on = ["storefront:test", "storefrnt:test", "storefront:", "a[b=c:d]"]
  |                                                                   ^^^^^^^^^^
  |
""")


def test_in_a_workspace_only_the_tasks_of_members_refer_upwards() -> None:
    text = """
    name = "app"
    [workspace]
    members = ["packages/*"]
    [workspace.tasks.build]
    depends-on = ["^build", "codegen", ":x"]
    inputs = [{ outputs-of = "codegen" }, "src/**"]
    cache = "tem"
    pool = "db"
    [workspace.tasks.build.test]
    [tasks.a]
    depends-on = ["^build", "*:test", "@acme/ui:build"]
    """
    assert said_of(text) == snapshot("""\
error[PIPEC_UNKNOWN_TASK]: `:x` is not a reference to a task
 --> pipeline.toml:5:36
  |
5 | depends-on = ["^build", "codegen", ":x"]
  |                                    ^^^^
  |
help: write `member:task`, `source:task`, `*:task` or `^task`

error[PIPEC_UNKNOWN_STORE]: there is no store `tem`
 --> pipeline.toml:7:9
  |
7 | cache = "tem"
  |         ^^^^^
  |

error[PIPEC_UNKNOWN_POOL]: there is no pool `db`
 --> pipeline.toml:8:8
  |
8 | pool = "db"
  |        ^^^^
  |

error[PIPEC_TASK_OR_GROUP]: `build` is a task, because it has the key `depends-on`, and a task holds no tasks
 --> pipeline.toml:9:24
  |
5 | depends-on = ["^build", "codegen", ":x"]
  | ---------- this makes it a task
...
9 | [workspace.tasks.build.test]
  |                        ^^^^ this would be a task in a group
  |
help: to have both, move the fields to `[workspace.tasks.build.default]`

error[PIPEC_UNKNOWN_TASK]: `^build` means tasks of the members that a member depends on, and this task is none of a member
  --> pipeline.toml:11:15
   |
11 | depends-on = ["^build", "*:test", "@acme/ui:build"]
   |               ^^^^^^^^
   |
help: write `*:build` for that of every member
""")


def test_what_is_for_later_is_warned_of() -> None:
    text = """
    name: app
    sources: {other: {path: ../other}}
    workspace: {members: ["packages/*"]}
    commands: {rules: [{prefix: rm, action: deny}]}
    depends: [x]
    versions: {a: b}
    outputs: {a: b}
    schedule: x
    sandboxes: {s: {local: {}}}
    execution: {ci: {target: github, sandbox: s}}
    agents: {claude: {command: [claude]}}
    sync: {github: true}
    cache: {stores: {team: {redis: {url: {env: URL}}}}}
    tasks:
      a:
        depends-on: ["*:build", other:task]
        cache: team
        inputs: []
        outputs: []
        run: [{agent: claude, prompt: x}, x, {call: "a:b"}]
    jobs: {j: {target: a, execution: ci}}
    """
    assert said_of(text, "yaml") == snapshot("""\
warning[PIPEC_NOT_SUPPORTED]: `sources` is not supported yet: tasks that need one of their tasks will not run
 --> pipeline.yaml:2:1
  |
2 | sources: {other: {path: ../other}}
  | ^^^^^^^
  |

warning[PIPEC_NOT_SUPPORTED]: `workspace` is not supported yet: the tasks of its members will not run
 --> pipeline.yaml:3:1
  |
3 | workspace: {members: ["packages/*"]}
  | ^^^^^^^^^
  |

warning[PIPEC_NOT_SUPPORTED]: `depends` is not supported yet: nothing here will run
 --> pipeline.yaml:5:1
  |
5 | depends: [x]
  | ^^^^^^^
  |

warning[PIPEC_NOT_SUPPORTED]: `versions` is not supported yet: it has no effect
 --> pipeline.yaml:6:1
  |
6 | versions: {a: b}
  | ^^^^^^^^
  |

warning[PIPEC_NOT_SUPPORTED]: `outputs` is not supported yet: it has no effect
 --> pipeline.yaml:7:1
  |
7 | outputs: {a: b}
  | ^^^^^^^
  |

warning[PIPEC_NOT_SUPPORTED]: `schedule` is not supported yet: it has no effect
 --> pipeline.yaml:8:1
  |
8 | schedule: x
  | ^^^^^^^^
  |

warning[PIPEC_NOT_SUPPORTED]: `sandboxes` is not supported yet: it has no effect
 --> pipeline.yaml:9:1
  |
9 | sandboxes: {s: {local: {}}}
  | ^^^^^^^^^
  |

warning[PIPEC_NOT_SUPPORTED]: stores of the kind `redis` are not supported yet: nothing is kept in `team`
  --> pipeline.yaml:13:25
   |
13 | cache: {stores: {team: {redis: {url: {env: URL}}}}}
   |                         ^^^^^
   |

warning[PIPEC_NOT_SUPPORTED]: sandboxes are not supported yet: the job `j` will not run
  --> pipeline.yaml:21:34
   |
21 | jobs: {j: {target: a, execution: ci}}
   |                                  ^^
   |
""")
