"""Near: groups of texts that are nearly the same, by their signatures.

Texts are compared where four neighbouring bytes of their signatures are equal, in any of 32 places
(locality-sensitive hashing, Indyk and Motwani 1998): two texts alike at 0.8 meet but for once in 20
million, at 0.5 in 7 of 8 cases, at 0.1 hardly ever. Sorting the signatures finds them in 128 bytes a
text; datasketch's `MinHashLSH` takes 10 kB.
"""

import numpy as np
import numpy.typing as npt

from pipelines.risks.minhash import Signatures, likeness

ROUNDS = 32
"""Groups of texts, unlike each other, that are told apart among those that meet in one place."""

Rows = npt.NDArray[np.int64]


def near_groups(signatures: Signatures, least: float) -> Rows:
    """The group of each row: the first row of it.

    Two rows are in one group where they are alike at `least` or more, or where others link them.
    """
    _, firsts, alike = np.unique(
        np.ascontiguousarray(signatures).view("V128")[:, 0], return_index=True, return_inverse=True
    )
    order = np.sort(firsts)  # so that groups do not depend on how signatures sort
    unlike = signatures[order]
    links = [_links(band, unlike, least) for band in unlike.view(np.uint32).T]
    groups = _joined(len(unlike), np.concatenate(links, axis=1)) if links else order
    return np.asarray(order[groups][np.searchsorted(order, firsts)[alike]])


def _links(band: npt.NDArray[np.uint32], signatures: Signatures, least: float) -> Rows:
    """Pairs of rows that agree in `band` and are alike, 2 x n.

    In each round the first row of those that agree is compared with the others, and leaves with
    those that it is alike.
    """
    rows = np.argsort(band, kind="stable")
    found = [np.empty((2, 0), dtype=np.int64)]
    for _ in range(ROUNDS):
        begins = np.flatnonzero(np.diff(band[rows], prepend=~band[rows[:1]]))
        sizes = np.diff(begins, append=len(rows))
        heads = np.repeat(rows[begins], sizes)
        more = (np.repeat(sizes, sizes) > 1) & (heads != rows)
        rows, heads = rows[more], heads[more]
        if not len(rows):
            break
        near = _alike(signatures, heads, rows, least)
        found.append(np.stack([heads[near], rows[near]]))
        rows = rows[~near]
    return np.concatenate(found, axis=1)


def _alike(signatures: Signatures, ones: Rows, others: Rows, least: float) -> npt.NDArray[np.bool_]:
    """Some rows at a time: signatures take 128 bytes each."""
    at_once = 1 << 16
    parts = [
        likeness(
            signatures[ones[start : start + at_once]], signatures[others[start : start + at_once]]
        )
        for start in range(0, len(ones), at_once)
    ]
    return np.concatenate(parts) >= least


def _joined(n: int, links: Rows) -> Rows:
    """The first row that each row is linked to, by however many links."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(links.shape[1], dtype=np.bool_), links), shape=(n, n))
    _, group = connected_components(graph, directed=False)
    _, firsts = np.unique(group, return_index=True)
    return np.asarray(firsts[group], dtype=np.int64)
