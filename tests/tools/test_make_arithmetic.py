import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_shipped_problems_are_what_the_generator_writes(tmp_path):
    code = (
        "import sys; sys.path.insert(0, 'tools'); import make_arithmetic; from pathlib import Path;"
        f"make_arithmetic.FOLDER = Path({str(tmp_path)!r}); make_arithmetic.main()"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
    for name in ("arithmetic.jsonl", "arithmetic_answers.jsonl"):
        assert (tmp_path / name).read_bytes() == (ROOT / "data" / "prompts" / name).read_bytes()
