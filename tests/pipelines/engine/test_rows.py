import numpy as np
import pytest

from pipelines.engine.rows import SIZES, block_size, in_blocks


@pytest.mark.parametrize("shape", [(128, 256), (352, 128), (37, 53), (48, 96), (64, 4096)])
def test_a_row_gives_the_same_bits_wherever_it_stands_and_whatever_stands_beside_it(
    shape: tuple[int, int],
) -> None:
    random = np.random.default_rng(1)
    matrix = random.standard_normal(shape, np.float32)
    size, row = block_size([matrix]), random.standard_normal(shape[0], np.float32)
    seen = set()
    for blocks in (1, 3):
        for place in range(size):
            rows = random.standard_normal((blocks, size, shape[0]), np.float32)
            rows[-1, place] = row
            seen.add((rows @ matrix)[-1, place].tobytes())
    assert len(seen) == 1


def test_the_block_fits_all_matrices_and_is_a_single_row_where_none_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    small, wide = np.zeros((2, 2), np.float32), np.zeros((2, 3), np.float32)
    alike = {(16, 2), (8, 2), (8, 3), (4, 2), (4, 3)}
    monkeypatch.setattr(
        "pipelines.engine.rows._alike", lambda size, matrix: (size, matrix.shape[1]) in alike
    )
    assert block_size([small]) == 16 == SIZES[0]
    assert block_size([small, wide]) == 8
    assert block_size([np.zeros((2, 5), np.float32)]) == 1


def test_rows_beyond_the_last_are_zero() -> None:
    blocks = in_blocks(np.ones((5, 2), np.float32), 4)
    assert blocks.shape == (2, 4, 2)
    assert blocks.reshape(8, 2)[:, 0].tolist() == [1, 1, 1, 1, 1, 0, 0, 0]
