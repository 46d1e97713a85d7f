"""How a preference dataset is made. Start with build.py, the spine."""

import os

os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")  # its own keeps what is freed: 100 MB
