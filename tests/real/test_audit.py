"""`pipec audit` of a program for Node: each planted read, write and connection is found."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.real.workshop import Workshop

pytestmark = [pytest.mark.real, pytest.mark.timeout(900)]

PROGRAM = """
const fs = require("fs"), { VALUE } = require("./beside.js");
fs.writeFileSync("out/made", fs.readFileSync("src/in") + VALUE);
if (process.argv.length > 2) {
  const socket = require("dgram").createSocket("udp4");
  socket.send("x", 9, "192.0.2.1", () => socket.close());
  fs.promises.readFile("planted/read").then(async (text) => {
    await fs.promises.writeFile("planted/wrote", text);
    await fs.promises.rename("planted/wrote", "planted/renamed");
  });
}
"""


def audited(folder: Path, words: str) -> dict:
    """The audit of a task that runs the program with these words."""
    files = {"src/program.js": PROGRAM, "src/beside.js": "exports.VALUE = 1;", "src/in": "1"}
    for name, text in {**files, "planted/read": "2", "out/.keep": ""}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    task = f'inputs = ["src/**"]\noutputs = ["out/made"]\nrun = "node src/program.js{words}"\n'
    (folder / "pipeline.toml").write_text(f"name = 'app'\n[tasks.t]\n{task}", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pipec", "audit", "t", "--format", "json"],
        cwd=folder,
        env=Workshop.open().environment(folder.parent / "home"),
        capture_output=True,
        check=False,
    )
    return json.loads(done.stdout)


def test_what_a_program_for_node_does_is_found(tmp_path: Path) -> None:
    folder = tmp_path / "app"
    found = audited(folder, " plant")["findings"]
    assert {(one["code"], one.get("path")) for one in found} == {
        ("PIPEC_UNDECLARED_READ", "planted/read"),
        ("PIPEC_UNDECLARED_WRITE", "planted/renamed"),
        ("PIPEC_NETWORK_USED", None),
    }
    assert audited(folder, "")["findings"] == []
