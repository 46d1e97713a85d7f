"""A reward model for tests: a real HTTP server that scores a body by a rule, and counts."""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

Rule = Callable[[dict[str, Any]], Any]
"""What a body is answered with: the reply, or the bytes or (status, reply) of one."""


def by_length(body: dict[str, Any]) -> dict[str, Any]:
    """As vLLM's `/pooling`: an eighth of the last message's length, one token for each word."""
    texts = [message["content"] for message in body["messages"]]
    words = sum(len(text.split()) for text in texts)
    usage = {"prompt_tokens": words, "total_tokens": words, "completion_tokens": 0}
    data = [{"index": 0, "object": "pooling", "data": [len(texts[-1]) / 8]}]
    return {"object": "list", "model": body["model"], "data": data, "usage": usage}


class _Patient(ThreadingHTTPServer):
    request_queue_size = 256  # Python's 5 leaves the connections of a full window half open


class RewardServer:
    """Runs while it is entered. `asked` are the paths and bodies, in the order of arrival."""

    def __init__(self, rule: Rule = by_length) -> None:
        self.rule = rule
        self.asked: list[tuple[str, bytes]] = []
        self._server = _Patient(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _handler(owner: RewardServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            owner.asked.append((self.path, body))
            reply = owner.rule(json.loads(body))
            status, reply = reply if isinstance(reply, tuple) else (200, reply)
            sent = reply if isinstance(reply, bytes) else json.dumps(reply).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, *_: object) -> None:
            pass

    return Handler
