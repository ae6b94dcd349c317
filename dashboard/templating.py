"""The template environment: what templates may call, and their folders (those of the views that render them)."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from dashboard import formats
from dashboard.assets import asset
from dashboard.charts import bars, spark
from dashboard.jobs.masking import document_name, origin_of, outcome, visible, withheld
from dashboard.jobs.rerun import repeatable
from dashboard.jobs.retrying import permanent
from dashboard.jobs.row import counted, tries, when
from dashboard.jobs.wait_reasons import pause_words
from dashboard.state_badges import badge
from service.engine.store.retention import BIN_S
from service.lib.text import as_sentence

FOLDER = Path(__file__).resolve().parent


def template_environment() -> Environment:
    """Escapes by default; a name that a view forgot to give is an error, not an empty space."""
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        # Templates come with the code and change with it: looking for changes is a question to the disk at every include.
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        asset=asset,
        bars=bars,
        counted=counted,
        document_name=document_name,
        bin_minutes=BIN_S // 60,
        state_badge=badge,
        withheld=withheld,
        outcome=outcome,
        pause_words=pause_words,
        permanent=permanent,
        origin_of=origin_of,
        repeatable=repeatable,
        share=formats.share,
        spark=spark,
        tries=tries,
        visible=visible,
        when=when,
    )
    environment.filters.update(
        number=formats.number,
        size=formats.size,
        duration=formats.duration,
        whole=formats.whole,
        moment=formats.moment,
        in_zone=formats.in_zone,
        rate=formats.rate,
        pretty=formats.pretty,
        sentence=as_sentence,
        compact=formats.compact,
        typed=formats.typed,
    )
    return environment
