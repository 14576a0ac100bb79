"""Serves the handlers with secrets of the environment, and shows at /effect how many events they handled; use clients/run."""

import os
import socket

import uvicorn
from fastapi import FastAPI

from handler import Event, router

done: dict[str, Event] = {}


def once(key: str, event: Event) -> None:
    """A dictionary stands for a table with a unique key."""
    done.setdefault(key, event)


def effect() -> int:
    return len(done)


if __name__ == "__main__":
    app = FastAPI()
    app.include_router(
        router({"conduit": os.environ["CONDUIT_SECRET"], "equals-money": os.environ["EQUALS_MONEY_SECRET"]}, once)
    )
    app.add_api_route("/effect", effect)
    listener = socket.create_server(("127.0.0.1", 0))
    print(f"listening on http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listener])
