"""A pool is as large as the machine can bear, and says why."""

import pytest

from service.engine.pool.sizing import pool_size


@pytest.mark.parametrize(
    ("wanted", "cores", "free_mb", "children"),
    [(2, 8, 32_000, 2), (4, 2, 32_000, 2), (4, 8, 5_500, 2), (4, 8, 500, 1), (1, 1, 100, 1)],
)
def test_the_tightest_bound_decides(wanted: int, cores: int, free_mb: int, children: int) -> None:
    size = pool_size(wanted, child_mb=2_000, cores=cores, free_mb=free_mb)
    assert size.children == children
    assert f"{children} of {wanted} wanted" in size.reason


def test_this_machine_has_room_for_one() -> None:
    assert pool_size(1).children == 1
