"""BLAS in one thread: rows of a few hundred numbers are multiplied before a second one wakes up."""

import ctypes
from importlib import import_module

SETTERS = (
    "scipy_openblas_set_num_threads64_",
    "openblas_set_num_threads64_",
    "openblas_set_num_threads",
)
"""Names under which OpenBLAS, which NumPy's wheels bring along, takes a number of threads."""


def compute_alone() -> None:
    """Has NumPy's OpenBLAS compute in the thread that calls it, everywhere in this process.

    With another BLAS nothing happens; its environment variable (OMP_NUM_THREADS=1) does the same.
    """
    numpy = import_module("numpy._core._multiarray_umath")
    library = ctypes.CDLL(numpy.__file__)  # finds what it is linked to as well
    for name in SETTERS:
        if hasattr(library, name):
            getattr(library, name)(1)
            return
