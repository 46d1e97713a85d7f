"""How a preference dataset is made. Start with build.py, the spine."""
