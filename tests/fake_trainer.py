"""A training that is none: it copies a model, and changes a weight by a little.

    python fake_trainer.py RUNS SET MODEL OUT

It adds a line to the file RUNS each time. What it does stands in the file RUNS.mode: "fail", "silent", "empty" (a folder without a
model), "copied" (the same weights elsewhere), "slow" (it waits for the file RUNS.go), or a text to print.
"""

import json
import os
import shutil
import sys
import time
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file


def main(runs: str, version: str, model: str, out: str) -> None:
    asked = Path(f"{runs}.mode")
    mode = asked.read_text() if asked.exists() else ""
    with Path(runs).open("a") as file:
        file.write(
            json.dumps({"set": version, "model": model, "out": out, "pid": os.getpid()}) + "\n"
        )
    print("loss 0.7")
    if mode == "slow":
        while not Path(f"{runs}.go").exists():
            time.sleep(0.05)
    if mode == "fail":
        print("out of memory", file=sys.stderr)
        raise SystemExit(3)
    if mode == "empty":
        print(out)
    elif mode in ("", "slow", "copied"):
        shutil.copytree(model, out, dirs_exist_ok=True)
        if mode != "copied":
            change(Path(out) / "model.safetensors")
        print(out)
    elif mode != "silent":
        print(mode)


def change(file: Path) -> None:
    weights = load_file(file)
    weights["model.norm.weight"] = weights["model.norm.weight"] * np.float32(1.01)
    save_file(weights, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
