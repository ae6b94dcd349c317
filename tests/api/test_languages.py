"""GET /api/ocr/languages."""


async def test_what_can_be_read_is_listed(acme) -> None:
    answer = await acme.get("/api/ocr/languages")
    assert answer.status_code == 200
    listed = {language["code"]: language for language in answer.json()}
    assert listed["en"]["installed"] is True
    assert listed["de"]["engines"] == ["rapidocr"]
    assert listed["ko"] == {
        "code": "ko",
        "weights": "korean_g2.pth",
        "installed": False,
        "writing": "Korean",
        "engines": [],
    }
