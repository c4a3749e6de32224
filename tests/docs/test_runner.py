"""The runner of pages itself: a page that lies is noticed."""

from pathlib import Path

import pytest

from tests.docs.runner import File, Session, Setup, check_page, normalize, read_blocks, rewrite_page

PAGE = """# A page

```toml title="a/b.txt"
hello
```

```sh setup
echo more >> a/b.txt
```

```sh
exit 1
```

```console
$ cat a/b.txt; pwd
hello
more
<project>
$ echo out; echo err >&2; exit 3
out
err
exit status 3
```
"""


def test_blocks_are_read_in_order() -> None:
    blocks = read_blocks(PAGE)
    assert blocks[:2] == [File("a/b.txt", "hello\n"), Setup("echo more >> a/b.txt\n")]
    assert isinstance(blocks[2], Session)
    assert blocks[2].commands == ["cat a/b.txt; pwd", "echo out; echo err >&2; exit 3"]


def test_a_true_page_passes(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE)
    check_page(page, tmp_path)


def test_a_page_that_lies_fails(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE.replace("err\nexit status 3", "err"))
    with pytest.raises(AssertionError, match=r"page\.md, line 15"):
        check_page(page, tmp_path)


def test_a_page_that_lies_is_put_right(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE.replace("hello\nmore\n", "bye\n"))
    rewrite_page(page)
    assert page.read_text() == PAGE


@pytest.mark.parametrize(
    ("printed", "written"),
    [
        ("build     1.2s  done", "build <time>  done"),
        ("build  12ms", "build <time>"),
        ("took 1m 02s.", "took <time>."),
        ("run 20261122T011933-4f2a1c failed", "run <run> failed"),
        ("2 tasks in 40ms: 2 cached (saved 1.2s)", "2 tasks in <time>: 2 cached"),
        ("run 20261122T011933.004-4f2a1c3b", "run <run>"),
        ("process 4711, since 2026-11-22 01:19:33 UTC", "process <pid>, since <moment>"),
        ("key " + "0123456789abcdef" * 4, "key <key>"),
        ("3 tasks, 2 hits, v1.2 s3", "3 tasks, 2 hits, v1.2 s3"),
    ],
)
def test_what_no_two_runs_share_is_a_placeholder(printed: str, written: str) -> None:
    assert normalize(printed) == written
    assert normalize(written) == written
