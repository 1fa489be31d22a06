"""Check our GraphQL documents against the schemas that Shopify publishes.

The schemas come with the npm package `@shopify/dev-mcp`, which is installed into a temporary
folder.  Not part of `make test`: needs npm, a network, and `pip install graphql-core`.

    .venv/bin/python scripts/check_admin_schema.py [VERSION of the package]
"""

# ruff: noqa: T201  it is a command
import gzip
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from graphql import GraphQLSchema, build_client_schema, parse, validate
from graphql.language import OperationDefinitionNode
from graphql.type import GraphQLEnumType
from graphql.validation import NoDeprecatedCustomRule

from adapters.sources.shopify.admin import CUSTOMER_TOPIC, TOPICS, queries
from adapters.sources.shopify.admin.access import OLDEST_VERSION

PACKAGE = "@shopify/dev-mcp"


def main() -> int:
    """Return 0 if every document holds in every version from `OLDEST_VERSION` on."""
    wanted = PACKAGE + (f"@{sys.argv[1]}" if len(sys.argv) > 1 else "")
    with tempfile.TemporaryDirectory() as folder:
        install = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"]
        subprocess.run([*install, wanted], cwd=folder, check=True)  # noqa: S603
        data = Path(folder) / "node_modules" / PACKAGE / "dist" / "data"
        found = {path.name[6:13]: path for path in sorted(data.glob("admin_20*.json.gz"))}
        versions = {name: path for name, path in found.items() if name >= OLDEST_VERSION}
        errors = [error for name, path in versions.items() for error in _errors(name, path)]
    for error in errors:
        print(error)
    print(f"{len(_documents())} documents, versions {', '.join(versions)}: {len(errors)} errors")
    return 1 if errors or not versions else 0


def _documents() -> dict[str, str]:
    named = {name: value for name, value in vars(queries).items() if name.isupper()}
    return {name: value for name, value in named.items() if isinstance(value, str)}


def _errors(version: str, path: Path) -> Iterator[str]:
    schema = _schema(path)
    for name, document in _documents().items():
        syntax = parse(document)
        for error in validate(schema, syntax):
            yield f"{version} {name}: {error.message}"
        for warning in validate(schema, syntax, [NoDeprecatedCustomRule]):
            print(f"{version} {name}: note: {warning.message}")
        named = [each for each in syntax.definitions if isinstance(each, OperationDefinitionNode)]
        if [each.name and each.name.value for each in named] != [name.title().replace("_", "")]:
            yield f"{version} {name}: its operation is to be named {name.title().replace('_', '')}"
    yield from _unknown_topics(version, schema)


def _unknown_topics(version: str, schema: GraphQLSchema) -> Iterator[str]:
    kind = schema.type_map["WebhookSubscriptionTopic"]
    known = kind.values if isinstance(kind, GraphQLEnumType) else {}
    for topic in (*TOPICS, CUSTOMER_TOPIC):
        if topic.replace("/", "_").upper() not in known:
            yield f"{version}: no topic {topic}"


def _schema(path: Path) -> GraphQLSchema:
    with gzip.open(path) as stored:
        introspected: Any = json.load(stored)
    # As it is: by the letter of GraphQL, Shopify's own schema has faults.
    return build_client_schema(introspected["data"], assume_valid=True)


if __name__ == "__main__":
    sys.exit(main())
