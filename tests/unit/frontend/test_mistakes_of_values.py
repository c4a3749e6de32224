"""Keys and values that the models refuse, as they are printed."""
# ruff: noqa: E501 - findings stand here as they are printed

from inline_snapshot import snapshot

from tests.pipelines import said_of


def test_unknown_keys_are_found_at_every_depth() -> None:
    text = """
    name: app
    Name: x
    cache:
      default: file
      stores:
        a: {file: {rot: x}}
    tasks:
      group:
        inner:
          lint:
            requires: {tool: [a]}
            cache: {tll: 1h}
            retry: {attempts: 2, wait: 1s}
            outputs: [{glob: a, optionl: true}]
            inputs: [{file: a, key: b, kind: c}]
            matrix: {a: [x], include: [{b: y}]}
            run:
              - sh: x
                env: {A: {var: B, mapp: {}}}
    jobs:
      j:
        target: group.inner.lint
        github: {permissions: {content: read}, runsOn: x}
        params: {p: {typ: int}}
    triggers:
      t: {github: {event: [push]}}
    sync: {github: {workflw: x}}
    execution: {ci: {target: local, runner: x}}
    sandboxes: {s: {docker: {image: x, volume: []}}}
    agents: {a: {command: [x], modle: y}}
    """
    assert said_of(text, "yaml") == snapshot("""\
error[PIPEC_UNKNOWN_FIELD]: a pipeline has no key `Name`
 --> pipeline.yaml:2:1
  |
2 | Name: x
  | ^^^^ did you mean `name`?
  |

error[PIPEC_UNKNOWN_FIELD]: a file store has no key `rot`
 --> pipeline.yaml:6:16
  |
6 |     a: {file: {rot: x}}
  |                ^^^ did you mean `root`?
  |

error[PIPEC_UNKNOWN_FIELD]: a table of requirements has no key `tool`
  --> pipeline.yaml:11:20
   |
11 |         requires: {tool: [a]}
   |                    ^^^^ did you mean `tools`?
   |

error[PIPEC_UNKNOWN_FIELD]: a task's cache has no key `tll`
  --> pipeline.yaml:12:17
   |
12 |         cache: {tll: 1h}
   |                 ^^^ did you mean `ttl`?
   |

error[PIPEC_UNKNOWN_FIELD]: a retry has no key `wait`
  --> pipeline.yaml:13:30
   |
13 |         retry: {attempts: 2, wait: 1s}
   |                              ^^^^
   |

error[PIPEC_UNKNOWN_FIELD]: an output has no key `optionl`
  --> pipeline.yaml:14:29
   |
14 |         outputs: [{glob: a, optionl: true}]
   |                             ^^^^^^^ did you mean `optional`?
   |

error[PIPEC_UNKNOWN_FIELD]: a file value has no key `kind`
  --> pipeline.yaml:15:36
   |
15 |         inputs: [{file: a, key: b, kind: c}]
   |                                    ^^^^
   |

error[PIPEC_UNKNOWN_FIELD]: a variable has no key `mapp`
  --> pipeline.yaml:19:31
   |
19 |             env: {A: {var: B, mapp: {}}}
   |                               ^^^^ did you mean `map`?
   |

error[PIPEC_UNKNOWN_FIELD]: a table of permissions has no key `content`
  --> pipeline.yaml:23:28
   |
23 |     github: {permissions: {content: read}, runsOn: x}
   |                            ^^^^^^^ did you mean `contents`?
   |

error[PIPEC_UNKNOWN_FIELD]: a table of GitHub settings has no key `runsOn`
  --> pipeline.yaml:23:44
   |
23 |     github: {permissions: {content: read}, runsOn: x}
   |                                            ^^^^^^ did you mean `runs-on`?
   |

error[PIPEC_UNKNOWN_FIELD]: a parameter has no key `typ`
  --> pipeline.yaml:24:18
   |
24 |     params: {p: {typ: int}}
   |                  ^^^ did you mean `type`?
   |

error[PIPEC_MISSING_FIELD]: a GitHub trigger needs `events`
  --> pipeline.yaml:26:7
   |
26 |   t: {github: {event: [push]}}
   |       ^^^^^^
   |

error[PIPEC_UNKNOWN_FIELD]: a GitHub trigger has no key `event`
  --> pipeline.yaml:26:16
   |
26 |   t: {github: {event: [push]}}
   |                ^^^^^ did you mean `events`?
   |

error[PIPEC_UNKNOWN_FIELD]: the GitHub sync has no key `workflw`
  --> pipeline.yaml:27:17
   |
27 | sync: {github: {workflw: x}}
   |                 ^^^^^^^ did you mean `workflow`?
   |

error[PIPEC_UNKNOWN_FIELD]: an execution profile has no key `runner`
  --> pipeline.yaml:28:33
   |
28 | execution: {ci: {target: local, runner: x}}
   |                                 ^^^^^^ did you mean `runs-on`?
   |

error[PIPEC_UNKNOWN_FIELD]: a container has no key `volume`
  --> pipeline.yaml:29:36
   |
29 | sandboxes: {s: {docker: {image: x, volume: []}}}
   |                                    ^^^^^^ did you mean `volumes`?
   |

error[PIPEC_UNKNOWN_FIELD]: an agent has no key `modle`
  --> pipeline.yaml:30:28
   |
30 | agents: {a: {command: [x], modle: y}}
   |                            ^^^^^ did you mean `model`?
   |
""")


def test_values_of_the_wrong_kind() -> None:
    text = """
    name: 1
    env: [A]
    tasks:
      lint: ruff check
      test:
        depends-on: build
        inputs: [3]
        outputs: dist
        cache: 1
        shell: 3
        run: true
        retry: [1]
        priority: high
        allow-failure: "no"
    jobs: {j: {target: 1, params: {p: 1}}}
    pools: {p: "1"}
    triggers: {t: push}
    """
    assert said_of(text, "yaml") == snapshot("""\
error[PIPEC_WRONG_TYPE]: `name` has to be text, not a whole number
 --> pipeline.yaml:1:7
  |
1 | name: 1
  |       ^
  |
help: write `"1"`

error[PIPEC_WRONG_TYPE]: `env` has to be a table, not a list
 --> pipeline.yaml:2:6
  |
2 | env: [A]
  |      ^^^
  |

error[PIPEC_WRONG_TYPE]: `lint` has to be a table, not text
 --> pipeline.yaml:4:9
  |
4 |   lint: ruff check
  |         ^^^^^^^^^^
  |

error[PIPEC_WRONG_TYPE]: `depends-on` has to be a list, not text
 --> pipeline.yaml:6:17
  |
6 |     depends-on: build
  |                 ^^^^^
  |
help: write `["build"]`

error[PIPEC_WRONG_TYPE]: an input is a pattern, the name of a named input, or a table with `file`, `env`, `command` or `outputs-of`, not a whole number
 --> pipeline.yaml:7:14
  |
7 |     inputs: [3]
  |              ^
  |

error[PIPEC_WRONG_TYPE]: `outputs` has to be a list, not text
 --> pipeline.yaml:8:14
  |
8 |     outputs: dist
  |              ^^^^
  |
help: write `["dist"]`

error[PIPEC_WRONG_TYPE]: `cache` is true, false, a reference such as `file:local`, or a table, not a whole number
 --> pipeline.yaml:9:12
  |
9 |     cache: 1
  |            ^
  |

error[PIPEC_WRONG_TYPE]: a shell is `sh`, `bash`, `pwsh`, `cmd`, or a list of a program and its arguments, not a whole number
  --> pipeline.yaml:10:12
   |
10 |     shell: 3
   |            ^
   |

error[PIPEC_WRONG_TYPE]: a step is a command, or a table with `sh`, `argv`, `dynamic`, `call` or `agent`, not true or false
  --> pipeline.yaml:11:10
   |
11 |     run: true
   |          ^^^^
   |

error[PIPEC_WRONG_TYPE]: `retry` has to be a whole number, not a list
  --> pipeline.yaml:12:12
   |
12 |     retry: [1]
   |            ^^^
   |

error[PIPEC_WRONG_TYPE]: `priority` has to be a whole number, not text
  --> pipeline.yaml:13:15
   |
13 |     priority: high
   |               ^^^^
   |

error[PIPEC_WRONG_TYPE]: `allow-failure` has to be true or false, not text
  --> pipeline.yaml:14:20
   |
14 |     allow-failure: "no"
   |                    ^^^^
   |

error[PIPEC_WRONG_TYPE]: a target is a task or a list of tasks, not a whole number
  --> pipeline.yaml:15:20
   |
15 | jobs: {j: {target: 1, params: {p: 1}}}
   |                    ^
   |

error[PIPEC_WRONG_TYPE]: a parameter is `string`, `int`, `bool`, or a table with `type`, not a whole number
  --> pipeline.yaml:15:35
   |
15 | jobs: {j: {target: 1, params: {p: 1}}}
   |                                   ^
   |

error[PIPEC_WRONG_TYPE]: `p` has to be a whole number, not text
  --> pipeline.yaml:16:12
   |
16 | pools: {p: "1"}
   |            ^^^
   |

error[PIPEC_WRONG_TYPE]: `t` has to be a table, not text
  --> pipeline.yaml:17:15
   |
17 | triggers: {t: push}
   |               ^^^^
   |
""")


def test_values_out_of_range() -> None:
    text = """
    name = " "
    pipec = "newest"
    cache = "a:b:c"
    [task-defaults.x]
    priority = 9007199254740992
    platforms = []
    [tasks.x]
    retry = { attempts = 1000001, backoff = 0 }
    run = { call = "no function" }
    env = { A = { var = "A", map = { a = "b" }, default = "c" } }
    [pools]
    p = 0
    [cache2]
    """
    assert said_of(text) == snapshot("""\
error[PIPEC_INVALID_VALUE]: this text is empty
 --> pipeline.toml:1:8
  |
1 | name = " "
  |        ^^^
  |

error[PIPEC_INVALID_VALUE]: `newest` is not a version requirement
 --> pipeline.toml:2:9
  |
2 | pipec = "newest"
  |         ^^^^^^^^
  |
help: write it as `">=0.3"` or `">=0.3,<2"`

error[PIPEC_INVALID_VALUE]: `a:b:c` is not a cache reference
 --> pipeline.toml:3:9
  |
3 | cache = "a:b:c"
  |         ^^^^^^^
  |
help: write `store` or `store:policy`; a policy is `local`, `session`, `read` or `read-write`

error[PIPEC_INVALID_VALUE]: `priority` has to be at most 9007199254740991, not 9007199254740992
 --> pipeline.toml:5:12
  |
5 | priority = 9007199254740992
  |            ^^^^^^^^^^^^^^^^
  |

error[PIPEC_INVALID_VALUE]: `platforms` needs at least one item
 --> pipeline.toml:6:13
  |
6 | platforms = []
  |             ^^
  |

error[PIPEC_INVALID_VALUE]: `attempts` has to be at most 1000000, not 1000001
 --> pipeline.toml:8:22
  |
8 | retry = { attempts = 1000001, backoff = 0 }
  |                      ^^^^^^^
  |

error[PIPEC_INVALID_VALUE]: `backoff` has to be at least 1, not 0
 --> pipeline.toml:8:41
  |
8 | retry = { attempts = 1000001, backoff = 0 }
  |                                         ^
  |

error[PIPEC_INVALID_VALUE]: `no function` is not a function
 --> pipeline.toml:9:16
  |
9 | run = { call = "no function" }
  |                ^^^^^^^^^^^^^
  |
help: write it as `package.module:function`

error[PIPEC_INVALID_VALUE]: the map has no entry for the default `c`
  --> pipeline.toml:10:55
   |
10 | env = { A = { var = "A", map = { a = "b" }, default = "c" } }
   |                          --- does not go with this    ^^^
   |

error[PIPEC_INVALID_VALUE]: `p` has to be at least 1, not 0
  --> pipeline.toml:12:5
   |
12 | p = 0
   |     ^
   |

error[PIPEC_UNKNOWN_FIELD]: a pipeline has no key `cache2`
  --> pipeline.toml:13:2
   |
13 | [cache2]
   |  ^^^^^^ did you mean `cache`?
   |
""")


def test_keys_that_exclude_each_other() -> None:
    text = """
    name = "app"
    [tasks.a]
    run = { agent = "x", prompt = "p", prompt-file = "f" }
    [triggers]
    t = { manual = true, cron = "* * * * *" }
    u = { manual = true, timezone = "UTC" }
    v = { manual = false }
    [jobs.j]
    target = "a"
    [jobs.j.github]
    runs-on = "a"
    runs-on-matrix = ["b"]
    [jobs.j.params]
    a-b = "int"
    a_b = "int"
    [jobs.k]
    target = "a"
    [jobs.k.params]
    one = { type = "int", choices = ["a"] }
    two = { type = "choice" }
    three = { type = "bool", default = "x" }
    [cache.stores]
    s = { file = {}, memory = {} }
    e = {}
    """
    assert said_of(text) == snapshot("""\
error[PIPEC_UNKNOWN_AGENT]: there is no agent `x`
 --> pipeline.toml:3:17
  |
3 | run = { agent = "x", prompt = "p", prompt-file = "f" }
  |                 ^^^
  |

error[PIPEC_CONFLICTING_FIELDS]: an agent step has `prompt` or `prompt-file`, not both
 --> pipeline.toml:3:36
  |
3 | run = { agent = "x", prompt = "p", prompt-file = "f" }
  |                      ------        ^^^^^^^^^^^
  |                      |
  |                      does not go with this
  |

error[PIPEC_CONFLICTING_FIELDS]: a trigger has one way, and this one has `manual` and `cron`
 --> pipeline.toml:5:22
  |
5 | t = { manual = true, cron = "* * * * *" }
  |       ------         ^^^^
  |       |
  |       does not go with this
  |

error[PIPEC_CONFLICTING_FIELDS]: only a `cron` has a `timezone`
 --> pipeline.toml:6:22
  |
6 | u = { manual = true, timezone = "UTC" }
  |       ------         ^^^^^^^^
  |       |
  |       does not go with this
  |

error[PIPEC_MISSING_FIELD]: a trigger needs `manual = true`, `github` or `cron`
 --> pipeline.toml:7:1
  |
7 | v = { manual = false }
  | ^
  |

error[PIPEC_CONFLICTING_FIELDS]: a job has `runs-on` or `runs-on-matrix`, not both
  --> pipeline.toml:12:1
   |
11 | runs-on = "a"
   | ------- does not go with this
12 | runs-on-matrix = ["b"]
   | ^^^^^^^^^^^^^^
   |

error[PIPEC_CONFLICTING_FIELDS]: `a-b` and `a_b` would both be the variable `PIPEC_PARAM_A_B`
  --> pipeline.toml:15:1
   |
14 | a-b = "int"
   | --- does not go with this
15 | a_b = "int"
   | ^^^
   |

error[PIPEC_CONFLICTING_FIELDS]: only a `choice` has `choices`, and this parameter is `int`
  --> pipeline.toml:19:23
   |
19 | one = { type = "int", choices = ["a"] }
   |         ----          ^^^^^^^
   |         |
   |         does not go with this
   |

error[PIPEC_MISSING_FIELD]: a `choice` needs `choices`
  --> pipeline.toml:20:9
   |
20 | two = { type = "choice" }
   |         ^^^^
   |

error[PIPEC_WRONG_TYPE]: the default of a parameter `bool` cannot be text
  --> pipeline.toml:21:36
   |
21 | three = { type = "bool", default = "x" }
   |           ----                     ^^^
   |           |
   |           does not go with this
   |

error[PIPEC_CONFLICTING_FIELDS]: a store has one kind, and this one has `file` and `memory`
  --> pipeline.toml:23:18
   |
23 | s = { file = {}, memory = {} }
   |       ----       ^^^^^^
   |       |
   |       does not go with this
   |

error[PIPEC_MISSING_FIELD]: a store needs a kind: `file`, `memory`, `redis`, `http`, `s3`, `reapi` or `layered`
  --> pipeline.toml:24:1
   |
24 | e = {}
   | ^
   |
""")
