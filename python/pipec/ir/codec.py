"""Canonical JSON of the IR: UTF-8, sorted keys, no white space, integers only, defaults left out.

A field `depends_on` is the key `depends-on`. A value equal to its field's default is not written,
so that "absent" and "default" are one. Environment literals that enter the key are plain strings.
"""

import json
import types
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

from pipec import _core
from pipec.ir.env import Literal as LiteralValue
from pipec.ir.pipeline import Pipeline

IR_VERSION = 1


def encode(pipeline: Pipeline) -> bytes:
    """The canonical bytes of a pipeline."""
    document = {"ir-version": IR_VERSION, **_encode(pipeline)}
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()


def digest(encoded: bytes) -> str:
    """BLAKE3 of canonical bytes under the IR's own domain, 64 hex digits."""
    return _core.digest("pipec ir v1", encoded)


def plain(part: Any) -> Any:
    """A part of a pipeline as `encode` writes it, before it is text."""
    return _encode(part)


def decode(encoded: bytes) -> Pipeline:
    """The pipeline that `encode` wrote.

    Raises:
        ValueError: the bytes are not an IR of this version.
    """
    document = json.loads(encoded)
    if not isinstance(document, dict) or document.pop("ir-version", None) != IR_VERSION:
        raise ValueError("not an IR of this version")
    try:
        pipeline = _decode(Pipeline, document)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not an IR: {error!r}") from error
    assert isinstance(pipeline, Pipeline)
    return pipeline


def _encode(value: Any) -> Any:
    if isinstance(value, LiteralValue) and value.in_key:
        return value.value
    if is_dataclass(value):
        encoded = {}
        cls: Any = type(value)
        for name, key, default in written_fields(cls):
            member = getattr(value, name)
            if default is MISSING or member != default:
                encoded[key] = _encode(member)
        return encoded
    if isinstance(value, Mapping):
        return {str(key): _encode(member) for key, member in value.items()}
    if isinstance(value, (tuple, list)):
        return [_encode(member) for member in value]
    if isinstance(value, float):
        raise TypeError("the IR holds no floats")
    return value


@cache
def written_fields(cls: Any) -> tuple[tuple[str, str, Any], ...]:
    """(attribute, JSON key, default) of each field. `kind` tells steps apart: always written.

    The id of a task or job is its key in the mapping around it.
    """
    return tuple(
        (f.name, f.name.replace("_", "-"), MISSING if f.name == "kind" else _default(f))
        for f in _encoded(cls)
        if f.name != "id"
    )


def _encoded(cls: Any) -> tuple[Field[Any], ...]:
    """The fields of a class that are part of the IR."""
    return tuple(f for f in fields(cls) if f.metadata.get("encoded", True))


def _default(field: Field[Any]) -> Any:
    return field.default_factory() if field.default_factory is not MISSING else field.default


def _decode(hint: Any, value: Any) -> Any:
    return _decoder(hint)(value)


@cache
def _decoder(hint: Any) -> Any:
    """A function from JSON to a value of this type, built once per type: there are many tasks."""
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return _union_decoder(get_args(hint))
    if origin is tuple:
        member = _decoder(get_args(hint)[0])
        return lambda value: tuple(member(item) for item in value)
    if origin is not None and isinstance(origin, type) and issubclass(origin, Mapping):
        return _mapping_decoder(get_args(hint)[1])
    if is_dataclass(hint):
        return _dataclass_decoder(hint)
    return lambda value: value


def _mapping_decoder(hint: Any) -> Any:
    member = _decoder(hint)
    if is_dataclass(hint) and any(f.name == "id" for f in fields(hint)):
        return lambda value: {key: member({**item, "id": key}) for key, item in value.items()}
    return lambda value: {key: member(item) for key, item in value.items()}


def _dataclass_decoder(cls: Any) -> Any:
    hints = get_type_hints(cls)
    by_key = {f.name.replace("_", "-"): (f.name, _decoder(hints[f.name])) for f in _encoded(cls)}

    def decode_dataclass(value: Any) -> Any:
        return cls(**{by_key[key][0]: by_key[key][1](member) for key, member in value.items()})

    return decode_dataclass


def _union_decoder(members: tuple[Any, ...]) -> Any:
    """Tells the members of a union apart by `kind`, else by the keys they require."""
    present = [member for member in members if member is not types.NoneType]
    if len(present) == 1:
        decoder = _decoder(present[0])
        return lambda value: None if value is None else decoder(value)
    classes: list[Any] = [member for member in members if is_dataclass(member)]
    decoders = [(_required_keys(cls), _kinds(cls), _decoder(cls)) for cls in classes]

    def decode_union(value: Any) -> Any:
        if not isinstance(value, dict):
            if LiteralValue in classes and isinstance(value, str):
                return LiteralValue(value=value)
            return value
        for required, kinds, decode_member in decoders:
            if required <= value.keys() and (not kinds or value.get("kind") in kinds):
                return decode_member(value)
        raise TypeError(f"no member of the union fits {sorted(value)}")

    return decode_union


def _required_keys(cls: Any) -> frozenset[str]:
    return frozenset(
        f.name.replace("_", "-") for f in fields(cls) if _default(f) is MISSING and f.name != "kind"
    )


def _kinds(cls: Any) -> tuple[str, ...]:
    if all(f.name != "kind" for f in fields(cls)):
        return ()
    return get_args(get_type_hints(cls)["kind"])
