"""Strategies for pipelines that load, as plain values, and writers for both notations."""

import json
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

TEXTS = st.text(
    st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=["Cs"]), max_size=12
)
FILLED = TEXTS.map(lambda text: f"x{text}")
NAMES = st.sampled_from(["a", "b", "web", "build_1", "on", "null", "y", "no"])
ENV_NAMES = st.sampled_from(["A", "B_1", "NODE_ENV", "Y"])
DURATIONS = st.sampled_from([1, 90_000, "30s", "1.5s", "2h30m", "500ms"])


def tables(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Tables in which any of the keys may be missing, in any order."""
    named = {key.rstrip("_").replace("_", "-"): value for key, value in fields.items()}
    complete = st.fixed_dictionaries({}, optional=named)
    return complete.flatmap(
        lambda table: st.permutations(list(table)).map(
            lambda keys: {key: table[key] for key in keys}
        )
    )


ENV_VALUES = st.one_of(
    TEXTS,
    st.fixed_dictionaries({"value": TEXTS}, optional={"in-key": st.booleans()}),
    st.fixed_dictionaries({"secret": ENV_NAMES}, optional={"in-key": st.booleans()}),
    st.fixed_dictionaries({"var": ENV_NAMES}, optional={"default": TEXTS}),
    st.fixed_dictionaries({"var": ENV_NAMES, "map": st.dictionaries(TEXTS, TEXTS, max_size=2)}),
)
ENVS = st.dictionaries(ENV_NAMES, ENV_VALUES, max_size=3)
PATTERNS = st.sampled_from(
    ["src/**", "./a/", "!src/x", "*.{ts,js}", "[ab]?.c", "/top", "é 😀", "#x"]
)
INPUTS = st.lists(
    st.one_of(
        PATTERNS,
        st.sampled_from(["source", "!source"]),
        st.fixed_dictionaries({"env": ENV_NAMES}),
        st.fixed_dictionaries({"command": FILLED}),
        st.fixed_dictionaries({"file": st.just("p.json"), "key": FILLED}),
    ),
    max_size=4,
)
STEPS = st.one_of(
    FILLED,
    st.builds(
        lambda options, sh: {**options, "sh": sh},
        tables(cwd=st.just("web"), env=ENVS, timeout=DURATIONS, name=FILLED, shell=st.just("bash")),
        FILLED,
    ),
    st.fixed_dictionaries({"argv": st.lists(FILLED, min_size=1, max_size=3)}),
    st.fixed_dictionaries(
        {"call": st.just("m:f")},
        optional={
            "with": st.dictionaries(TEXTS, st.one_of(st.integers(-9, 9), st.booleans(), TEXTS))
        },
    ),
)
TASK_FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "description": TEXTS,
    "inputs": INPUTS,
    "cache": st.one_of(st.booleans(), st.sampled_from(["file", "memory:session"])),
    "env": ENVS,
    "env_inputs": st.lists(st.sampled_from(["A", "NODE_*"]), max_size=2),
    "shell": st.sampled_from(["sh", "bash", ["zsh", "-c"]]),
    "retry": st.one_of(st.integers(1, 9), st.just({"attempts": 2, "delay": "1s"})),
    "timeout": DURATIONS,
    "run": st.one_of(STEPS, st.lists(STEPS, max_size=3)),
    "priority": st.integers(-5, 5),
    "allow_failure": st.booleans(),
    "platforms": st.lists(st.sampled_from(["linux", "macos", "windows"]), min_size=1, max_size=3),
    "matrix": st.just({"os": ["x", "1"], "n": [1, True]}),
}
TASKS = tables(**TASK_FIELDS)
PIPELINES = st.builds(
    lambda name, rest, tasks: {
        "name": name,
        **rest,
        "named-inputs": {"source": ["src/**", {"env": "S"}]},
        "tasks": {**tasks, "group": {"default": {}, "inner": {"depends-on": ["group"]}}},
    },
    FILLED,
    tables(
        description=TEXTS,
        env=ENVS,
        env_mode=st.sampled_from(["loose", "strict"]),
        cache=st.sampled_from(["file:read", "memory"]),
        triggers=st.just({"t": {"cron": "0 0 * * *"}}),
        task_defaults=st.just({"*": {"retry": 2}}),
        jobs=st.just({"j": {"target": ["group", "group.inner"], "params": {"p": "bool"}}}),
    ),
    st.dictionaries(NAMES, TASKS, max_size=4),
)


def shuffled(value: Any, random: Any) -> Any:
    """The same value with the keys of its tables in another order."""
    if isinstance(value, dict):
        keys = list(value)
        random.shuffle(keys)
        return {key: shuffled(value[key], random) for key in keys}
    if isinstance(value, list):
        return [shuffled(item, random) for item in value]
    return value


def to_toml(table: Mapping[str, Any], *, headings: bool) -> str:
    """TOML with inline tables, or with a heading for every table that can have one."""
    lines: list[str] = []
    _write_table(table, (), lines, headings=headings)
    return "\n".join(lines) + "\n"


def _write_table(
    table: Mapping[str, Any], path: tuple[str, ...], lines: list[str], *, headings: bool
) -> None:
    inner = {key: value for key, value in table.items() if headings and isinstance(value, dict)}
    lines.extend(f"{_quote(key)} = {_toml(table[key])}" for key in table if key not in inner)
    for key, value in inner.items():
        route = (*path, key)
        lines.append(f"# {len(lines)}\n[{' . '.join(_quote(part) for part in route)}] # comment")
        _write_table(value, route, lines, headings=headings)


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_quote(key)} = {_toml(value[key])}" for key in value) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, str):
        return _quote(value)
    return str(value).lower()


def _quote(text: str) -> str:
    escaped = (
        character
        if character.isprintable() and character not in '"\\'
        else f"\\U{ord(character):08x}"
        for character in text
    )
    return f'"{"".join(escaped)}"'


def to_yaml(value: Any, *, depth: int = 0, flow: bool = False) -> str:
    """YAML in block style, or all in one line."""
    if flow or not isinstance(value, (dict, list)) or not value:
        return _flow(value)
    indentation = "\n" + "  " * depth
    if isinstance(value, list):
        return "".join(f"{indentation}- {to_yaml(item, flow=True)}" for item in value)
    return "".join(
        f"{indentation}{_quote(key)}: {to_yaml(member, depth=depth + 1)}"
        for key, member in value.items()
    )


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_quote(key)}: {_flow(value[key])}" for key in value) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return _quote(value) if isinstance(value, str) else json.dumps(value)
