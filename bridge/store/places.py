"""Pages of a long list that begin at a place, not at a number: what arrives moves nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Subquery,
    Table,
    literal,
    select,
    tuple_,
    union_all,
)

WINDOW = 10_000  # so many rows are looked at for a page at most
FIRST_WINDOW = 500  # which is enough for what is common

Place = tuple[int, int]  # time of arrival in microseconds, row id
Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Page:
    """Rows, newest first, and the places where the pages around begin; None: there is none.

    `searched_to` is set where the page ends because enough was looked at, not because nothing
    is left.
    """

    rows: list[Row]
    newer: Place | None = None
    older: Place | None = None
    searched_to: int | None = None


@dataclass(frozen=True, kw_only=True)
class Search:
    """Rows of a table: in each way one index leads; `checks` are values that a column may have."""

    table: Table
    time: ColumnElement[int]
    ways: Sequence[Sequence[Any]]
    checks: Mapping[str, Sequence[Any]]

    def places(
        self,
        connection: Connection,
        limit: int,
        *,
        older: Place | None = None,
        newer: Place | None = None,
    ) -> tuple[list[Place], Place | None]:
        """Return up to *limit* places, and where the search ended before its time (None: not).

        They come newest first, before *older* if there is one; or oldest first, after *newer*.
        """
        found, edge = self._within(FIRST_WINDOW, connection, limit, older, newer)
        if edge is not None and len(found) < limit:
            found, edge = self._within(WINDOW, connection, limit, older, newer)
        return found, edge

    def _within(
        self,
        window: int,
        connection: Connection,
        limit: int,
        older: Place | None,
        newer: Place | None,
    ) -> tuple[list[Place], Place | None]:
        """Return what is found among the next *window* rows, and the last of these (None: all)."""
        window = max(window, limit) if self.checks else limit
        candidates = self._candidates(window, older, newer)
        order = in_order(candidates.c.time, candidates.c.id, forward=newer is not None)
        query = select(candidates.c.time, candidates.c.id).order_by(*order)
        passed = [candidates.c[name].in_(values) for name, values in self.checks.items()]
        rows = connection.execute(query.where(*passed).limit(limit)).all()
        found = [(row.time, row.id) for row in rows]
        if not self.checks or len(found) == limit:
            return found, None
        last = connection.execute(query.offset(window - 1).limit(1)).first()
        return found, None if last is None else (last.time, last.id)

    def _candidates(self, window: int, older: Place | None, newer: Place | None) -> Subquery:
        """Return what the indexes lead to, at most *window* rows."""
        here = tuple_(self.time, self.table.c.id)
        bounds: list[Any] = []
        if older is not None:
            bounds.append(here < tuple_(literal(older[0]), literal(older[1])))
        if newer is not None:
            bounds.append(here > tuple_(literal(newer[0]), literal(newer[1])))
        order = in_order(self.time, self.table.c.id, forward=newer is not None)
        checked = [self.table.c[name] for name in self.checks]
        parts = [
            select(self.time.label("time"), self.table.c.id, *checked)
            .where(*way, *bounds)
            .order_by(*order)
            .limit(window)
            for way in self.ways
        ]
        if len(parts) == 1:
            return parts[0].subquery()
        whole = union_all(*(select(part.subquery()) for part in parts)).subquery()
        order = in_order(whole.c.time, whole.c.id, forward=newer is not None)
        return select(whole).order_by(*order).limit(window).subquery()

    def page(
        self,
        connection: Connection,
        columns: Sequence[str],
        limit: int,
        *,
        older: Place | None = None,
        newer: Place | None = None,
    ) -> Page:
        """Return the page before *older*, after *newer*, or the first one."""
        found, edge = self.places(connection, limit + 1, older=older, newer=newer)
        if newer and len(found) <= limit and edge is None:
            newer = None  # that is the first page, which is shown whole
            found, edge = self.places(connection, limit + 1)
        more = len(found) > limit
        places = sorted(found[:limit], reverse=True)
        first = places[0] if places else None
        last = places[-1] if places else None
        before, after = (first or older) if older else None, last if more else edge
        if newer:
            before, after = first if more else edge, last or newer
        return Page(
            rows=self._rows(connection, columns, places),
            newer=before,
            older=after,
            searched_to=edge[0] if edge else None,
        )

    def _rows(
        self, connection: Connection, columns: Sequence[str], places: Sequence[Place]
    ) -> list[Row]:
        ids = [place[1] for place in places]
        query = (
            select(*(self.table.c[name] for name in columns))
            .where(self.table.c.id.in_(ids))
            .order_by(*in_order(self.time, self.table.c.id))
        )
        return [dict(row) for row in connection.execute(query).mappings()]


def in_order(
    time: ColumnElement[int], row_id: ColumnElement[int], *, forward: bool = False
) -> tuple[ColumnElement[int], ColumnElement[int]]:
    """Return what to order by: newest first, or with *forward* oldest first."""
    return (time.asc(), row_id.asc()) if forward else (time.desc(), row_id.desc())
