"""t-strings in `sh`, by a Python that has them: the one of Pyodide, under Node."""

import json
import subprocess
from pathlib import Path

import pytest

import pipec
from tests.real.packages import Package
from tests.real.workshop import Workshop

pytestmark = [pytest.mark.real, pytest.mark.timeout(600)]

PYODIDE = Package(
    name="pyodide",
    registry="npm",
    requirement="pyodide@314.0.7",
    archive="pyodide-314.0.7.tgz",
    sha256="66b7949e5a0cba2250b586d7e368bf12fb482800748d182c4618254b685ffaa0",
    tasks=frozenset(),
    outputs=(),
    edits=(),
)

SCRIPT = """
import { readFileSync } from "node:fs";
import { loadPyodide } from "./pyodide.mjs";
const python = await loadPyodide();
python.FS.mkdirTree("/lib/pipec/steps");
python.FS.writeFile("/lib/pipec/__init__.py", "");
for (const name of ["__init__", "shell", "context"])
  python.FS.writeFile(`/lib/pipec/steps/${name}.py`, readFileSync(`${process.argv[2]}/${name}.py`));
console.log(python.runPython(readFileSync(process.argv[3], "utf8")));
"""

TEMPLATES = r"""
import json, sys
sys.path.insert(0, "/lib")
from pipec.steps.shell import sh

def refusal(template):
    try:
        sh(template)
    except ValueError as error:
        return str(error)

name, number = "it's $(id)", 7
json.dumps([
    sys.version_info[:2],
    sh(t"pnpm add {name} --n={number:03d} {name!r}").command,
    sh(t"tar cf {['a b', 'c']} ${{HOME}}").command,
    refusal(t"echo '{name}'"),
])
"""


def test_a_t_string_is_quoted_value_by_value(tmp_path):
    folder = tmp_path / "pyodide"
    Workshop.open().lay_out(PYODIDE, folder)
    script = folder / "script.mjs"
    script.write_text(SCRIPT)
    templates = tmp_path / "templates.py"
    templates.write_text(TEMPLATES)
    steps = Path(pipec.__file__).parent / "steps"
    done = subprocess.run(
        ["node", script, steps, templates], capture_output=True, text=True, check=True
    )
    version, command, listed, refusal = json.loads(done.stdout)
    assert tuple(version) >= (3, 14)
    assert command == """pnpm add 'it'"'"'s $(id)' --n=007 '"it'"'"'s $(id)"'"""
    assert listed == "tar cf 'a b' c ${HOME}"
    assert refusal == "value 1 of `sh` stands inside quotes, where it cannot be quoted"
