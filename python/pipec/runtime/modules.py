"""The modules of the project that a Python step runs: what of its code enters its key.

Read, never imported: the module of the step, and every module of the project that these import in a
statement, however deep. What is imported by name at run time and what is installed is not seen.
"""

import ast
import os
from collections.abc import Iterator

from pipec import _core


def modules_of(root: str, module: str) -> dict[str, str]:
    """Path (relative to the root) and digest of each file; nothing if the project has none."""
    return dict(sorted(_Modules(root).read(module).items()))


def folders_of(root: str, module: str) -> set[str]:
    """The folders (relative to the root) in which these files lie, or would if they were new."""
    modules = _Modules(root)
    modules.read(module)
    return {"", *modules.folders}


class _Modules:
    def __init__(self, root: str) -> None:
        self.folders: set[str] = set()
        self._root = root
        self._digests: dict[str, str] = {}

    def read(self, module: str) -> dict[str, str]:
        waiting = list(self._files(module))
        while waiting:
            path, name = waiting.pop()
            if path in self._digests:
                continue
            try:
                with open(os.path.join(self._root, path), "rb") as file:
                    content = file.read()
            except OSError:
                # It was there a moment ago; the step will say what is wrong with it.
                continue
            self._digests[path] = _core.content_digest(content)
            package = name if path.endswith("/__init__.py") else name.rpartition(".")[0]
            for imported in _imports(content, package):
                waiting += self._files(imported)
        return self._digests

    def _files(self, module: str) -> Iterator[tuple[str, str]]:
        """The files of a module and of the packages around it, as far as the project has them."""
        parts = module.split(".")
        for depth in range(1, len(parts) + 1):
            place, name = "/".join(parts[:depth]), ".".join(parts[:depth])
            is_folder = os.path.isdir(os.path.join(self._root, place))
            if is_folder:
                self.folders.add(place)
            # In the order in which Python looks.
            for path in (f"{place}/__init__.py", f"{place}.py"):
                if os.path.isfile(os.path.join(self._root, path)):
                    yield path, name
                    break
            else:
                if not is_folder:
                    return


def _imports(content: bytes, package: str) -> Iterator[str]:
    """Every name that could be a module, of all import statements."""
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _base(node, package)
            if base is not None:
                # `from a import b` may mean the module `a.b`, or a name in `a`.
                yield from (f"{base}.{alias.name}".lstrip(".") for alias in node.names)


def _base(node: ast.ImportFrom, package: str) -> str | None:
    if not node.level:
        return node.module or ""
    parts = package.split(".") if package else []
    if node.level - 1 > len(parts):
        return None
    above = parts[: len(parts) - node.level + 1]
    return ".".join([*above, node.module] if node.module else above)
