"""Lines of the children, as one terminal shows them."""

import io

from rich.console import Console

from service.cli.log_lines import LogLines


def shown(line: str) -> str:
    """The line as printed for a child called web."""
    output = io.StringIO()
    LogLines(Console(file=output, width=40))("web", line)
    return output.getvalue()


def test_an_event_reads_as_a_sentence():
    line = (
        '{"event": "page failed", "level": "info", "timestamp": "2026-01-02T03:04:05.678Z", "page": 3, "why": "a [b]"}'
    )
    assert shown(line).endswith(":04:05 page failed page=3 why=a [b]\n") and "│" in shown(line)


def test_a_traceback_keeps_its_lines():
    assert (
        shown('{"event": "broke", "exception": "Traceback\\n  line 1"}')
        == "web            │ broke\nTraceback\n  line 1\n"
    )


def test_any_other_line_stays_as_it_is():
    for line in ("[bold]not markup[/bold]", "{not json}", '{"json": "but no event"}', "", "x" * 200):
        assert shown(line) == f"web            │ {line}\n"
