"""How text is read from a picture."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Ocr(BaseModel):
    """The OCR engine."""

    model_config = ConfigDict(frozen=True)

    ocr_engine: Literal["easyocr", "rapidocr", "auto"] = Field(
        default="easyocr", description="easyocr, rapidocr or auto"
    )
    """auto reads with EasyOCR, and again with RapidOCR the pages of which that is unsure."""
