"""Tests of job types, without servers: `LocalRun`, `assert_enqueued`, `drain`. With servers: the fixture `offload_server`.

    run = LocalRun(tmp_path)
    result = await run.execute(acme_book, Book(amount=3.5))
    assert_enqueued(run, "acme-mail", to="books@acme.example")
    (mail,) = await drain(run)

`LocalRun` is held to the `Run` of workers by a test of Offload's own: one job makes the same assertions under both.
"""

from offload.testing.chains import Drained, assert_enqueued, drain
from tasks.sdk.testing import LocalRun
from tasks.sdk.testing_child import ChildPerCall
from tasks.sdk.testing_files import LocalFile, LocalFiles

__all__ = ["ChildPerCall", "Drained", "LocalFile", "LocalFiles", "LocalRun", "assert_enqueued", "drain"]
