"""Serve embedded models over OpenAI's protocol: to try clients, recipes and flows against.

For example:
    pairwright serve-embedded                    the shipped models, at http://127.0.0.1:8000/v1
    pairwright serve-embedded models/mine --port 8080

It answers /v1/chat/completions, /v1/completions, /v1/models and /health, without a key. Equal
seeds give equal texts, those of kind = "embedded" as well. Ctrl-C ends it.
"""

import argparse

HOST, PORT = "127.0.0.1", 8000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument(
        "models", metavar="MODEL", nargs="*", help="a shipped model, or a folder (default: shipped)"
    )
    parser.add_argument("--host", default=HOST, help=f"address to listen at (default: {HOST})")
    parser.add_argument(
        "--port", type=int, default=PORT, help=f"0 takes any that is free (default: {PORT})"
    )
    parser.add_argument(
        "--samples", type=int, default=256, help="most samples decoded at once (default: 256)"
    )


def run(chosen: argparse.Namespace) -> int:
    """Serves until it is interrupted."""
    import asyncio

    from pipelines.engine.server import serve

    asyncio.run(serve(chosen.models, chosen.host, chosen.port, chosen.samples, _announce))
    return 0


def _announce(address: str, models: list[str]) -> None:
    print(f"{', '.join(models)} at {address}/v1 (Ctrl-C ends it)", flush=True)
