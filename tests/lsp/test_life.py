"""The life of the server: beginning, end, messages that are none, and edits that make no sense."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import Project
from tests.lsp.client import PATIENCE, Client, ResponseError
from tests.lsp.editor import CAPABILITIES, Editor, OpenFile

Start = Callable[..., Client]


def test_it_says_what_it_can_do(start: Start) -> None:
    client = start()
    answer = client.initialize(CAPABILITIES)
    assert answer["serverInfo"]["name"] == "pipec"
    offered = answer["capabilities"]
    assert offered["positionEncoding"] == "utf-16"
    assert offered["textDocumentSync"] == {"openClose": True, "change": 2, "save": False}
    assert {name for name, value in offered.items() if name.endswith("Provider") and value} == {
        "codeActionProvider",
        "completionProvider",
        "definitionProvider",
        "documentFormattingProvider",
        "documentHighlightProvider",
        "documentRangeFormattingProvider",
        "documentSymbolProvider",
        "executeCommandProvider",
        "hoverProvider",
        "referencesProvider",
        "renameProvider",
    }
    assert offered["renameProvider"] == {"prepareProvider": True}
    assert client.end() == 0
    assert client.complaints == ""


def test_an_exit_without_asking_for_the_end_is_not_in_order(start: Start) -> None:
    client = start()
    client.initialize()
    client.notify("exit")
    assert client.process.wait(PATIENCE) == 1


@pytest.mark.parametrize("is_initialized", [True, False])
def test_it_ends_when_the_editor_goes_away(start: Start, *, is_initialized: bool) -> None:
    client = start()
    if is_initialized:
        client.initialize()
    assert client.process.stdin is not None
    client.process.stdin.close()
    assert client.process.wait(PATIENCE) == 1


def test_requests_out_of_order_are_refused(start: Start) -> None:
    client = start()
    place = {"textDocument": {"uri": "file:///x"}, "position": {"line": 0, "character": 0}}
    with pytest.raises(ResponseError) as refusal:
        client.request("textDocument/hover", place)
    assert refusal.value.code == -32002
    # What is no request has no answer, and no effect.
    client.notify("textDocument/didOpen", {})
    client.initialize()
    with pytest.raises(ResponseError) as refusal:
        client.request("initialize", {"processId": None, "rootUri": None, "capabilities": {}})
    assert refusal.value.code == -32600
    client.request("shutdown")
    with pytest.raises(ResponseError) as refusal:
        client.request("textDocument/hover", place)
    assert refusal.value.code == -32600
    client.notify("exit")
    assert client.process.wait(PATIENCE) == 0


def test_messages_that_are_none_are_answered_and_survived(start: Start) -> None:
    client = start()
    client.initialize()
    for body in (b"{", b"\xff", b"[]", b"3", b'{"jsonrpc": "2.0"}', b"[" * 100_000):
        client.send_bytes(body)
    with pytest.raises(ResponseError) as refusal:
        client.response(None)
    assert refusal.value.code in {-32700, -32600}
    for method, code in (
        ("textDocument/hover", -32602),
        ("textDocument/nothing", -32601),
        ("workspace/executeCommand", -32602),
    ):
        with pytest.raises(ResponseError) as refusal:
            client.request(method, {"x": 1})
        assert refusal.value.code == code
    client.notify("textDocument/didChange", {"textDocument": 3})
    client.notify("$/nothing", {})
    assert client.end() == 0


@pytest.mark.parametrize("units", ["utf-8", "utf-32"])
def test_columns_are_counted_as_the_editor_prefers(start: Start, units: str, tmp_path: Any) -> None:
    client = start()
    wanted = {**CAPABILITIES, "general": {"positionEncodings": [units, "utf-16"]}}
    answer = client.initialize(wanted)
    assert answer["capabilities"]["positionEncoding"] == units
    editor = Editor(client, tmp_path, units=units)
    file = editor.open('name = "😀é"\n[tasks.a]\nrun = { sh = "😀é", nam = "x" }\n')
    assert file.findings() == [("PIPEC_UNKNOWN_FIELD", "nam")]
    at = file.text.index("é")
    file.replace(at, at + 1, "ü😎")
    assert file.findings() == [("PIPEC_UNKNOWN_FIELD", "nam")]


def test_an_editor_without_trees_and_versions_gets_lists(start: Start, tmp_path: Any) -> None:
    client = start()
    client.initialize()
    file = Editor(client, tmp_path).open("[tasks.a▮]\nrun = 'x'\n")
    symbols = client.request("textDocument/documentSymbol", {"textDocument": {"uri": file.uri}})
    assert [(one["name"], one.get("containerName")) for one in symbols] == [
        ("tasks", None),
        ("a", "tasks"),
    ]
    edit = file._ask_here("rename", newName="b")
    assert list(edit["changes"]) == [file.uri]


def test_without_the_extra_it_says_what_to_install(project: Project) -> None:
    project.write("without/pygls/__init__.py", "raise ModuleNotFoundError('no', name='pygls')\n")
    path = f"{project.folder / 'without'}:{project.environment['PYTHONPATH']}"
    result = project.pipec("lsp", env={"PYTHONPATH": path})
    assert (result.stdout, result.status) == ("", 2)
    assert result.stderr.splitlines()[0] == (
        "error[PIPEC_MISSING_EXTRA]: the language server needs pygls: "
        "`pip install 'pipec[lsp]'` installs it"
    )


PIECES = st.one_of(
    st.sampled_from(
        [
            *"[]{}\"'=.,:#|>%!^\\ \t\n\r\x00\x0b\x85\u2028\ud800\ufeffé😀",
            *("\r\n", "  ", "[[", "]]", '"""', "- ", "&a", "*a", "\\u0000", "<<: ", "null", "0x"),
            *("tasks", "[tasks.a]\n", 'depends-on = ["', "run = 'x'\n", "jobs", "target: a\n"),
            *("a: ", "tasks:\n  a:\n    run: x\n", "\n    ", "named-inputs:\n  s: [a]\n"),
            "[tasks.a.matrix]\nx = [1]\n",
        ]
    ),
    st.text(max_size=4),
)
EDITS = st.lists(st.tuples(st.integers(0, 400), st.integers(0, 40), PIECES), max_size=12)
FEATURES = ("completion", "hover", "definition", "references", "prepareRename", "documentHighlight")
START = {
    "pipeline.toml": 'name = "app"\n[tasks.a]\nrun = "x"\n[jobs.v]\ntarget = ["a"]\n',
    "pipeline.yaml": "name: app\ntasks:\n  a: {run: x}\njobs:\n  v:\n    target: [a]\n",
}


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(sorted(START)), edits=EDITS, at=st.integers(0, 400))
def test_no_edits_end_the_server(
    name: str, edits: list[tuple[int, int, str]], at: int, editor: Editor
) -> None:
    """After each of them there is an answer to everything, and it is one of the protocol's."""
    file = editor.open(START[name], name)
    for place, length, text in edits:
        start = min(place, len(file.text))
        file.replace(start, min(start + length, len(file.text)), text)
    file.cursor = min(at, len(file.text))
    _ask_everything(file)
    file.close()


def _ask_everything(file: OpenFile) -> None:
    for feature in FEATURES:
        more = {"context": {"includeDeclaration": True}} if feature == "references" else {}
        file._ask_here(feature, **more)
    try:
        file._ask_here("rename", newName="renamed")
    except ResponseError as refusal:
        if refusal.code != -32803:
            raise
    document = {"textDocument": {"uri": file.uri}}
    file.editor.ask("textDocument/documentSymbol", document)
    options = {"options": {"tabSize": 2, "insertSpaces": True}}
    place = {"range": {"start": {"line": 0, "character": 0}, "end": file.position(file.cursor)}}
    file.editor.ask(
        "textDocument/codeAction", {**document, **place, "context": {"diagnostics": []}}
    )
    file.editor.ask("textDocument/formatting", {**document, **options})
    file.editor.ask("textDocument/rangeFormatting", {**document, **options, **place})
    for one in file.diagnostics():
        assert (one["range"]["start"]["line"], one["range"]["start"]["character"]) <= (
            one["range"]["end"]["line"],
            one["range"]["end"]["character"],
        )


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.text(max_size=60),
    places=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 99)), min_size=2, max_size=2),
    new=PIECES,
    name=st.sampled_from(sorted(START)),
)
def test_no_ranges_end_the_server(
    text: str, places: list[tuple[int, int]], new: str, name: str, editor: Editor
) -> None:
    """Also those that lie outside of the text, in the middle of a character, or upside down."""
    file = editor.open(text, name)
    start, end = ({"line": line, "character": character} for line, character in places)
    file.change([{"range": {"start": start, "end": end}, "text": new}])
    params = {"textDocument": {"uri": file.uri}, "position": start}
    editor.ask("textDocument/completion", params)
    editor.ask("textDocument/hover", {**params, "position": end})
    file.rewrite(START[name])
    assert file.diagnostics() == []
    file.close()
