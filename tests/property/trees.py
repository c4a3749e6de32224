"""Small, crowded projects: few names, so that patterns, links and folders meet all the time."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hypothesis import strategies as st

NAMES = ["a", "b", "src", "lib", ".x", "a.ts", "b.ts", "é", "a b", "n\n[*]", "\udcff.ts"]
RARE_NAMES = ["node_modules", ".git", ".pipec"]
GLOBS = ["*", "?", "*.ts", "[ab]", "[!a]*", "[a-c].ts", "{a,b}", "{a,b.*}", ".*", "?*", "a*", "*b*"]


@dataclass(frozen=True)
class Node:
    """A file, a link with the text `link`, or a pipe."""

    contents: bytes = b""
    mode: int = 0o644
    link: str | None = None
    is_pipe: bool = False


Tree = Mapping[tuple[str, ...], Node]

names = st.sampled_from(NAMES * 2 + RARE_NAMES)
paths = st.lists(names, min_size=1, max_size=4).map(tuple)
nodes = st.one_of(
    st.builds(
        Node,
        contents=st.sampled_from([b"", b"one", b"two"]),
        mode=st.sampled_from([0o644, 0o644, 0o755, 0o600, 0o711]),
    ),
    st.builds(
        Node, link=st.sampled_from(["a", "../a", "src", "..", "nowhere", "lib", "/nowhere/else"])
    ),
    st.just(Node(is_pipe=True)),
)
trees: st.SearchStrategy[Tree] = st.dictionaries(paths, nodes, max_size=14)

# Patterns are text for JSON: the name that is no UTF-8 can only be met by a glob.
literal_names = [
    name.replace("[", "\\[").replace("*", "\\*")
    for name in NAMES + RARE_NAMES
    if name.isprintable()
]
components = st.one_of(st.sampled_from(literal_names), st.sampled_from([*GLOBS, "**", "**"]))
globs = st.one_of(
    st.lists(components, min_size=1, max_size=4).map("/".join),
    st.lists(components, min_size=1, max_size=3).map(lambda parts: "/".join(parts) + "/"),
    st.lists(components, min_size=1, max_size=2).map(
        lambda parts: "{" + "/".join(parts) + ",lib/a}"
    ),
    st.just("."),
)


@st.composite
def rule_lists(draw: st.DrawFn, groups: tuple[str, ...] = (), **sizes: int) -> list[str]:
    """Rules as `Bench` spells them: globs, `@group`, and `!` before either."""
    choices = [globs, *([st.sampled_from(groups).map("@{}".format)] if groups else [])]
    rule = st.tuples(st.sampled_from(["", "", "", "!"]), st.one_of(choices)).map("".join)
    return draw(st.lists(rule, **sizes))


def plant(root: Path, tree: Tree) -> None:
    """Makes the tree on disk; what does not fit beside what is there already is left out."""
    (root / ".pipec").mkdir()
    for path, node in tree.items():
        full = root.joinpath(*path)
        if not makes_folders(root, path[:-1]) or os.path.lexists(full):
            continue
        if node.link is not None:
            full.symlink_to(node.link)
        elif node.is_pipe:
            os.mkfifo(full)
        else:
            full.write_bytes(node.contents)
            full.chmod(node.mode)


def makes_folders(root: Path, path: tuple[str, ...]) -> bool:
    """Whether all of these are folders now: never behind a link."""
    full = root
    for name in path:
        full /= name
        if not os.path.lexists(full):
            full.mkdir()
        elif full.is_symlink() or not full.is_dir():
            return False
    return True
