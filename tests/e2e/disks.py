"""Disks of one's own, for commands that fill them up and make them read-only.

They exist for one script alone, in a mount namespace, and go with it whatever happens.
"""

import functools
import subprocess
import sys

from tests.conftest import Project

# As root of the machine, or as root of a user namespace where anybody may have one.
WAYS = (("unshare", "--mount"), ("unshare", "--mount", "--map-root-user"))

SCRIPT_START = """
pipec() { "$PYTHON" -m pipec "$@"; }
disk() { mount -t tmpfs -o "$2" tmpfs "$1"; }
lock() { mount -o remount,ro "$1"; }
unlock() { mount -o remount,rw "$1"; }
fill() { cat /dev/zero > "$1/filler" 2> /dev/null || true; }
empty() { rm "$1/filler"; }
"""


@functools.cache
def way_to_mount() -> tuple[str, ...]:
    """The words before a command that may mount file systems."""
    for way in WAYS:
        mount = [*way, "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
        if subprocess.run(mount, capture_output=True, check=False).returncode == 0:
            return way
    raise AssertionError("neither root nor a user namespace can mount a file system here")


def on_disks(project: Project, script: str) -> "subprocess.CompletedProcess[str]":
    """Runs a script in the project's folder, up to its first failure.

    `disk FOLDER OPTIONS` mounts one, `lock` and `unlock` make it read-only and writable, `fill` and
    `empty` leave no byte on it and make room again, and `pipec` is pipec.
    """
    return subprocess.run(
        [*way_to_mount(), "sh", "-e", "-c", SCRIPT_START + script],
        cwd=project.folder,
        env={**project.environment, "PYTHON": sys.executable, "PYTHONDONTWRITEBYTECODE": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=60,
    )
