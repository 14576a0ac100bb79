"""Steps of the scenario, and what each needs."""

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol, TypeVar

import httpx

T = TypeVar("T")


@contextmanager
def step(name: str) -> Iterator[None]:
    """Takes a step and says so; an exception ends the scenario."""
    try:
        yield
    except Exception as error:
        error.add_note(f"failed: {name}")
        raise
    print(f"ok {name}", flush=True)


class Answer(Protocol):
    """What is common to the generated answers."""

    @property
    def status_code(self) -> int: ...
    @property
    def parsed(self) -> object: ...
    @property
    def content(self) -> bytes: ...


def check(condition: object, what: object = "") -> None:
    """What has to be so."""
    if not condition:
        raise AssertionError(str(what))


def typed(kind: type[T], answer: Answer, status: int) -> T:
    """The body of an answer with this status, which has to be of this type."""
    check(answer.status_code == status, f"{answer.status_code} in place of {status}: {answer.content[:500]!r}")
    check(isinstance(answer.parsed, kind), f"{type(answer.parsed)} in place of {kind}")
    assert isinstance(answer.parsed, kind)
    return answer.parsed


def alter(method: str | None = None, content_type: str | None = None) -> dict[str, Any]:
    """Settings of a client that sends what no typed call can: another method, or another content type."""

    def change(request: httpx.Request) -> None:
        request.method = method or request.method
        if content_type is not None:
            request.headers["Content-Type"] = content_type

    hooks: dict[str, list[Callable[[httpx.Request], None]]] = {"request": [change]}
    return {"event_hooks": hooks}


class Receiver:
    """A real receiver: gives what it is sent, byte for byte."""

    def __init__(self) -> None:
        received: queue.Queue[tuple[Message, bytes]] = queue.Queue()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(204)
                self.end_headers()
                received.put((self.headers, body))

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._received = received
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def next(self) -> tuple[Message, bytes]:
        """The headers and the body of what comes next; fails after a minute."""
        return self._received.get(timeout=60)

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
