"""A chat-completions server on loopback that answers by a function, and counts what it is asked."""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

Said = str | tuple[str, dict[str, float]]
"""A reply; or one of a single token, with the log-probability of each of its alternatives."""


class JudgeServer:
    """`with JudgeServer(answer) as server:`; `answer` gets the last message and the choice."""

    def __init__(self, answer: Callable[[str, int], Said]) -> None:
        self.answer = answer
        self.asked: list[dict[str, Any]] = []
        """The bodies of the requests, in order of arrival."""

    def __enter__(self) -> Self:
        served = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                served.asked.append(body)
                raw = json.dumps(served.reply(body)).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, *said: Any) -> None:
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def reply(self, body: dict[str, Any]) -> dict[str, Any]:
        """The reply to one body."""
        words = body["messages"][-1]["content"]
        choices = [self._choice(words, at) for at in range(body.get("n") or 1)]
        usage = {"prompt_tokens": len(words) // 4, "completion_tokens": 10, "total_tokens": 10}
        return {"id": "1", "object": "chat.completion", "choices": choices, "usage": usage}

    def _choice(self, words: str, at: int) -> dict[str, Any]:
        said = self.answer(words, at)
        text, odds = (said, None) if isinstance(said, str) else said
        choice: dict[str, Any] = {"index": at, "finish_reason": "stop"}
        if odds is not None:
            top = [{"token": token, "logprob": logprob} for token, logprob in odds.items()]
            choice["logprobs"] = {"content": [{"token": text, "logprob": 0.0, "top_logprobs": top}]}
        return choice | {"message": {"role": "assistant", "content": text}}
