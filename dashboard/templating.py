"""The template environment: what templates may call, and their folders (those of the views that render them)."""

from pathlib import Path

from jinja2 import Environment, StrictUndefined, Template, TemplateNotFound, select_autoescape
from litestar.exceptions import TemplateNotFoundException
from litestar.plugins.jinja import JinjaTemplateEngine

from dashboard import formats
from dashboard.assets import asset
from dashboard.bidi import VisibleTemplate
from dashboard.charts import bars, spark
from dashboard.jobs.masking import document_name, origin_of, outcome, visible, withheld
from dashboard.jobs.rerun import repeatable
from dashboard.jobs.retrying import permanent
from dashboard.jobs.row import counted, tries, when
from dashboard.jobs.wait_reasons import pause_words
from dashboard.operations.selection import SHOWN_VERBS
from dashboard.state_badges import badge
from dashboard.translation.catalogue import named
from dashboard.translation.loader import TranslatedLoader
from dashboard.zones import current_zone
from service.engine.store.retention import BIN_S
from service.lib.languages import ENGLISH, LANGUAGES, current_language
from service.lib.sentences.recogniser import shown, shown_or_none
from service.lib.text import as_sentence

FOLDER = Path(__file__).resolve().parent


class Pages(JinjaTemplateEngine):
    """Templates in the language of the request."""

    def __init__(self) -> None:
        self.environments = {language: template_environment(language) for language in LANGUAGES}
        super().__init__(engine_instance=self.environments[ENGLISH])

    def get_template(self, template_name: str) -> Template:
        """As its base, in the current language."""
        try:
            return self.environments[current_language()].get_template(template_name)
        except TemplateNotFound as error:
            raise TemplateNotFoundException(template_name=template_name) from error


def template_environment(language: str = ENGLISH) -> Environment:
    """Escapes by default; a name that a view forgot to give is an error, not an empty space."""
    environment = Environment(
        loader=TranslatedLoader(FOLDER, language),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        # Templates come with the code and change with it: looking for changes is a question to the disk at every include.
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.template_class = VisibleTemplate
    environment.globals.update(
        asset=asset,
        bars=bars,
        counted=counted,
        current_language=current_language,
        current_zone=current_zone,
        document_name=document_name,
        bin_minutes=BIN_S // 60,
        state_badge=badge,
        withheld=withheld,
        outcome=outcome,
        operation_verbs=SHOWN_VERBS,
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
        decimal=formats.decimal,
        figures=formats.figures,
        local=formats.local,
        size=formats.size,
        duration=formats.duration,
        whole=formats.whole,
        moment=formats.moment,
        in_zone=formats.in_zone,
        named=named,
        quantity=formats.quantity,
        rate=formats.rate,
        pretty=formats.pretty,
        cut=formats.cut,
        sentence=lambda text: shown(as_sentence(text)),
        shown=shown_or_none,
        compact=formats.compact,
        typed=formats.typed,
        written=formats.written,
    )
    return environment
