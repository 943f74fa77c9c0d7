"""Read Klaviyo's official OpenAPI document into klaviyo_sql/contract/: operations.json and schemas.json.

    python tools/read_openapi.py openapi-stable-2026-07-15.json

The document is published in the public repository klaviyo/openapi. What is kept, per operation: method, path, scopes, rate
limits, page sizes, filters with their operators, sort and include names, sparse fieldset and additional-field names, and the
names of the schemas of body and reply; prose and examples are dropped.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

CONTRACT = Path(__file__).resolve().parent.parent / "klaviyo_sql" / "contract"
DROPPED_FROM_SCHEMAS = {"description", "example", "title", "default", "x-klaviyo-pre-release"}
LOWER_RATE = re.compile(
    r"Rate limits when using the `(?P<parameter>[^=`]+)=(?P<value>[^`]+)` parameter in your API request:"
    r"<br>Burst: `(?P<burst>\d+)/s`<br>Steady: `(?P<steady>\d+)/m`"
)
# One resource name, spelled in the singular by the prose and in the plural by the parameter itself.
SPELLED_IN_PROSE = {"include": {"list": "lists", "segment": "segments"}}


def facts_of(document: dict[str, Any]) -> dict[str, Any]:
    """Everything that the product keeps of one OpenAPI document."""
    operations = {}
    for path, methods in document["paths"].items():
        if not path.startswith("/api/"):
            continue
        for method, operation in methods.items():
            operations[operation["operationId"]] = operation_facts(method.upper(), path, operation)
    reachable = schemas_reached(operations.values(), document["components"]["schemas"])
    return {
        "revision": document["info"]["version"],
        "base_url": document["servers"][0]["url"],
        "operations": dict(sorted(operations.items())),
        "schemas": {name: without_prose(document["components"]["schemas"][name]) for name in sorted(reachable)},
    }


def operation_facts(method: str, path: str, operation: dict[str, Any]) -> dict[str, Any]:
    """One operation, with only what is true of it; empty parts are left out."""
    query = {p["name"]: p["schema"] for p in operation["parameters"] if p["in"] == "query"}
    facts: dict[str, Any] = {
        "method": method,
        "path": path,
        "scopes": operation["x-klaviyo-scopes"],
        "rate": {window: int(limit.split("/")[0]) for window, limit in operation["x-klaviyo-ratelimit"].items()},
        "lower_rates": [
            {
                "parameter": found["parameter"],
                "value": SPELLED_IN_PROSE.get(found["parameter"], {}).get(found["value"], found["value"]),
                "rate": {"burst": int(found["burst"]), "steady": int(found["steady"])},
            }
            for found in LOWER_RATE.finditer(operation["description"])
        ],
        "filters": {field: filter_facts(rule) for field, rule in operation.get("x-klaviyo-filters", {}).items()},
        "filter_required": any(p["name"] == "filter" and p.get("required") for p in operation["parameters"]),
        "sort": query.get("sort", {}).get("enum", []),
        "include": query.get("include", {}).get("items", {}).get("enum", []),
        "fields": bracketed("fields", query),
        "additional_fields": bracketed("additional-fields", query),
        "cursor": "page[cursor]" in query,
        "page": page_facts(query.get("page[size]")),
        "other_parameters": sorted(
            name for name in query if not name.startswith(("fields[", "additional-fields[", "page[")) and name not in ("filter", "sort", "include")
        ),
        "body": schema_of(operation.get("requestBody", {})),
        "reply": next(
            ({"status": int(status), "schema": schema_of(reply)} for status, reply in operation["responses"].items() if status.startswith("2")),
            None,
        ),
    }
    return {name: value for name, value in facts.items() if value}


def filter_facts(rule: dict[str, Any]) -> dict[str, Any]:
    """The operators of one filter field, whether they take a list or one value, and the type of that value."""
    operators = sorted({operator for group in rule["operators"].values() for operator in group})
    value = rule.get("value", {})
    kind = value.get("format") or value.get("type") or "none"
    return {"operators": operators, "type": kind} | ({"enum": value["enum"]} if "enum" in value else {})


def bracketed(family: str, query: dict[str, Any]) -> dict[str, list[str]]:
    """`fields[profile]` and its kin, as {resource type: names}."""
    start = f"{family}["
    return {name[len(start) : -1]: schema["items"]["enum"] for name, schema in query.items() if name.startswith(start)}


def page_facts(schema: dict[str, Any] | None) -> dict[str, int] | None:
    if schema is None:
        return None
    return {"default": schema["default"], "max": schema["maximum"]}


def schema_of(message: dict[str, Any]) -> Any:
    """The JSON schema of a body or a reply, or None where there is no JSON."""
    for content in message.get("content", {}).values():
        return without_prose(content.get("schema"))
    return None


def without_prose(schema: Any) -> Any:
    """The schema as a validator needs it: descriptions, titles and examples dropped, `nullable` kept."""
    if isinstance(schema, list):
        return [without_prose(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {}
    for key, value in schema.items():
        if key == "properties":
            kept[key] = {name: without_prose(part) for name, part in value.items()}
        elif key == "$ref":
            kept[key] = value.rsplit("/", 1)[-1]
        elif key not in DROPPED_FROM_SCHEMAS:
            kept[key] = without_prose(value)
    return kept


def schemas_reached(operations: Any, schemas: dict[str, Any]) -> set[str]:
    """The names of the schemas that some body or reply uses, directly or through another."""
    reached: set[str] = set()
    waiting: list[Any] = [[operation.get("body"), operation.get("reply")] for operation in operations]
    while waiting:
        part = waiting.pop()
        if isinstance(part, list):
            waiting.extend(part)
        elif isinstance(part, dict):
            name = part.get("$ref")
            if isinstance(name, str):
                name = name.rsplit("/", 1)[-1]
                if name not in reached:
                    reached.add(name)
                    waiting.append(schemas[name])
            waiting.extend(value for value in part.values() if isinstance(value, dict | list))
    return reached


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    facts = facts_of(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    schemas = facts.pop("schemas")
    for name, content in (("operations", facts), ("schemas", schemas)):
        text = json.dumps(content, separators=(",", ":"), ensure_ascii=False)
        (CONTRACT / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    print(f"revision {facts['revision']}: {len(facts['operations'])} operations, {len(schemas)} schemas")


if __name__ == "__main__":
    main()
