"""The sandbox as a Flask app: Meta's one endpoint, and pages to see what it got."""

import re
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from flask import Flask, Response, render_template, request, send_from_directory

from bridge.events import ConfigError
from bridge.sandbox import judge, wire
from bridge.sandbox.faults import Fault, Faults
from bridge.sandbox.journal import Exchange, Journal
from bridge.sandbox.refusals import Refusal, of_code
from bridge.sandbox.silence import request_warnings

MAX_BODY = 64 * 1024 * 1024  # Meta documents no limit; this one is for our memory
PAGE_ROWS = 200
_BEARER = re.compile(r"(?:Bearer|OAuth)\s+(.*)", re.IGNORECASE)
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What this sandbox knows: tokens that are bad by their beginning, datasets it lacks."""

    bad_tokens: Mapping[str, Refusal] = field(default_factory=lambda: judge.BAD_TOKENS)
    unknown_datasets: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request for events as it was read; `data` is None where there is none."""

    version: str
    token: str
    token_in_url: bool
    data: object
    test_event_code: str

    @property
    def events(self) -> list[Any]:
        """Return the batch, empty if there is no sound one."""
        return self.data if isinstance(self.data, list) else []


def create_app(
    journal: Journal | None = None,
    faults: Faults | None = None,
    rules: Rules | None = None,
    *,
    clock: Callable[[], float] = time.time,
    stop: threading.Event | None = None,
) -> Flask:
    """Return the app.  *clock* gives Unix seconds; *stop* ends all waiting when it is set."""
    app = Flask(__name__, template_folder=".", static_folder=None)
    app.config.update(MAX_CONTENT_LENGTH=MAX_BODY, MAX_FORM_MEMORY_SIZE=MAX_BODY)
    graph = Graph(
        journal=journal or Journal(),
        faults=faults or Faults(),
        rules=rules or Rules(),
        clock=clock,
        stop=stop or threading.Event(),
    )
    app.add_url_rule("/<version>/<dataset>/events", None, graph.post_events, methods=["POST"])
    app.add_url_rule("/<version>/<int:dataset>", None, graph.show_dataset, methods=["GET"])
    app.add_url_rule("/<version>/dataset_quality", None, graph.show_quality, methods=["GET"])
    every = ["GET", "POST", "PUT", "PATCH", "DELETE"]
    app.add_url_rule("/<path:path>", None, graph.elsewhere, methods=every)
    _add_pages(app, graph.journal, graph.faults)
    return app


@dataclass(frozen=True, kw_only=True)
class Graph:
    """The Graph API's side of the app."""

    journal: Journal
    faults: Faults
    rules: Rules
    clock: Callable[[], float]
    stop: threading.Event

    def post_events(self, version: str, dataset: str) -> Response:
        """Answer ``POST /{version}/{dataset}/events``."""
        call = _read(version)
        fault = self.faults.take(call.events)
        if fault:
            self.stop.wait(fault.delay_s)
        exchange = Exchange(
            method="POST",
            path=request.path[:200],
            dataset=dataset,
            events=len(call.events),
            fault=str(fault or ""),
        )
        if fault and not fault.takes_events:
            return self._fail(exchange, fault)
        answer = self._judged(exchange, call, fault)
        return wire.spoil(answer, fault, self.stop) if fault else answer

    def show_dataset(self, version: str, dataset: int) -> Response:
        """Answer ``GET /{version}/{dataset}``: its name, for whoever may see it."""
        refusal = self._access_refusal(_read(version), str(dataset))
        if refusal:
            return wire.refusal_response(refusal, _trace_id())
        body = {"id": str(dataset), "name": f"Sandbox {dataset}", "is_unavailable": False}
        return wire.graph_response(200, body)

    def show_quality(self, version: str) -> Response:
        """Answer ``GET /{version}/dataset_quality``, with invented figures for what came."""
        dataset = request.args.get("dataset_id", "")
        refusal = self._access_refusal(_read(version), dataset)
        if refusal:
            return wire.refusal_response(refusal, _trace_id())
        accepted = self.journal.accepted(PAGE_ROWS)
        names = sorted({row["event_name"] for row in accepted if row["dataset"] == dataset})
        return wire.graph_response(200, {"web": [_quality(name) for name in names]})

    def elsewhere(self, path: str) -> Response:
        """Refuse any other path: the Graph API has no such object here."""
        exchange = Exchange(method=request.method, path=f"/{path}"[:200])
        return self._refuse(exchange, of_code(2500))

    def _judged(self, exchange: Exchange, call: Call, fault: Fault | None) -> Response:
        refusal = self._refusal(call, exchange.dataset)
        if refusal:
            return self._refuse(exchange, refusal)
        fewer = fault is not None and fault.kind == "fewer"
        taken = call.events[: len(call.events) - fewer]
        exchange.status = None if fault and fault.kind == "reset" else 200
        warnings = request_warnings(
            token_in_url=call.token_in_url, test_event_code=call.test_event_code
        )
        self.journal.accept(
            exchange,
            taken,
            self.clock(),
            test_event_code=call.test_event_code,
            warnings=warnings,
        )
        body = {"events_received": len(taken), "messages": [], "fbtrace_id": _trace_id()}
        return wire.graph_response(200, body)

    def _refusal(self, call: Call, dataset: str) -> Refusal | None:
        return self._access_refusal(call, dataset) or judge.batch_refusal(call.data, self.clock())

    def _access_refusal(self, call: Call, dataset: str) -> Refusal | None:
        return (
            judge.version_refusal(call.version, self.clock())
            or judge.token_refusal(call.token, self.rules.bad_tokens)
            or judge.dataset_refusal(dataset, self.rules.unknown_datasets)
        )

    def _refuse(self, exchange: Exchange, refusal: Refusal) -> Response:
        exchange.status, exchange.code = refusal.status, refusal.code
        exchange.error_subcode, exchange.blame = refusal.subcode, refusal.blame
        exchange.message = refusal.text or refusal.message
        self.journal.refuse(exchange, self.clock())
        return wire.refusal_response(refusal, _trace_id())

    def _fail(self, exchange: Exchange, fault: Fault) -> Response:
        answer = wire.fault_response(fault, _trace_id())
        refusal = wire.fault_refusal(fault)
        if refusal:
            exchange.code, exchange.error_subcode = refusal.code, refusal.subcode
            exchange.message = refusal.message
        exchange.status = None if fault.kind == "reset" else answer.status_code
        self.journal.refuse(exchange, self.clock())
        return answer


def _quality(event_name: str) -> dict[str, Any]:
    return {
        "event_name": event_name,
        "event_match_quality": {"composite_score": 7.4},
        "event_coverage": {"percentage": 81.0},
        "dedupe_key_feedback": [
            {"dedupe_key": "event_id", "server_events_with_dedupe_key": {"percentage": 100.0}}
        ],
        "data_freshness": {"upload_frequency": "real_time"},
    }


def _read(version: str) -> Call:
    """Return what the request says; a JSON body and a form say the same things."""
    body = request.get_data(cache=True, parse_form_data=True)
    fields: Mapping[str, Any] = request.form
    if not fields:
        parsed = _json(body)
        fields = parsed if isinstance(parsed, dict) else {}
    header = _BEARER.fullmatch(request.headers.get("Authorization", "").strip())
    in_url = request.args.get("access_token", "")
    token = header[1] if header else fields.get("access_token") or in_url
    data = fields.get("data")
    return Call(
        version=version,
        token=str(token),
        token_in_url=bool(in_url),
        data=_json(data) if isinstance(data, str) else data,
        test_event_code=str(fields.get("test_event_code") or "")[:100],
    )


def _json(text: str | bytes) -> object:
    """Return the parsed *text*; what cannot be parsed is as good as absent."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None


def _trace_id() -> str:
    return "A" + secrets.token_urlsafe(16)


def _add_pages(app: Flask, journal: Journal, faults: Faults) -> None:
    @app.get("/")
    def page() -> str:
        return render_template(
            "page.html",
            counts=journal.counts(),
            accepted=journal.accepted(PAGE_ROWS)[::-1],
            refused=journal.refused(PAGE_ROWS)[::-1],
            faults=faults.as_json(),
        )

    @app.get("/page.css")
    def style() -> Response:
        return send_from_directory(app.root_path, "page.css", mimetype="text/css")

    @app.get("/events.json")
    def events() -> Response:
        return _answer(as_json(journal))

    @app.delete("/events.json")
    def clear() -> Response:
        journal.clear()
        return Response(status=204)

    @app.get("/faults")
    def show_faults() -> Response:
        return _answer(faults.as_json())

    @app.post("/faults")
    def set_faults() -> Response:
        try:
            faults.set(request.get_data(as_text=True))
        except ConfigError as error:
            return _answer({"error": str(error)}, 400)
        return _answer(faults.as_json())

    @app.after_request
    def protect(response: Response) -> Response:
        response.headers.update(_HEADERS)
        return response


def as_json(journal: Journal) -> dict[str, Any]:
    """Return the whole *journal* as ``/events.json`` shows it."""
    counts = journal.counts()
    return {
        "accepted": journal.accepted(),
        "refused": journal.refused(),
        "requests": counts["requests"],
        "duplicates": counts["duplicates"],
    }


def _answer(body: object, status: int = 200) -> Response:
    return Response(orjson.dumps(body), status, content_type="application/json")
