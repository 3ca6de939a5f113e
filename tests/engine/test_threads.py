"""Work on several cores: everything is done, NumPy's settings hold, and the number of BLAS threads comes back."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from visualizer.engine.threads import cores, each


def blas_threads() -> list[int]:
    return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]


def test_each_item_is_worked_on_with_the_settings_of_the_caller() -> None:
    done = np.zeros(100)

    def work(index: int) -> None:
        done[index] = np.log(np.zeros(1))[0]  # warnings are errors here, unless the caller's errstate reaches this

    with np.errstate(all="ignore"):
        each(work, range(100))
    assert (done == -np.inf).all()


def test_the_cores_share_the_items_again_and_again_and_each_product_stays_on_its_own() -> None:
    shared, products = [], []

    def work(_index: int) -> None:
        shared.append(threading.current_thread() is not threading.main_thread())
        products.append(blas_threads())

    for _ in range(2):
        each(work, range(4))
    assert shared == [cores() > 1] * 8
    assert all(threads == [1] * len(threads) for threads in products)


def test_what_fails_in_one_item_is_raised() -> None:
    def work(index: int) -> None:
        if index == 3:
            raise ValueError("three")

    before = blas_threads()
    with pytest.raises(ValueError, match="three"):
        each(work, range(8))
    assert blas_threads() == before


def test_two_threads_that_share_out_work_leave_the_setting_as_it_was() -> None:
    before, done = blas_threads(), np.zeros((2, 40))
    start = threading.Barrier(2, timeout=10)

    def share_out(row: int) -> None:
        start.wait()
        for _ in range(20):
            each(lambda index: done[row].__setitem__(index, done[row, index] + 1), range(40))

    threads = [threading.Thread(target=share_out, args=(row,)) for row in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (done == 20).all()
    assert blas_threads() == before
