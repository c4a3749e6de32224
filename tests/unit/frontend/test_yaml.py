"""YAML is the core schema of YAML 1.2, and every mistake has a place."""
# ruff: noqa: E501 - findings stand here as they are printed

import json
from typing import Any

import pytest
import yaml
from inline_snapshot import snapshot

from pipec.codes import Code
from pipec.errors import SpecError
from pipec.frontend import read_yaml, yaml_builder
from pipec.frontend.document import Document
from pipec.frontend.yaml_scalars import resolve
from tests.pipelines import said_of


def read(text: str) -> Any:
    return read_yaml.read_yaml(Document("pipeline.yaml", text, "yaml"))


@pytest.mark.parametrize(
    "word", ["yes", "no", "on", "off", "y", "N", "Yes", "OFF", "1_000", "1:30"]
)
def test_words_of_yaml_1_1_are_text(word: str) -> None:
    assert read(f"a: {word}\n") == {"a": word}
    assert read(f"{word}: a\n") == {word: "a"}


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("0123", 123),
        ("0o17", 15),
        ("0xff", 255),
        ("-7", -7),
        ("+7", 7),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("-.inf", float("-inf")),
        ("True", True),
        ("FALSE", False),
        ("2002-04-28", "2002-04-28"),
        ("0b11", "0b11"),
        ("-", "-"),
        (".", "."),
        ("9" * 100, float("9" * 100)),
    ],
)
def test_plain_scalars_are_those_of_the_core_schema(written: str, value: object) -> None:
    assert resolve(written) == value
    assert type(resolve(written)) is type(value)


@pytest.mark.parametrize("word", ["", "~", "null", "Null", "NULL"])
def test_nothing_is_no_value(word: str) -> None:
    assert resolve(word) is None
    assert "`description` has no value" in said_of(f"name: a\ndescription: {word}\n", "yaml")


def test_not_a_number_is_a_float() -> None:
    assert str(resolve(".nan")) == "nan"


def test_quotes_and_tags_make_text() -> None:
    assert read("a: \"1\"\nb: '~'\nc: !!str 1\nd: ! 1\ne: |\n  1\n") == {
        "a": "1",
        "b": "~",
        "c": "1",
        "d": "1",
        "e": "1\n",
    }


def test_anchors_and_aliases_repeat_a_value() -> None:
    assert read("a: &x [1, {b: 2}]\nc: *x\n") == {"a": [1, {"b": 2}], "c": [1, {"b": 2}]}


def test_json_is_yaml() -> None:
    value = {"name": 'é " \\ 😀', "tasks": {"a": {"retry": 3, "cache": True, "inputs": []}}}
    assert read(json.dumps(value, ensure_ascii=False, indent=2)) == value


def test_without_the_c_parser_the_result_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "a: &x [1, no, {b: ~x}]\n'c': *x\nd: >\n  é\n  😀\n\n"
    with_c = read(text)
    places = read_yaml.locate(text, [("a", 2, "b"), ("d",)])
    monkeypatch.setattr(yaml_builder, "_Parser", yaml.SafeLoader)
    assert read(text) == with_c
    assert read_yaml.locate(text, [("a", 2, "b"), ("d",)]) == places


def test_a_place_is_in_bytes_whatever_stands_before_it() -> None:
    text = "é: 😀\r\nb:\r\n- x\r\n- {c: ü}\r\nd:\r\n  e: 1\r\n  f: 2\r\n\r\ng: 3\r\n"
    content = text.encode()
    routes = [("b", 1, "c"), ("b", 0), ("d",), ("g",), ("nothing",)]
    found = read_yaml.locate(text, routes)
    assert found[4] is None
    cut = [(content[a:b].decode(), content[c:d].decode()) for a, b, c, d in filter(None, found)]
    assert cut == [("c", "ü"), ("x", "x"), ("d", "e: 1\r\n  f: 2"), ("g", "3")]


@pytest.mark.parametrize("depth", [8, 20])
def test_aliases_cannot_grow_without_bounds(depth: int) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [
        f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]" for level in range(1, depth)
    ]
    with pytest.raises(SpecError) as caught:
        read("\n".join(lines) + "\n")
    assert caught.value.code is Code.YAML_SYNTAX
    assert "aliases add more than 100,000 values" in caught.value.message


def test_an_alias_inside_its_own_anchor_is_an_error() -> None:
    with pytest.raises(SpecError) as caught:
        read("a: &x [*x]\n")
    assert "`*x`" in caught.value.message


def test_a_tab_in_the_indentation() -> None:
    assert said_of("name: a\ntasks:\n\tlint: {}\n", "yaml") == snapshot("""\
error[PIPEC_YAML_SYNTAX]: a tab cannot indent YAML
 --> pipeline.yaml:3:1
  |
3 |     lint: {}
  | ^^^^
  |
help: indent with spaces
""")


def test_a_tab_after_spaces_in_the_indentation() -> None:
    assert said_of("name: a\ntasks:\n  lint:\n  \trun: x\n", "yaml") == snapshot("""\
error[PIPEC_YAML_SYNTAX]: a tab cannot indent YAML
 --> pipeline.yaml:4:3
  |
4 |       run: x
  |   ^^^^
  |
help: indent with spaces
""")


def test_repeated_keys_are_all_reported_with_both_places() -> None:
    text = """
    name: a
    tasks:
      lint: {run: a, "run": b}
      test: {}
      lint: {}
    """
    assert said_of(text, "yaml") == snapshot("""\
error[PIPEC_REPEATED_KEY]: the key `run` is written twice in one table
 --> pipeline.yaml:3:18
  |
3 |   lint: {run: a, "run": b}
  |          ---     ^^^^^ written again
  |          |
  |          first written here
  |

error[PIPEC_REPEATED_KEY]: the key `lint` is written twice in one table
 --> pipeline.yaml:5:3
  |
3 |   lint: {run: a, "run": b}
  |   ---- first written here
4 |   test: {}
5 |   lint: {}
  |   ^^^^ written again
  |
""")


def test_keys_that_are_not_text() -> None:
    assert said_of("name: a\n3: x\ntrue: y\n", "yaml") == snapshot("""\
error[PIPEC_WRONG_TYPE]: a key has to be text, and this one is a number
 --> pipeline.yaml:2:1
  |
2 | 3: x
  | ^
  |
help: put it in quotes: `"3"`

error[PIPEC_WRONG_TYPE]: a key has to be text, and this one is a truth value
 --> pipeline.yaml:3:1
  |
3 | true: y
  | ^^^^
  |
help: put it in quotes: `"true"`
""")
    assert said_of("name: a\n[a, b]: x\n", "yaml") == snapshot("""\
error[PIPEC_WRONG_TYPE]: a key has to be text, not a list or table
 --> pipeline.yaml:2:1
  |
2 | [a, b]: x
  | ^
  |
""")


def test_merge_keys() -> None:
    text = """
    name: a
    tasks:
      one: &one {run: a}
      two:
        <<: *one
    """
    assert said_of(text, "yaml") == snapshot("""\
error[PIPEC_YAML_SYNTAX]: merge keys (`<<`) are not part of YAML 1.2
 --> pipeline.yaml:5:5
  |
5 |     <<: *one
  |     ^^
  |
help: write the keys out, or use `task-defaults`
""")


def test_several_documents() -> None:
    assert said_of("name: a\n---\nname: b\n", "yaml") == snapshot("""\
error[PIPEC_YAML_SYNTAX]: a pipeline is one document, and here a second one begins
 --> pipeline.yaml:2:1
  |
2 | ---
  | ^^^
  |
""")


def test_empty_values() -> None:
    assert said_of("name: a\ntasks:\n  lint:\n  test:\n    inputs: [~, a, ]\n", "yaml") == snapshot("""\
error[PIPEC_WRONG_TYPE]: `lint` has no value
 --> pipeline.yaml:3:3
  |
3 |   lint:
  |   ^^^^
  |
help: leave the key out, or write `{}` for an empty table

error[PIPEC_WRONG_TYPE]: an item of this list is empty
 --> pipeline.yaml:5:14
  |
5 |     inputs: [~, a, ]
  |              ^
  |
""")


def test_syntax_errors() -> None:
    assert said_of("name: a\ntasks: [a, {b\n", "yaml") == snapshot("""\
error[PIPEC_WRONG_TYPE]: `b` has no value
 --> pipeline.yaml:2:13
  |
2 | tasks: [a, {b
  |             ^
  |
help: leave the key out, or write `{}` for an empty table

error[PIPEC_YAML_SYNTAX]: while parsing a flow mapping: did not find expected ',' or '}'
 --> pipeline.yaml:2:14
  |
2 | tasks: [a, {b
  |              ^
  |
""")
    assert said_of("name: 'a\n", "yaml") == snapshot("""\
error[PIPEC_YAML_SYNTAX]: while scanning a quoted scalar: found unexpected end of stream
 --> pipeline.yaml:1:9
  |
1 | name: 'a
  |         ^
  |
""")
    assert said_of("name: !!python/object:os.system a\n", "yaml") == snapshot("""\
error[PIPEC_YAML_SYNTAX]: the tag `!!python/object:os.system` does not fit here
 --> pipeline.yaml:1:7
  |
1 | name: !!python/object:os.system a
  |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^
  |
""")
    assert said_of("name: a\x07b\n", "yaml") == snapshot("""\
error[PIPEC_YAML_SYNTAX]: control characters are not allowed
 --> pipeline.yaml:1:8
  |
1 | name: a␇b
  |        ^
  |
""")


def test_every_block_has_its_own_syntax_error() -> None:
    text = (
        "name: [app\n"
        "triggers:\n"
        "  pr: {manual: true\n"
        "  main: {manual: true}\n"
        "tasks:\n"
        "  a:\n"
        "    run: 'x\n"
        "  b:\n"
        "    run: x\n"
        "   cache: true\n"
        "  c: {run: x}\n"
    )
    assert said_of(text, "yaml") == snapshot("""\
error[PIPEC_YAML_SYNTAX]: while parsing a flow sequence: did not find expected ',' or ']'
 --> pipeline.yaml:1:11
  |
1 | name: [app
  |           ^
  |

error[PIPEC_YAML_SYNTAX]: while parsing a flow mapping: did not find expected ',' or '}'
 --> pipeline.yaml:3:20
  |
3 |   pr: {manual: true
  |                    ^
  |

error[PIPEC_YAML_SYNTAX]: while scanning a quoted scalar: found unexpected end of stream
 --> pipeline.yaml:7:12
  |
7 |     run: 'x
  |            ^
  |

error[PIPEC_YAML_SYNTAX]: while parsing a block mapping: did not find expected key
  --> pipeline.yaml:10:4
   |
10 |    cache: true
   |    ^
   |
""")


def test_a_document_that_is_no_table() -> None:
    assert said_of("- a\n", "yaml") == snapshot("""\
error[PIPEC_WRONG_TYPE]: a pipeline is a table of keys and values, not a list
 --> pipeline.yaml
  |
""")
    assert said_of("a\n", "yaml") == snapshot("""\
error[PIPEC_WRONG_TYPE]: a pipeline is a table of keys and values, not text
 --> pipeline.yaml
  |
""")
