"""An OpenAPI document as one page of Markdown."""

from collections.abc import Iterator, Mapping
from typing import Any

Json = Mapping[str, Any]
_HEAD = """# HTTP reference

Made of the document that the service sends at `/openapi.json`. Schemas stand at the end of the page.
"""
_SCHEMAS = "#/components/schemas/"


def page(document: Json) -> str:
    """The whole page: every operation, then every schema."""
    lines = [_HEAD]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            lines += [f"## {method.upper()} {path}", *_operation(operation)]
    lines += ["## Schemas"]
    for name, schema in sorted(document["components"]["schemas"].items()):
        lines += [f"### {name}", *_schema(schema)]
    return "\n\n".join(lines) + "\n"


def _operation(operation: Json) -> Iterator[str]:
    yield operation.get("summary", "") + "."
    if operation.get("description"):
        yield operation["description"]
    if operation.get("parameters"):
        rows = [_parameter(one) for one in operation["parameters"]]
        yield _table(("Parameter", "in", "type", "meaning"), rows)
    if operation.get("requestBody"):
        rows = [_body(media, one) for media, one in operation["requestBody"]["content"].items()]
        yield _table(("Body", "type", "meaning"), rows)
    rows = [_response(status, one) for status, one in sorted(operation["responses"].items())]
    yield _table(("Status", "type", "meaning"), rows)


def _parameter(one: Json) -> tuple[str, ...]:
    needed = " (required)" if one.get("required") else ""
    return f"`{one['name']}`{needed}", one["in"], _type(one["schema"]), one.get("description", "")


def _body(media: str, one: Json) -> tuple[str, ...]:
    schema = one.get("schema", {})
    return f"`{media}`", _type(schema), schema.get("description", "")


def _response(status: str, one: Json) -> tuple[str, ...]:
    types = dict.fromkeys(_type(content["schema"]) for content in one.get("content", {}).values())
    return status, " or ".join(types), one["description"]


def _schema(schema: Json) -> Iterator[str]:
    if schema.get("description"):
        yield schema["description"]
    if not schema.get("properties"):
        yield f"A value of the type {_type(schema)}."
        return
    required = schema.get("required", ())
    rows = [_property(name, one, name in required) for name, one in schema["properties"].items()]
    yield _table(("Field", "type", "meaning"), rows)


def _property(name: str, one: Json, required: bool) -> tuple[str, ...]:
    meaning = [one.get("description", ""), "" if required else "May be missing."]
    if one.get("default") is not None:
        meaning.append(f"Default: `{one['default']}`.")
    return f"`{name}`", _type(one), " ".join(part for part in meaning if part)


def _type(schema: Json) -> str:
    """A schema in a few words."""
    if "$ref" in schema:
        name = schema["$ref"].removeprefix(_SCHEMAS)
        return f"[{name}](#{name.lower()})"
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            return " or ".join(dict.fromkeys(map(_type, schema[several])))
    if "const" in schema or "enum" in schema:
        return " or ".join(f"`{value}`" for value in schema.get("enum", [schema.get("const")]))
    return _plain(schema)


def _plain(schema: Json) -> str:
    kind = schema.get("type", "any")
    if kind == "array":
        return f"array of ({_type(schema.get('items', {}))})" + _least(schema)
    if kind == "object" and isinstance(schema.get("additionalProperties"), Mapping):
        return f"object of {_type(schema['additionalProperties'])}"
    return "bytes" if schema.get("format") == "binary" else str(kind)


def _least(schema: Json) -> str:
    least = schema.get("minItems", 0)
    return f", at least {least}" if least > 1 else ""


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A table; a bar inside a cell would end it."""
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
