"""Statements as the driver takes them, for what runs for every event.

Building and binding one by SQLAlchemy takes longer than SQLite takes to run it.  These are
plain text with ``?`` for a value, for many rows at once, within a transaction of `Database`.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, CursorResult

ROWS_AT_ONCE = 200  # of at most thirty columns: SQLite takes 32,766 values a statement


def run(connection: Connection, statement: str, *values: Any) -> CursorResult[Any]:
    """Run *statement* once and return its result.

    A list stands for as many values in brackets: ``id IN ?``.  It must not be empty.
    """
    bound: list[Any] = []
    marks = []
    for value in values:
        is_list = isinstance(value, list)
        bound += value if is_list else [value]
        marks.append(_marks(len(value)) if is_list else "?")
    if any(mark != "?" for mark in marks):
        parts = statement.split("?")
        statement = "".join(part + mark for part, mark in zip(parts, [*marks, ""], strict=True))
    return _execute(connection, statement, bound)


def insert_many(
    connection: Connection,
    table: str,
    columns: Sequence[str],
    rows: Sequence[Iterable[Any]],
    then: str = "",
) -> list[Any]:
    """Insert *rows*; return what the RETURNING in *then* (or nothing) tells of them.

    *then* follows the values: what to do on a conflict, what to return.
    """
    returned: list[Any] = []
    insert = f"INSERT INTO {table} ({','.join(columns)}) VALUES "  # noqa: S608  names of ours
    for start in range(0, len(rows), ROWS_AT_ONCE):
        chunk = rows[start : start + ROWS_AT_ONCE]
        lines = ",".join([_marks(len(columns))] * len(chunk))
        values = [value for row in chunk for value in row]
        result = _execute(connection, f"{insert}{lines} {then}", values)
        if "RETURNING" in then:
            returned += result.all()
    return returned


def _marks(count: int) -> str:
    return f"({','.join('?' * count)})"


def _execute(connection: Connection, statement: str, values: list[Any]) -> CursorResult[Any]:
    if connection.dialect.name != "sqlite":
        statement = statement.replace("?", "%s")
    return connection.exec_driver_sql(statement, tuple(values))
