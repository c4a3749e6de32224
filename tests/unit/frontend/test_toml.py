"""TOML: all syntax errors at once, a repeated key with both places."""
# ruff: noqa: E501 - findings stand here as they are printed

from inline_snapshot import snapshot

from tests.pipelines import codes_of, said_of


def test_several_syntax_errors_are_reported_together() -> None:
    text = """
    name = "app
    [tasks.lint]
    run = [1, 2
    retry = 07
    """
    assert said_of(text) == snapshot("""\
error[PIPEC_TOML_SYNTAX]: invalid basic string, expected `"`
 --> pipeline.toml:1:12
  |
1 | name = "app
  |            ^
  |

error[PIPEC_TOML_SYNTAX]: missing comma between array elements, expected `,`
 --> pipeline.toml:4:1
  |
4 | retry = 07
  | ^
  |
""")


def test_a_repeated_key_shows_both_places() -> None:
    text = """
    name = "é"
    [tasks.lint]
    run = "a"
    run = "b"
    [tasks.test]
    [tasks.lint]
    env.A = "x"
    env.A = "y"
    """
    assert said_of(text) == snapshot("""\
error[PIPEC_REPEATED_KEY]: the key `run` is written twice in one table
 --> pipeline.toml:4:1
  |
3 | run = "a"
  | --- first written here
4 | run = "b"
  | ^^^ written again
  |

error[PIPEC_REPEATED_KEY]: the table `tasks.lint` is written twice
 --> pipeline.toml:6:8
  |
2 | [tasks.lint]
  | ------------ first written here
...
6 | [tasks.lint]
  |        ^^^^ written again
  |

error[PIPEC_REPEATED_KEY]: the key `A` is written twice in one table
 --> pipeline.toml:8:5
  |
7 | env.A = "x"
  |     - first written here
8 | env.A = "y"
  |     ^ written again
  |
""")


def test_a_repeated_key_in_a_file_with_windows_line_ends() -> None:
    assert said_of('name = "a"\r\nname = "b"\r\n[tasks.a]\r\n[tasks.a]\r\n') == snapshot("""\
error[PIPEC_REPEATED_KEY]: the key `name` is written twice in one table
 --> pipeline.toml:2:1
  |
1 | name = "a"
  | ---- first written here
2 | name = "b"
  | ^^^^ written again
  |

error[PIPEC_REPEATED_KEY]: the table `tasks.a` is written twice
 --> pipeline.toml:4:8
  |
3 | [tasks.a]
  | --------- first written here
4 | [tasks.a]
  |        ^ written again
  |
""")


def test_dates_and_fractions_have_no_place_in_a_pipeline() -> None:
    text = """
    name = 2026-01-01
    [tasks.lint]
    retry = 1.5
    timeout = 10:00:00
    run = nan
    """
    assert said_of(text) == snapshot("""\
error[PIPEC_WRONG_TYPE]: `name` has to be text, not a date or time
 --> pipeline.toml:1:8
  |
1 | name = 2026-01-01
  |        ^^^^^^^^^^
  |

error[PIPEC_WRONG_TYPE]: `retry` has to be a whole number, not a fraction
 --> pipeline.toml:3:9
  |
3 | retry = 1.5
  |         ^^^
  |

error[PIPEC_WRONG_TYPE]: a duration is text such as `5m`, or whole milliseconds, not a date or time
 --> pipeline.toml:4:11
  |
4 | timeout = 10:00:00
  |           ^^^^^^^^
  |

error[PIPEC_WRONG_TYPE]: a step is a command, or a table with `sh`, `argv`, `dynamic`, `call` or `agent`, not a fraction
 --> pipeline.toml:5:7
  |
5 | run = nan
  |       ^^^
  |
""")


def test_a_file_that_is_no_pipeline_at_all() -> None:
    assert codes_of("\x00\x01\x02") == ["TOML_SYNTAX"]
    assert codes_of("{}\n") == ["TOML_SYNTAX"]
