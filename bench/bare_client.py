"""The bare minimum that does the same calls: the yardstick of `calls.py`, not part of the product.

    python bench/bare_client.py N WINDOW URL FOLDER

aiohttp, uvloop and orjson, one semaphore, one journal that is flushed with every reply, no barrier
between answers and ratings, Parquet at the end. No ledger index, no ids, no evidence, no checks.
"""

import asyncio
import sys
from pathlib import Path

import aiohttp
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import uvloop

N, WINDOW, URL, FOLDER = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], Path(sys.argv[4])


async def run() -> None:
    window, rows, numbers = asyncio.Semaphore(WINDOW), [], iter(range(N))
    journal = (FOLDER / "journal.jsonl").open("ab", buffering=0)

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def ask(model: str, text: str, n: int) -> list[str]:
            body = {"model": model, "messages": [{"role": "user", "content": text}], "n": n}
            async with (
                window,
                session.post(f"{URL}/chat/completions", data=orjson.dumps(body)) as reply,
            ):
                choices = orjson.loads(await reply.read())["choices"]
            texts = [choice["message"]["content"] for choice in choices]
            journal.write(orjson.dumps([model, text, texts]) + b"\n")
            return texts

        async def work() -> None:
            for number in numbers:
                question = f"{number} " + "Explain how this works, step by step. " * 26
                answers = await ask("policy", question, 4)
                rate = [f"{question}\n\n{one}\n\nEnd with `Rating: N`" for one in answers]
                ratings = await asyncio.gather(*(ask("critic", text, 1) for text in rate))
                rows.append({"question": question, "answers": answers, "ratings": ratings})

        await asyncio.gather(*(work() for _ in range(2 * WINDOW)))
    journal.close()
    pq.write_table(pa.Table.from_pylist(rows), FOLDER / "rows.parquet", compression="zstd")


uvloop.run(run())
