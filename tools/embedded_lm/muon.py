"""Muon: momentum whose matrices are made orthogonal before the step.

Keller Jordan's optimizer for hidden matrices (2024), with his quintic Newton-Schulz coefficients.
Matrices of one shape are handled together: on a CPU that is what makes it cheap.
"""

from collections import defaultdict
from collections.abc import Iterable

import torch
from torch import Tensor, nn

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
ITERATIONS = 5


def orthogonal(matrices: Tensor) -> Tensor:
    """`matrices` (n, rows, columns), rows <= columns, with singular values brought near 1."""
    a, b, c = COEFFICIENTS
    x = matrices / (matrices.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(ITERATIONS):
        square = x @ x.mT
        x = a * x + (b * square + c * square @ square) @ x
    return x


class Muon:
    """Steps for hidden matrices. `step` reads the gradients, `rate` is given anew each time."""

    def __init__(
        self, matrices: Iterable[nn.Parameter], momentum: float = 0.95, decay: float = 0.01
    ) -> None:
        groups: dict[tuple[int, ...], list[nn.Parameter]] = defaultdict(list)
        for matrix in matrices:
            groups[tuple(sorted(matrix.shape))].append(matrix)
        self._groups = list(groups.values())
        self._speeds = [torch.stack([torch.zeros_like(_wide(m)) for m in g]) for g in self._groups]
        self._momentum, self._decay = momentum, decay

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """One step at learning rate `rate`, with Nesterov momentum."""
        for group, speed in zip(self._groups, self._speeds, strict=True):
            gradient = torch.stack([_wide(_gradient(matrix)) for matrix in group])
            speed.mul_(self._momentum).add_(gradient)
            updates = orthogonal(gradient + self._momentum * speed)
            stretch = (updates.shape[2] / updates.shape[1]) ** 0.5
            for matrix, update in zip(group, updates, strict=True):
                wide = matrix.shape[0] <= matrix.shape[1]
                matrix.mul_(1 - rate * self._decay)
                matrix.add_(update if wide else update.T, alpha=-rate * stretch)


def _wide(matrix: Tensor) -> Tensor:
    return matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T


def _gradient(matrix: nn.Parameter) -> Tensor:
    assert matrix.grad is not None
    return matrix.grad
