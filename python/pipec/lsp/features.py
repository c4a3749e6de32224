"""Every request that the server answers, and the feature that answers it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from pipec.lsp.actions import offer_actions
from pipec.lsp.analysis import Analysis
from pipec.lsp.completion import complete
from pipec.lsp.definition import define
from pipec.lsp.edits import Versioned
from pipec.lsp.formatting import format_all, format_range
from pipec.lsp.hover import hover
from pipec.lsp.inspection import Machine
from pipec.lsp.references import highlight, refer
from pipec.lsp.rename import CannotRenameError, prepare, rename
from pipec.lsp.symbols import flat_symbols, outline_symbols

_REQUEST_FAILED = int(types.LSPErrorCodes.RequestFailed)
_TRIGGERS = ['"', "'", ".", "[", ":"]


@dataclass(frozen=True, slots=True)
class Asked:
    """The open file that a request is about, as it is now, and who asks."""

    analysis: Analysis
    target: Versioned
    machine: Machine
    editor: types.ClientCapabilities


@dataclass(frozen=True, slots=True)
class Feature:
    """A request and its answer. `is_slow`: it may take longer than the next keystroke can wait."""

    request: str
    answer: Callable[[Asked, Any], Any]
    options: Any = None
    is_slow: bool = False


def _complete(asked: Asked, params: types.CompletionParams) -> Any:
    return complete(asked.analysis, params.position)


def _hover(asked: Asked, params: types.HoverParams) -> Any:
    return hover(asked.analysis, params.position, asked.machine)


def _define(asked: Asked, params: types.DefinitionParams) -> Any:
    return define(asked.analysis, asked.target.uri, params.position)


def _refer(asked: Asked, params: types.ReferenceParams) -> Any:
    return refer(
        asked.analysis,
        asked.target.uri,
        params.position,
        with_definition=params.context.include_declaration,
    )


def _highlight(asked: Asked, params: types.DocumentHighlightParams) -> Any:
    return highlight(asked.analysis, params.position)


def _prepare(asked: Asked, params: types.PrepareRenameParams) -> Any:
    return prepare(asked.analysis, params.position)


def _rename(asked: Asked, params: types.RenameParams) -> Any:
    try:
        return rename(asked.analysis, asked.target, params.position, params.new_name)
    except CannotRenameError as error:
        raise JsonRpcException(str(error), _REQUEST_FAILED) from error


def _symbols(asked: Asked, _params: types.DocumentSymbolParams) -> Any:
    symbols = outline_symbols(asked.analysis)
    documents = asked.editor.text_document
    wanted = documents.document_symbol if documents else None
    if wanted and wanted.hierarchical_document_symbol_support:
        return symbols
    return list(flat_symbols(symbols, asked.target.uri))


def _actions(asked: Asked, params: types.CodeActionParams) -> Any:
    return offer_actions(asked.analysis, asked.target, params)


def _format(asked: Asked, _params: types.DocumentFormattingParams) -> Any:
    return format_all(asked.analysis)


def _format_range(asked: Asked, params: types.DocumentRangeFormattingParams) -> Any:
    return format_range(asked.analysis, params.range)


FEATURES: Sequence[Feature] = (
    Feature(
        types.TEXT_DOCUMENT_COMPLETION,
        _complete,
        types.CompletionOptions(trigger_characters=_TRIGGERS),
    ),
    # Reads the project's files.
    Feature(types.TEXT_DOCUMENT_HOVER, _hover, is_slow=True),
    Feature(types.TEXT_DOCUMENT_DEFINITION, _define),
    Feature(types.TEXT_DOCUMENT_REFERENCES, _refer),
    Feature(types.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT, _highlight),
    Feature(types.TEXT_DOCUMENT_PREPARE_RENAME, _prepare),
    Feature(types.TEXT_DOCUMENT_RENAME, _rename, types.RenameOptions(prepare_provider=True)),
    Feature(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL, _symbols),
    Feature(
        types.TEXT_DOCUMENT_CODE_ACTION,
        _actions,
        types.CodeActionOptions([types.CodeActionKind.QuickFix]),
    ),
    Feature(types.TEXT_DOCUMENT_FORMATTING, _format),
    Feature(types.TEXT_DOCUMENT_RANGE_FORMATTING, _format_range),
)
