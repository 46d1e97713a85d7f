"""A server that lists two models, and refuses all that is asked of them."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Listing(ThreadingHTTPServer):
    """Its address, and how many calls it refused."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.posts = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


class Handler(BaseHTTPRequestHandler):
    server: Listing

    def do_GET(self) -> None:
        self.answer(200, {"data": [{"id": "small-instruct"}, {"id": "large-instruct"}]})

    def do_POST(self) -> None:
        self.server.posts += 1
        self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(400, {"error": {"message": "no model small-instrct"}})

    def answer(self, status: int, said: object) -> None:
        body = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def listing() -> Iterator[Listing]:
    """The server, while it runs."""
    with Listing() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield running
        finally:
            running.shutdown()
            thread.join()
