"""How a preference dataset is made. Start with build.py, the spine."""

import os

os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")  # its own keeps what is freed: 100 MB
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # `engine.blas`; to start more takes 40 ms
