"""The border with the Rust core: text, bytes, integers, lists of them and JSON, nothing else.

Every call that can take long releases the GIL.
"""

from collections.abc import Sequence
from typing import Literal, Self, final

__all__ = [
    "VERBS",
    "VERSION",
    "Engine",
    "FolderEvents",
    "HandOver",
    "Marks",
    "Redactor",
    "View",
    "Watcher",
    "answer",
    "clean",
    "content_digest",
    "digest",
    "draw",
    "matching",
    "overlaps",
    "pattern_problem",
    "render_findings",
    "start_process",
    "store_clear",
    "store_inputs",
    "store_sweep",
    "toml_cursor",
    "toml_errors",
    "toml_outline",
    "toml_spans",
]

VERSION: str
"""The version of the tool, as in the wheel."""

VERBS: list[str]
"""The words that the front door takes for commands and not for jobs."""

# --- digests -----------------------------------------------------------------------------------

def digest(context: str, data: bytes, /) -> str:
    """BLAKE3 of `data` in key-derivation mode under `context`: 64 hex digits."""

def content_digest(data: bytes, /) -> str:
    """BLAKE3 of `data`, as manifests name the contents of a file: 64 hex digits."""

# --- documents ---------------------------------------------------------------------------------

def toml_errors(text: str, /) -> list[tuple[str, int, int]]:
    """All syntax errors of a TOML document: message, start and end as byte offsets (UTF-8)."""

def toml_spans(text: str, routes: str, /) -> list[tuple[int, int, int, int] | None]:
    """Where values stand in a TOML document.

    `routes` is a JSON list of routes (lists of keys and indexes). For each: the byte offsets of the
    key's start and end and of the value's start and end, or None if the document has no such place.
    An item of a list has its value's span in both places. A route that leads past what the document
    holds gives the span of the longest prefix that exists only if the prefix is not empty.
    """

def toml_outline(text: str, /) -> list[tuple[int, str | int, str, tuple[int, int, int, int], str]]:
    """Every key and item of a TOML text as it is written, in order; the text may be half written.

    For each: the index of the entry that it is in (-1 at the top), its key or index, what its value
    is, start and end of key and value as byte offsets, and what a text says. A value is a `header`
    (a table, as the last name of a header; its value is all that stands under it), a `part` (a
    table, as another name of a header or of a dotted key), `table`, `list`, `text`, `plain` or
    `missing`. A bracket or quote that nothing closes ends where the next statement seems to begin.
    """

def toml_cursor(text: str, offset: int, /) -> tuple[str, list[str | int], int] | None:
    """What comes at a byte offset of a TOML text that may be half written.

    `key` or `header` with the route of the table that the key is in, or `value` with the route of
    the value; then the offset at which that which is written of it begins. None where nothing can
    come.
    """

def render_findings(path: str, text: str, findings: str, /, *, color: bool) -> str:
    """Findings about one document, as rustc prints its own. Never raises on any offsets.

    `findings` is a JSON list of `{"level": "error"|"warning", "code", "message", "labels":
    [{"start", "end", "text", "primary"}], "help": [text]}`, offsets in bytes of UTF-8.
    """

# --- redaction ---------------------------------------------------------------------------------

@final
class Redactor:
    """Replaces secrets in a stream of bytes by `***`, whichever way the stream is cut.

    Covers each secret as it is, in base64 (all three alignments, standard and URL alphabet),
    percent encoded and escaped as in JSON. The longest match wins. Secrets of fewer than 4 bytes
    are left alone.
    """

    def __new__(cls, secrets: Sequence[bytes]) -> Redactor: ...
    def feed(self, chunk: bytes, /) -> bytes:
        """The redacted bytes that no later chunk can change; a possible start of a secret waits."""

    def finish(self) -> bytes:
        """What was kept back. The redactor starts anew afterwards."""

    def redact(self, text: bytes, /) -> bytes:
        """A whole text, redacted; leaves the stream's state alone."""

# --- patterns ----------------------------------------------------------------------------------

def pattern_problem(pattern: str, /) -> tuple[str, int, int] | None:
    """Why a glob cannot be used: message, start and end as byte offsets; None if it can."""

def overlaps(sets: str, /) -> list[tuple[int, int, str]]:
    """Pairs of pattern sets that select a common path: first index, second index, such a path.

    `sets` is a JSON list of lists of `{"glob", "exclude"?}`; only pairs whose first index is
    smaller are given, at most one path a pair.
    """

def matching(patterns: Sequence[str], paths: Sequence[str], /) -> list[list[int]]:
    """For each path of a file, the indexes of the patterns that match it, in ascending order.

    Raises:
        ValueError: one of the patterns is none (as `pattern_problem`).
    """

def draw(
    ir: bytes,
    format: Literal["text", "dot"],  # noqa: A002
    /,
    *,
    jobs: list[str],
    targets: list[str],
    tasks: list[str],
) -> str:
    """Draws jobs and tasks of a canonical IR: a tree of text, or the language of Graphviz.

    `jobs` and `targets` (tasks asked for) stand at the margin of the tree, `tasks` are all tasks of
    the graph, each after those it depends on.

    Raises:
        ValueError: `ir` is no IR of this version.
    """

# --- the engine --------------------------------------------------------------------------------

@final
class Engine:
    """Inputs, keys, outputs and entries of the tasks of one run.

    `root` is the pipeline's folder, `ir` the canonical IR. `request` is JSON:

    - `tasks`: ids of the plan, each after those it depends on;
    - `state`: the folder of the stat index and the baselines (`…/.pipec/cache`), absolute;
    - `stores`: name → `{"root": absolute folder}`;
    - `host`: the host's environment, name → value;
    - `layers`: list of name → env value as in the IR, lowest first (env files, pipeline, job);
    - `params`: name → value;
    - `platform`: such as `linux-x86_64`;
    - `run_id`, `now_ms`, `force`;
    - `passed`: task → `{"key", "outputs"}`, tasks that passed a moment ago: with the same key, and
      with what they made still in place, they need not run again, cached or not (`unchanged`);
    - `failed`: task → key, tasks that failed a moment ago: with the same key, the tasks after one
      are decided as after a failure.

    The engine never runs a command and never reads a clock or an environment of its own. It may be
    called from several threads.
    """

    def __new__(cls, root: str, ir: bytes, request: str) -> Engine: ...
    def environment(self, task: str, step: int | None = None, /) -> list[tuple[str, str, bool]]:
        """What the task's declarations add to its environment: name, value, whether it is a secret.

        With `step`, only what that step adds on top. Matrix values and parameters are not in it.

        Raises:
            ValueError: a value cannot be resolved; the text is JSON `[{"code", "message",
            "name"}]`.
        """

    def assess(self, extras: str, /) -> str:
        """Decides every task that can be decided before anything runs. Changes no file.

        `extras` is a JSON object task → list of `[label, value]`: what of the key only Python can
        find: values of `FileValueInput` and `CommandInput`, and of steps that are no commands.
        Tasks with such inputs or steps and no entry in `extras` are left out, and so is every task
        that depends on one that is not a hit with its outputs known. Gives a JSON object task →
        decision, as `decide` gives it.
        """

    def decide(self, task: str, extras: str, /) -> str:
        """Looks at the task's inputs as they are now, computes its key and looks it up.

        All its dependencies must be finished (a hit, `seal`ed or `failed`). `extras` is a JSON list
        of `[label, value]`. Gives JSON:

        - `verdict`: `{"kind", "component"?, "changed"?, "more"?, "detail"?}`; kind is `hit`,
          `miss`, `disabled`, `forced`, `expired`, `corrupt`, `unchanged`; `component` for a miss:
          the name of the first component of the key that differs from the last success, or
          `no-baseline`; `detail`: for `values` the label of the first one that differs;
          `changed`: up to ten `{"path", "change": "changed"|"added"|"removed"}` of the inputs,
          `more`: how many others;
        - `key`: 64 hex digits; `components`: list of `[name, hex digest]`;
        - `values`: list of `[label, hex digest]`, what the component `values` is made of, if any;
        - `inputs`: number of input files;
        - for a hit: `intact` (the outputs on disk are the stored ones), `entry` (`run_id`,
          `finished_ms`, `duration_ms`, `tool`, `files`, `bytes`, `metadata`?).

        Raises:
            OSError: an input cannot be read.
            ValueError: an environment value cannot be resolved (as `environment`).
        """

    def restore(self, task: str, /) -> str:
        """Makes the outputs of a hit exactly what was stored, or changes nothing and raises.

        Gives JSON `{"restored", "removed", "unchanged"}`, numbers of files.

        Raises:
            OSError: a blob is missing or damaged (`errno.EBADMSG`), or a file cannot be written:
            the task has to run.
        """

    def seal(self, task: str, facts: str, /) -> str:
        """Closes a task whose steps succeeded: looks at its outputs, stores them if it is cached.

        `facts` is JSON `{"finished_ms", "duration_ms", "log"?: path of the log file, "metadata"?:
        object to keep with the result, "changed"?: what else of the key changed meanwhile}`. Gives
        JSON `{"files", "bytes", "digest", "missing": [patterns that matched nothing], "unsuitable":
        [paths that are neither file, link nor folder], "changed_inputs": [paths changed since
        `decide`], "stored": bool, "trouble": text}`. With `missing` or `unsuitable` nothing was
        stored and the task counts as failed; with `changed_inputs` or `trouble` nothing was stored.
        """

    def failed(self, task: str, /) -> None:
        """Closes a task that failed. Tasks after it (`allow-failure`) are not cached."""

    def diff_inputs(self, task: str, extras: str, /) -> str:
        """What changed in a task's key since its last success, without running anything.

        Gives JSON `{"baseline": bool, "components": [[name, before, now]], "files": [{"path",
        "change", "rule"}]}`.
        """

    def input_files(self, task: str, /) -> list[tuple[bytes, str]]:
        """The task's input files now: path, and the digest of each (empty: missing)."""

    def unmatched(self, task: str, /) -> list[int]:
        """Indexes of the task's own input rules that select no file."""

    def selected(self, task: str, /) -> list[int]:
        """How many files each of the task's own input rules selects by itself.

        For a rule that excludes: how many there are for it to exclude.
        """

    def log_of(self, task: str, /) -> bytes | None:
        """The stored log of a hit, if the store has it."""

    def export(self, task: str, /) -> tuple[bytes, list[str]] | None:
        """What another store needs of a finished task: its entry, and the digests of its blobs.

        None if the task's own store has no entry for its key.

        Raises:
            OSError: the store cannot be read.
        """

    def blob(self, task: str, digest: str, /) -> bytes:
        """The blob of this digest in the task's own store, checked.

        Raises:
            OSError: it is missing, damaged (`errno.EBADMSG`) or cannot be read.
            ValueError: `digest` is none.
        """

    def wanted(self, task: str, entry: bytes, /) -> list[str]:
        """The blobs that the task's own store still needs to take over an entry from elsewhere.

        First those that list files, then, once these were taken, the contents of the files. The
        task must have been decided.

        Raises:
            OSError: `entry` is none for the task's key (`errno.EBADMSG`).
        """

    def take_blob(self, task: str, digest: str, data: bytes, /) -> None:
        """Takes a blob over into the task's own store.

        Raises:
            OSError: `data` does not have this digest (`errno.EBADMSG`), or cannot be written.
            ValueError: `digest` is none.
        """

    def take_entry(self, task: str, entry: bytes, /) -> None:
        """Takes an entry over: the next `decide` of the task is a hit.

        Raises:
            OSError: it is none for the task's key, names blobs that are not there, or outputs that
            the task does not own (`errno.EBADMSG`); or it cannot be written.
        """

    def save(self) -> None:
        """Writes the stat index, the baselines, the tables of stores and the times of last use.

        Raises:
            OSError: the state folder cannot be written; the run is as good as it was.
        """

    def folders(self) -> list[bytes]:
        """The folders in which something could matter to the plan, as `assess` found them.

        Relative to the root, which is empty.
        """

    def durations(self) -> dict[str, int]:
        """How long each task took when it last ran, in milliseconds."""

    def counters(self) -> dict[str, int]:
        """What the engine did: `directories_listed`, `files_seen`, `files_hashed`, `bytes_hashed`,
        `index_hits`, `blobs_written`, `entries_written`."""

# --- processes ---------------------------------------------------------------------------------

@final
class Marks:
    """What tells the processes of one run, and of each of its tasks, from all others.

    A mark is a number that a process hands on to all that it starts, and that nobody sees who does
    not look for it: Linux keeps it in a limit that means nothing to it. Elsewhere there are none.

    Raises:
        OSError: the system gives no random numbers.
    """

    def __new__(cls) -> Self: ...
    @property
    def run(self) -> int:
        """The mark of the run. Who has one of a task is found by it as well."""

    def of_next_task(self) -> int:
        """A mark for one more task."""

def start_process(
    argv: Sequence[str],
    *,
    env: list[str],
    cwd: str,
    streams: list[tuple[int, int]],
    group: int | None,
    mark: int,
) -> int:
    """Starts `argv`, looked up in the PATH of `env`, and gives its process.

    `env` are pairs of `NAME=value`. `streams` are descriptors, each with the number that it has
    there: the same, or one that none of them has here. A stream that is not named is our own;
    nothing else is open there. It has a session of its own, unless it belongs into a `group` of our
    session; 0 is a new one. `mark` is one of `Marks`. No signal is blocked there, or ignored but
    what we ignore, SIGPIPE and SIGXFSZ excepted.

    Raises:
        OSError: it cannot be started.
        ValueError: there is a null in a text.
    """

@final
class Watcher:
    """A small process that ends what a run started should this process end without `stop`.

    `program` with its arguments is what it becomes then: it finds the sessions that are watched at
    descriptor 3, a number a line, 0 for none. `env` is what it sees.

    Raises:
        OSError: no process can be started.
    """

    def __new__(cls, program: list[str], env: dict[str, str]) -> Self: ...
    def watch(self, session: int, /) -> None:
        """A session to end with the run. Wakes nobody."""

    def forget(self, session: int, /) -> None:
        """The session is over."""

    def stop(self) -> None:
        """The run is over, all is well."""

# --- what a person sees ------------------------------------------------------------------------

@final
class View:
    """What a person sees of a run: lines that stay and, on a terminal, what runs now below them.

    It writes nothing: whoever drives it writes what `frame`, `rest` and `step_aside` give. `size`
    is always the columns and rows of the screen, `now` seconds from an arbitrary start. `live`:
    there is a screen. `streamed`: output is said as it comes, line by line, with the name of its
    task.
    """

    def __new__(cls, size: tuple[int, int], *, color: bool, live: bool, streamed: bool) -> Self: ...
    def say(self, text: str, /) -> None:
        """Lines that stay, whole ones."""

    def fit(self, text: str, taken: int, /) -> str:
        """The text, cut to what is left of a line of which `taken` columns are used.

        Without a screen it is left as it is.
        """

    def expect(self, tasks: list[tuple[str, int | None]], now: float, /) -> None:
        """Something may run from now on: every task, and its last duration in milliseconds.

        None for a task that is new, 0 for one that has nothing to do.
        """

    def started(self, task: str, now: float, /) -> None:
        """The task runs from now on."""

    def output(self, task: str, data: bytes, /) -> bool:
        """Output of the task, cut anywhere. True if it should be written before there is more."""

    def settled(self, task: str, status: str, /) -> None:
        """The task is over.

        Raises:
            ValueError: `status` is none of the words that a record has for that.
        """

    def due_in(self, now: float, /) -> float | None:
        """Seconds that the next picture can wait; None if there will be none."""

    def frame(self, now: float, size: tuple[int, int], /) -> str:
        """What to write now: what is to be said, and the new picture."""

    def rest(self, size: tuple[int, int], /) -> str:
        """What takes the picture away, and all that is to be said."""

    def step_aside(self, size: tuple[int, int], /) -> str:
        """As `rest`; and until `come_back` there is nothing to write, whatever is said."""

    def come_back(self) -> None:
        """The screen is ours again."""

    def lost_the_screen(self) -> None:
        """What stands on the screen is not what was drawn last."""

def clean(text: str, /, *, colors: bool) -> str:
    """Output of a task without what a terminal would obey; with `colors` its colours stay.

    What a carriage return goes back to is left out, as on a terminal.
    """

@final
class FolderEvents:
    """Hears that something happened in folders; what it was, the files tell. Reading is nothing.

    Raises:
        OSError: the operating system has no such thing, or no more of them (`errno.EMFILE`).
    """

    def __new__(cls) -> Self: ...
    def fileno(self) -> int:
        """A descriptor that is readable as soon as something happened."""

    def add(self, folders: list[str], /) -> int:
        """Listens to these folders as well; gives how many are new. One that is gone is none.

        Raises:
            OSError: there are too many of them (`errno.ENOSPC`).
        """

    def take(self) -> bool:
        """Whether anything happened since the last call.

        Raises:
            OSError: it cannot be told.
        """

# --- the front door ----------------------------------------------------------------------------

def answer(words: list[str], /) -> tuple[str, str, int, str | None] | HandOver | None:
    """Answers the command line `words` of this process, if that needs no Python.

    Gives what is left to print on standard output and error and the exit status, and of a run in
    which tasks failed its id: its record has no context packs yet. For a run in
    which something has to run that takes more than processes: what is known so far. None: a form
    that is not known here; nothing was done.

    Raises:
        OSError, ValueError: something is wrong with pipec itself; the record of the run says so.
        KeyboardInterrupt: before anything ran.
    """

@final
class HandOver:
    """A run that the front door began and cannot end. It holds the run lock until that is taken."""

    @property
    def run_id(self) -> str:
        """The id of the run."""

    def take_lock(self, root: str, /) -> int | None:
        """The descriptor of the run lock, once, if `root` is the project's."""

    def take_engine(self, root: str, ir: bytes, request: str, /) -> tuple[Engine, str] | None:
        """The engine and the JSON of its `assess`, once, for a request that asks just the same.

        The run's id and its moment may differ.
        """

# --- the store at rest -------------------------------------------------------------------------

def store_sweep(
    root: str, /, *, now_ms: int, max_age_ms: int | None, max_bytes: int | None, dry: bool
) -> str:
    """Removes entries not used for `max_age_ms`, then the least recently used ones beyond
    `max_bytes`, then every blob that no entry names and every left-over of a crash. The caller
    holds the run lock.

    Gives JSON `{"entries_removed", "entries_kept", "blobs_removed", "bytes_removed",
    "bytes_kept"}`.
    """

def store_clear(root: str, /) -> None:
    """Removes everything that the store and the engine keep in a state folder; other files stay."""

def store_inputs(root: str, key: str, /) -> list[tuple[bytes, str]] | None:
    """The input files of the entry under `key`: path, and the digest of the contents.

    Links and files that were missing are left out. None: the store has no such entry.

    Raises:
        OSError: the entry's manifest cannot be read.
    """
