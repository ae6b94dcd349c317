"""Estimates of a job's duration: as declared until a run has been measured, and measured from then on."""

from dataclasses import replace

from service.engine.estimates import Estimator
from service.engine.store import Store, keys
from tasks.pdf_ocr import pdf_ocr


async def test_the_first_use_of_models_is_in_the_estimate_until_a_run_was_measured(store: Store) -> None:
    warm = replace(pdf_ocr, first_use_s=0.0)
    first, later = await Estimator(store).cost_ms(pdf_ocr, 3), await Estimator(store).cost_ms(warm, 3)
    assert pdf_ocr.first_use_s > 0 and first - later == 1000 * pdf_ocr.first_use_s
    await store.redis.hset(keys.pace("pdf-ocr"), "unit_ms", 700)
    assert await Estimator(store).cost_ms(pdf_ocr, 3) == 2100
