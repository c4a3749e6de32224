"""What every store promises, as a check that authors of stores can run."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from pipec.ports.store import Store

_LARGE = 3 * 1024 * 1024
_THREADS = 8


def check_store(open_store: Callable[[], Store]) -> None:
    """Asserts that stores are what `pipec.ports.store.Store` says.

    `open_store` opens the same, at first empty, store each time it is called: what was put through
    one is found through the next.

    Raises:
        AssertionError: a promise is broken; the message says which.
    """
    for check in (
        _nothing_is_there_at_first,
        _what_is_put_is_found,
        _a_name_can_be_put_again,
        _missing_gives_what_is_not_there,
        _any_bytes_are_kept,
        _many_threads_may_use_it,
    ):
        check(open_store)


def _name(kind: str = "cas") -> str:
    return f"{kind}/{os.urandom(32).hex()}"


def _nothing_is_there_at_first(open_store: Callable[[], Store]) -> None:
    name = _name()
    store = open_store()
    assert store.get(name) is None, "`get` gives None for a name that was never put"
    assert store.missing([name]) == {name}, "`missing` gives a name that was never put"
    assert store.missing([]) == set(), "of no names none is missing"


def _what_is_put_is_found(open_store: Callable[[], Store]) -> None:
    digits = os.urandom(32).hex()
    open_store().put(f"cas/{digits}", b"blob")
    open_store().put(f"ac/{digits}", b"entry")
    for kind, data in (("cas", b"blob"), ("ac", b"entry")):
        found = open_store().get(f"{kind}/{digits}")
        assert found == data, f"`get` gives what was put under `{kind}/…`, not {found!r}"


def _a_name_can_be_put_again(open_store: Callable[[], Store]) -> None:
    name = _name("ac")
    store = open_store()
    store.put(name, b"first")
    store.put(name, b"second")
    assert open_store().get(name) == b"second", "what was put last under an entry's name counts"


def _missing_gives_what_is_not_there(open_store: Callable[[], Store]) -> None:
    there, absent = _name(), _name()
    store = open_store()
    store.put(there, b"x")
    found = store.missing([there, absent])
    assert found == {absent}, "`missing` gives the names that were not put, and no others"


def _any_bytes_are_kept(open_store: Callable[[], Store]) -> None:
    for data in (b"", bytes(range(256)), os.urandom(_LARGE)):
        name = _name()
        open_store().put(name, data)
        found = open_store().get(name)
        assert found == data, f"{len(data)} bytes are kept as they are"


def _many_threads_may_use_it(open_store: Callable[[], Store]) -> None:
    store = open_store()
    blobs = {_name(): os.urandom(1000) for _ in range(50)}

    def put_and_get(name: str) -> bool:
        store.put(name, blobs[name])
        return store.get(name) == blobs[name]

    with ThreadPoolExecutor(_THREADS) as pool:
        kept = list(pool.map(put_and_get, [*blobs, *blobs]))
    assert all(kept), "several threads may put and get at once"
