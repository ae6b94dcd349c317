"""Reading of text from a picture."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Ocr(BaseModel):
    """The OCR engine."""

    model_config = ConfigDict(frozen=True)

    ocr_engine: Literal["easyocr", "rapidocr", "auto"] = Field(default="auto", description="easyocr, rapidocr or auto")
    """auto reads with RapidOCR, and again with EasyOCR the pages of which that is unsure; RapidOCR reads more and faster."""

    ocr_prepare: bool = Field(default=True, description="true or false")
    """True makes a worker prepare the smaller networks during its first work: some minutes of a core at the lowest priority,
    once a data folder, for pages in two thirds of the time ever after."""
