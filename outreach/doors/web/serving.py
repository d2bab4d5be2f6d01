"""Serving the page from a thread of this process, on this machine only."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from outreach.model import BadInput
from outreach.settings import is_loopback

_START_S = 10.0


@contextmanager
def served(app: FastAPI, *, host: str = "127.0.0.1", port: int = 0, on: socket.socket | None = None) -> Iterator[str]:
    """Serve the app until the block ends; give its address. Port 0 takes a free one; `on` is a port opened before.

    Raises `BadInput` for a host that others can reach, since passwords would pass without TLS, and for a taken port.
    """
    if not is_loopback(host):
        raise BadInput(
            f"The page can only be served on this machine, not on {host}.",
            where="--host",
            next_step="Leave it at 127.0.0.1, and let a proxy with TLS pass visitors on to it.",
        )
    listening = on or open_port(host, port)
    server = uvicorn.Server(
        uvicorn.Config(app, log_level="warning", access_log=False, server_header=False, lifespan="off")
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="pages", daemon=True)
    thread.start()
    try:
        yield f"http://{host}:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        if server.server_state.tasks:  # what is being answered is answered; nothing else is worth waiting for
            thread.join(_START_S)
            listening.close()


def open_port(host: str = "127.0.0.1", port: int = 0) -> socket.socket:
    """Take a port, so that its number is known before the app is made. Raises `BadInput` where it is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Each connection has this from the socket that it comes by: without it a page waits 40 ms for the browser's word.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        listening.bind((host, port))
        listening.listen()  # from here on callers wait in line until the server thread takes them
    except OSError as trouble:
        listening.close()
        said = (trouble.strerror or "it is not possible").lower()
        raise BadInput(
            f"Port {port} cannot be used: {said}.", where="--port", next_step="Choose another port."
        ) from None
    return listening
