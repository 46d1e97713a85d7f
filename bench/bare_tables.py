"""The bare minimum that reads and writes the same rows: the yardstick of `selection.py`.

    python bench/bare_tables.py FOLDER OUT TABLE...

Each file of each table is read by Arrow and written again, zstd as before, nothing else done.
"""

import sys
from pathlib import Path

import pyarrow.parquet as pq

FOLDER, OUT = Path(sys.argv[1]), Path(sys.argv[2])

for table in sys.argv[3:]:
    files = sorted((FOLDER / table).glob("*.parquet"))
    with pq.ParquetWriter(OUT / table, pq.read_schema(files[0]), compression="zstd") as writer:
        for file in files:
            writer.write_table(pq.read_table(file))
