"""What is said about mistakes: one finding each, all at once, in the order of the file."""
# ruff: noqa: E501 - findings stand here as they are printed

from inline_snapshot import snapshot

from tests.pipelines import codes_of, said_of


def test_mistakes_of_all_phases_come_together_in_the_order_of_the_file() -> None:
    text = """
    name = "app"
    descripton = "x"

    [named_inputs]
    source = ["src/**"]

    [tasks.build]
    depends-on = ["generate"]
    inputs = ["../outside"]
    timeout = "soon"
    run = [{ sh = "make", timout = "1s" }, { argv = [] }]
    env = { "A B" = "x", C = { secret = "S", default = "d" } }
    """
    assert said_of(text) == snapshot("""\
error[PIPEC_UNKNOWN_FIELD]: a pipeline has no key `descripton`
 --> pipeline.toml:2:1
  |
2 | descripton = "x"
  | ^^^^^^^^^^ did you mean `description`?
  |

error[PIPEC_UNKNOWN_FIELD]: a pipeline has no key `named_inputs`
 --> pipeline.toml:4:2
  |
4 | [named_inputs]
  |  ^^^^^^^^^^^^ did you mean `named-inputs`?
  |

error[PIPEC_UNKNOWN_TASK]: there is no task `generate`
 --> pipeline.toml:8:15
  |
8 | depends-on = ["generate"]
  |               ^^^^^^^^^^
  |

error[PIPEC_PATH_OUTSIDE_PROJECT]: `../outside` leaves the project
 --> pipeline.toml:9:11
  |
9 | inputs = ["../outside"]
  |           ^^^^^^^^^^^^
  |
help: only what is below the pipeline's folder can be named

error[PIPEC_INVALID_DURATION]: `soon` is not a duration
  --> pipeline.toml:10:11
   |
10 | timeout = "soon"
   |           ^^^^^^
   |
help: write it as `500ms`, `30s`, `5m`, `1h`, `1.5s`, `2h30m` or `7d`

error[PIPEC_UNKNOWN_FIELD]: a shell step has no key `timout`
  --> pipeline.toml:11:23
   |
11 | run = [{ sh = "make", timout = "1s" }, { argv = [] }]
   |                       ^^^^^^ did you mean `timeout`?
   |

error[PIPEC_INVALID_VALUE]: `argv` names no program
  --> pipeline.toml:11:49
   |
11 | run = [{ sh = "make", timout = "1s" }, { argv = [] }]
   |                                                 ^^
   |

error[PIPEC_INVALID_ENV_NAME]: `A B` cannot be the name of an environment variable
  --> pipeline.toml:12:9
   |
12 | env = { "A B" = "x", C = { secret = "S", default = "d" } }
   |         ^^^^^
   |
help: letters, digits and `_`, and no digit first

error[PIPEC_UNKNOWN_FIELD]: a secret has no key `default`
  --> pipeline.toml:12:42
   |
12 | env = { "A B" = "x", C = { secret = "S", default = "d" } }
   |                                          ^^^^^^^
   |
""")


def test_a_missing_task_is_found_beside_a_misspelt_key() -> None:
    text = """
    name = "app"
    [tasks.build]
    retrys = 3
    [tasks.test]
    depends-on = ["biuld"]
    [jobs.verify]
    target = "tset"
    trigger = ["pr"]
    [triggers]
    pr = { cron = "x" }
    """
    assert said_of(text) == snapshot("""\
error[PIPEC_UNKNOWN_FIELD]: a task has no key `retrys`
 --> pipeline.toml:3:1
  |
3 | retrys = 3
  | ^^^^^^ did you mean `retry`?
  |

error[PIPEC_UNKNOWN_TASK]: there is no task `biuld`
 --> pipeline.toml:5:15
  |
5 | depends-on = ["biuld"]
  |               ^^^^^^^
  |
help: did you mean `build`?

error[PIPEC_UNKNOWN_TASK]: there is no task `tset`
 --> pipeline.toml:7:10
  |
7 | target = "tset"
  |          ^^^^^^
  |
help: did you mean `test`?

error[PIPEC_INVALID_CRON]: `x` is not a schedule: it has 1 field, not 5
  --> pipeline.toml:10:15
   |
10 | pr = { cron = "x" }
   |               ^^^
   |
help: five fields: minute, hour, day of month, month, day of week
""")


def test_a_field_from_the_defaults_is_blamed_on_the_defaults() -> None:
    text = """
    name = "app"
    [task-defaults."*"]
    depends-on = ["setup"]
    pool = "db"
    [tasks.build]
    """
    assert said_of(text) == snapshot("""\
error[PIPEC_UNKNOWN_TASK]: there is no task `setup`
 --> pipeline.toml:3:15
  |
3 | depends-on = ["setup"]
  |               ^^^^^^^
  |

error[PIPEC_UNKNOWN_POOL]: there is no pool `db`
 --> pipeline.toml:4:8
  |
4 | pool = "db"
  |        ^^^^
  |
""")


def test_a_table_of_fields_and_tasks_says_what_decided() -> None:
    text = """
    name = "app"
    [tasks.web]
    env = { A = "x" }
    [tasks.web.lint]
    run = "x"
    [tasks.api]
    timout = 3
    [tasks.api.lint]
    run = "x"
    """
    assert said_of(text) == snapshot("""\
error[PIPEC_TASK_OR_GROUP]: `web` is a task, because it has the key `env`, and a task holds no tasks
 --> pipeline.toml:4:12
  |
3 | env = { A = "x" }
  | --- this makes it a task
4 | [tasks.web.lint]
  |            ^^^^ this would be a task in a group
  |
help: to have both, move the fields to `[tasks.web.default]`

error[PIPEC_UNKNOWN_FIELD]: a task has no key `timout`
 --> pipeline.toml:7:1
  |
7 | timout = 3
  | ^^^^^^ did you mean `timeout`?
  |

error[PIPEC_TASK_OR_GROUP]: `api` is a task, because it has the key `timout`, and a task holds no tasks
 --> pipeline.toml:8:12
  |
7 | timout = 3
  | ------ this makes it a task
8 | [tasks.api.lint]
  |            ^^^^ this would be a task in a group
  |
help: to have both, move the fields to `[tasks.api.default]`
""")


def test_a_task_with_the_name_of_a_key_is_asked_for_another_name() -> None:
    text = """
    name = "app"
    [tasks.app.build]
    run = "make"
    [tasks.app.run]
    depends-on = ["app.build"]
    run = "./app"
    """
    said = said_of(text)
    assert "`app` is a task, because it has the key `run`" in said
    assert "help: if `run` is meant as a task, give it a name that is no key of tasks" in said


def test_a_tool_that_is_too_old_says_nothing_else() -> None:
    assert codes_of('name = "app"\npipec = ">=9"\nnew-section = 1\n') == ["TOOL_TOO_OLD"]


def test_a_requirement_that_is_met_says_nothing() -> None:
    assert codes_of('name = "app"\npipec = ">=0.0.1,<100,!=3,~=0.1"\n') == []


def test_the_schema_key_is_read_over() -> None:
    assert codes_of('"$schema" = "x"\nname = "app"\n') == []


def test_a_job_without_a_target_that_makes_sense_is_judged_by_the_rest_of_it() -> None:
    text = """
    name = "app"

    [jobs.one]
    trigger = ["pr"]
    needs = ["three"]

    [jobs.two]
    target = 3
    execution = "ci"

    [jobs.four]
    target = []
    needs = ["four"]
    """
    assert codes_of(text) == [
        "MISSING_FIELD",
        "UNKNOWN_TRIGGER",
        "UNKNOWN_JOB",
        "WRONG_TYPE",
        "UNKNOWN_PROFILE",
        "INVALID_VALUE",
        "DEPENDENCY_CYCLE",
    ]


def test_one_item_that_is_wrong_does_not_hide_what_is_wrong_with_the_others() -> None:
    text = """
    name = "app"

    [tasks.t]
    depends-on = ["nope", 3, ""]
    inputs = ["../x", { outputs-of = "gone" }]
    run = ["x", 3, { agent = "nobody", prompt = "x" }]

    [jobs.j]
    target = ["t", 3, "zz"]
    trigger = [1, "aa"]
    """
    assert codes_of(text) == [
        "UNKNOWN_TASK",
        "WRONG_TYPE",
        "INVALID_VALUE",
        "PATH_OUTSIDE_PROJECT",
        "UNKNOWN_TASK",
        "WRONG_TYPE",
        "UNKNOWN_AGENT",
        "WRONG_TYPE",
        "UNKNOWN_TASK",
        "WRONG_TYPE",
        "UNKNOWN_TRIGGER",
    ]
