"""A write that stands still in the middle: its file has the new times and the old contents.

That is what a reader meets when the writer has to wait for a processor or for memory. Here it waits
for a page that somebody has to hand over (`userfaultfd`), which the kernel allows to root, or to
everybody where `vm.unprivileged_userfaultfd` is 1.
"""

import ctypes
import fcntl
import mmap
import os
import platform
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# From Linux's `userfaultfd.h`.
SYSCALL = {"x86_64": 323, "aarch64": 282}
API, REGISTER, COPY = 0xC018AA3F, 0xC020AA00, 0xC028AA03
VERSION, MISSING_PAGES = 0xAA, 1
PAGE = mmap.PAGESIZE

libc = ctypes.CDLL(None, use_errno=True)


def is_allowed() -> bool:
    """Whether writes can be stopped on this machine."""
    fault = opened()
    if fault is not None:
        os.close(fault)
    return fault is not None


def opened() -> int | None:
    number = SYSCALL.get(platform.machine())
    fault = -1 if number is None else int(libc.syscall(number, os.O_CLOEXEC))
    return None if fault < 0 else fault


@contextmanager
def stopped_write(path: Path, text: bytes) -> Iterator[None]:
    """Writes `text` over the beginning of a file; until the block ends, the write does not."""
    fault = opened()
    assert fault is not None
    page = mmap.mmap(-1, PAGE)
    start = ctypes.addressof(ctypes.c_char.from_buffer(page))
    fcntl.ioctl(fault, API, bytearray(struct.pack("QQQ", VERSION, 0, 0)))
    fcntl.ioctl(fault, REGISTER, bytearray(struct.pack("QQQQ", start, PAGE, MISSING_PAGES, 0)))
    target = os.open(path, os.O_WRONLY)
    writer = threading.Thread(
        target=lambda: libc.write(target, ctypes.c_void_p(start), len(text)), daemon=True
    )
    writer.start()
    # The kernel says that somebody wants the page.
    os.read(fault, 32)
    try:
        yield
    finally:
        room = ctypes.create_string_buffer(2 * PAGE)
        contents = -(-ctypes.addressof(room) // PAGE) * PAGE
        ctypes.memmove(contents, text, len(text))
        fcntl.ioctl(fault, COPY, bytearray(struct.pack("QQQQq", start, contents, PAGE, 0, 0)))
        writer.join()
        os.close(target)
        os.close(fault)
