"""Stands where vLLM's server or its run-batch would: arguments, paths, and ways to fail.

FAKE_VLLM says how it behaves: "serve" (the default), "die" at once, "never" be ready, or "fail" at
the first completion, as vLLM does whose engine died. A message "too long" is refused. What it was
started with, and each request, is a line of the file FAKE_VLLM_NOTES.
"""

import argparse
import json
import os
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

METRICS = """# HELP vllm:generation_tokens_total Tokens.
vllm:prefix_cache_queries_total{engine="0",model_name="m"} 200.0
vllm:prefix_cache_hits_total{engine="0",model_name="m"} 150.0
vllm:num_preemptions_total{engine="0",model_name="m"} 2.0
vllm:generation_tokens_total{engine="0",model_name="m"} 640.0
"""
BEHAVIOUR = os.environ.get("FAKE_VLLM", "serve")


def note(**fields: Any) -> None:
    with Path(os.environ["FAKE_VLLM_NOTES"]).open("a") as notes:
        notes.write(json.dumps(fields) + "\n")


def complete(asked: dict[str, Any]) -> dict[str, Any]:
    words = asked["messages"][-1]["content"]
    choices = [
        {
            "index": index,
            "message": {"role": "assistant", "content": f"{words} {asked.get('seed')} {index}"},
            "finish_reason": "stop",
        }
        for index in range(asked.get("n", 1))
    ]
    usage = {"prompt_tokens": 5, "completion_tokens": 3 * len(choices)}
    return {"choices": choices, "usage": usage}


def pool(asked: dict[str, Any]) -> dict[str, Any]:
    """A conversation's reward: how many characters its last message has."""
    return {"data": [{"index": 0, "data": [len(asked["messages"][-1]["content"])]}]}


def compare(asked: dict[str, Any]) -> dict[str, Any]:
    """The reward of two texts: minus the length of the second."""
    return {"data": [{"index": 0, "score": -len(asked["text_2"])}]}


ROUTES = {"/v1/chat/completions": complete, "/pooling": pool, "/score": compare}


def answer_line(line: str) -> str:
    asked = json.loads(line)
    note(request=asked["body"])
    response: dict[str, Any] = {"status_code": 200, "request_id": "1", "body": None}
    error = None
    if BEHAVIOUR == "fail":
        response["status_code"] = 500
        error = {"error": {"message": "EngineCore encountered an issue", "code": 500}}
    elif asked["body"]["messages"][-1]["content"] == "too long":
        response["status_code"] = 400
        error = {"error": {"message": "the context is 512 tokens", "param": None, "code": 400}}
    else:
        response["body"] = complete(asked["body"])
    result = {"id": "1", "custom_id": asked["custom_id"], "response": response, "error": error}
    return json.dumps(result) + "\n"


def run_batch(asked: str, results: str) -> None:
    lines = Path(asked).read_text().splitlines()
    print(f"Running batch:   0% Completed | 0/{len(lines)} [00:00<?, ?req/s]", flush=True)
    if BEHAVIOUR == "never":
        time.sleep(600)
    if BEHAVIOUR == "fail":
        print("(Worker pid=1) ERROR 11-21 11:11:01 [a.py:1] RuntimeError: no such head")
    Path(results).write_text("".join(map(answer_line, lines)))


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    names: list[str] = []

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        if self.path == "/health" and BEHAVIOUR != "never":
            self.answer(b"")
        elif self.path == "/v1/models":
            self.answer(json.dumps({"data": [{"id": name} for name in self.names]}).encode())
        elif self.path == "/metrics":
            self.answer(METRICS.encode())
        else:
            self.send_error(503)

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        note(request=asked)
        if BEHAVIOUR == "fail":
            print("(Worker pid=1) ERROR 11-21 11:11:01 [a.py:1] RuntimeError: no such head")
            print("EngineDeadError: see above", flush=True)
            os._exit(1)
        self.answer(json.dumps(ROUTES[self.path](asked)).encode())

    def answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--host")
    parser.add_argument("--port", type=int)
    parser.add_argument("--served-model-name", nargs="+", dest="names")
    parser.add_argument("--input-file")
    parser.add_argument("--output-file")
    known, _ = parser.parse_known_args()
    if BEHAVIOUR == "die":
        print("api_server.py: error: unrecognized arguments: --no-such-thing", file=sys.stderr)
        sys.exit(2)
    engine = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    note(
        argv=sys.argv,
        pid=os.getpid(),
        engine=engine.pid,
        cuda=os.environ.get("CUDA_VISIBLE_DEVICES"),
    )
    if known.input_file:
        run_batch(known.input_file, known.output_file)
        return
    Handler.names = known.names
    server = ThreadingHTTPServer((known.host, known.port), Handler)
    threading.Thread(target=server.serve_forever).start()


if __name__ == "__main__":
    main()
