"""Laws of editing manifests, over files that nobody laid out with care."""

import json
from collections.abc import Mapping
from typing import Any

import tomli
from hypothesis import given
from hypothesis import strategies as st

from pipec.backends.scripts.deno import Deno
from pipec.backends.scripts.jsonc import Jsonc
from pipec.backends.scripts.package import Package
from pipec.backends.scripts.poe import Poe
from pipec.backends.scripts.port import Edited, Runner
from tests.property.effort import laws

NAMES = [f"ci:{letter}" for letter in "abcd"]
COMMANDS = st.text(st.characters(exclude_categories=["C"]), max_size=8)
WANTED = st.lists(st.sampled_from(NAMES), unique=True).flatmap(
    lambda names: st.fixed_dictionaries(dict.fromkeys(sorted(names), COMMANDS))
)
SCALARS = st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=4)


def edit_thrice(runner: Runner, before: str, *wanted: Mapping[str, str]) -> list[Edited]:
    """The file after each of these wishes, and after none."""
    edited, owned = Edited(before), ()
    history = []
    for wish in (*wanted, {}):
        edited = runner.edit(edited.text, wanted=wish, owned=owned, made=edited.made)
        again = runner.edit(edited.text, wanted=wish, owned=tuple(wish), made=edited.made)
        assert again == edited, "twice gives the same bytes"
        owned = tuple(wish)
        history.append(edited)
    return history


def is_within(before: str, after: str) -> bool:
    """Whether `after` is `before` with more in between."""
    rest = iter(after)
    return all(character in rest for character in before)


@st.composite
def spaces(draw: Any, *, comments: bool, newline: str) -> str:
    pieces = [" ", "  ", "\t", newline, ""]
    if comments:
        pieces += [f"// c, }} ]{newline}", '/* "x": { */', f"//{newline}"]
    return "".join(draw(st.lists(st.sampled_from(pieces), max_size=3)))


@st.composite
def json_texts(draw: Any, value: Any, *, comments: bool, newline: str) -> str:
    """The value, with odd white space, and comments and trailing commas where they may be."""

    def space() -> str:
        return draw(spaces(comments=comments, newline=newline))

    def write(part: Any) -> str:
        if isinstance(part, dict):
            items = [
                f"{space()}{json.dumps(key)}{space()}:{space()}{write(member)}{space()}"
                for key, member in part.items()
            ]
            opening, closing = "{}"
        elif isinstance(part, list):
            items, opening, closing = [f"{space()}{write(item)}{space()}" for item in part], *"[]"
        else:
            return json.dumps(part, ensure_ascii=draw(st.booleans()))
        comma = "," if items and comments and draw(st.booleans()) else ""
        return opening + ",".join(items) + comma + space() + closing

    return space() + write(value) + space()


@st.composite
def manifests(draw: Any, field: str, *, comments: bool) -> tuple[Any, str]:
    scripts = st.dictionaries(
        st.text(max_size=4),
        SCALARS | st.dictionaries(st.text(max_size=2), SCALARS, max_size=2),
        max_size=3,
    )
    values = draw(
        st.dictionaries(st.text(max_size=4), SCALARS | st.lists(SCALARS, max_size=2), max_size=3)
    )
    values.pop(field, None)
    if draw(st.booleans()):
        values[field] = draw(scripts)
    keys = draw(st.permutations(list(values)))
    values = {key: values[key] for key in keys}
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    return values, draw(json_texts(values, comments=comments, newline=newline))


def check_json(
    runner: Runner, field: str, values: Any, before: str, *wanted: dict[str, str]
) -> None:
    assert Jsonc(before).values == values
    *edits, last = edit_thrice(runner, before, *wanted)
    for wish, edited in zip(wanted, edits, strict=True):
        expected = {**values, field: {**values.get(field, {}), **wish}} if wish else values
        assert Jsonc(edited.text).values == expected
        has_members = bool(values.get(field))
        if has_members:
            assert is_within(before, edited.text)
    assert last.text == before


@laws(60)
@given(manifests("scripts", comments=False), WANTED, WANTED)
def test_a_package_json_comes_back(manifest: tuple[Any, str], one: dict, other: dict) -> None:
    values, before = manifest
    assert json.loads(before) == values
    check_json(Package(), "scripts", values, before, one, other)


@laws(60)
@given(manifests("tasks", comments=True), WANTED, WANTED)
def test_a_deno_jsonc_comes_back(manifest: tuple[Any, str], one: dict, other: dict) -> None:
    check_json(Deno(), "tasks", *manifest, one, other)


TASKS = [
    ("", {}),
    ("[tool.poe.tasks]\n", {}),
    ("[tool.poe.tasks] # why\nt = 'v'\n", {"t": "v"}),
    ('[tool.poe.tasks]\n  t = """\n[tool.x]\na = 1\n"""\n\n', {"t": "[tool.x]\na = 1\n"}),
    (
        "[tool.poe.tasks]\nt.cmd = 'v' # ü\nt.env.A = 'b'\nlist = [\n  'a', # b\n]\n",
        {"t": {"cmd": "v", "env": {"A": "b"}}, "list": ["a"]},
    ),
    ("[tool.poe.tasks.t]\ncmd = 'v'\n", {"t": {"cmd": "v"}}),
    ("[tool.poe.tasks]\nu = 'v'\n[tool.poe.tasks.t]\ncmd = 'v'\n", {"u": "v", "t": {"cmd": "v"}}),
    (
        "[[tool.poe.tasks.t]]\ncmd = 'v'\n[[tool.poe.tasks.t]]\ncmd = 'w'\n",
        {"t": [{"cmd": "v"}, {"cmd": "w"}]},
    ),
    ("[tool.poe]\ntasks.t = 'v'\ntasks.u.cmd = 'w'\n", {"t": "v", "u": {"cmd": "w"}}),
    ("[tool]\npoe.tasks . t = 'v'\n", {"t": "v"}),
    ("tool.poe.tasks.t = 'v'\n", {"t": "v"}),
    ("[tool.poe]\ntasks = {}\n", {}),
    ("[tool.poe]\ntasks = { }  # why\n", {}),
    ("[tool.poe]\ntasks = { t = 'v', u = { cmd = '}, {' } }\n", {"t": "v", "u": {"cmd": "}, {"}}),
    ("[ tool . poe . 'tasks' ]\nt = 'v'\n", {"t": "v"}),
    ("[tool.poe]\nverbosity = 1\n", {}),
]
AROUND = [
    "[project]\nname = 'ü'\n",
    "# a comment\n",
    "\n",
    "[[other]]\na = 1\n[[other]]\na = 2\n",
    "[x.y]\ntext = '''\n[tool.poe.tasks]\n'''\n",
]


@st.composite
def toml_files(draw: Any) -> tuple[str, dict[str, Any]]:
    tasks, values = draw(st.sampled_from(TASKS))
    around = draw(st.lists(st.sampled_from(AROUND), unique=True, max_size=4))
    at = draw(st.integers(0, len(around)))
    if tasks.startswith("tool."):
        at = 0
    text = "".join([*around[:at], tasks, *around[at:]])
    if draw(st.booleans()):
        text = text.removesuffix("\n")
    if draw(st.booleans()):
        text = text.replace("\n", "\r\n")
        values = (
            json.loads(json.dumps(values).replace("\\n", "\\r\\n")) if "'''" in tasks else values
        )
    return text, values


@laws(60)
@given(toml_files(), WANTED, WANTED)
def test_a_pyproject_comes_back(file: tuple[str, dict[str, Any]], one: dict, other: dict) -> None:
    before, tasks = file
    values = tomli.loads(before)
    assert values.get("tool", {}).get("poe", {}).get("tasks", {}) == tasks
    *edits, last = edit_thrice(Poe(), before, one, other)
    for wish, edited in zip((one, other), edits, strict=True):
        after = tomli.loads(edited.text)
        found = after.get("tool", {}).get("poe", {}).pop("tasks", {})
        assert found == {**tasks, **wish}
        plain = tomli.loads(before)
        plain.get("tool", {}).get("poe", {}).pop("tasks", None)
        assert without_empty(after) == without_empty(plain)
        if "{}" not in before and "{ }" not in before:
            assert is_within(before, edited.text)
    assert last.text == before


def without_empty(value: Any) -> Any:
    """The value without tables that are only there to hold tasks."""
    if not isinstance(value, dict):
        return value
    members = {key: without_empty(member) for key, member in value.items()}
    return {key: member for key, member in members.items() if member != {}}
