"""Files of a long document's reading, written again after people have corrected its pages."""

import msgspec

from settings import Queue
from tasks.ports.corrections import Corrections
from tasks.sdk import Payload, Run, job


class PdfOcrRevise(Payload, frozen=True, kw_only=True):
    """The reading, by its job."""

    job_id: str


class Revised(msgspec.Struct):
    """`revised` is False where the reading was gone."""

    revised: bool


@job(queue=Queue.PDF_PROCESSING, public=False, expected_s=5.0)
async def pdf_ocr_revise(payload: PdfOcrRevise, run: Run) -> Revised:
    """Write text.txt, pages.json and searchable.pdf of a reading again, with the corrections of its pages."""
    await run.stage(10, "Writing the files with their corrections")
    return Revised(await run.use(Corrections).revise(payload.job_id, run))
