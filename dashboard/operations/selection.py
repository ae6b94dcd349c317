"""A selection of jobs as a form carries it, and in words."""

from collections.abc import Mapping
from dataclasses import replace

from dashboard.jobs.file_names import documents_named
from dashboard.jobs.filters import Filter, from_address
from service.engine.store.bulk_operations import APPLIES, Kind, Selection
from service.services import Services
from tasks.sdk.errors import Refused

VERBS: dict[Kind, str] = {"retry": "Retry", "cancel": "Cancel", "delete": "Delete"}
ICONS: dict[Kind, str] = {"retry": "retrying", "cancel": "cancelled", "delete": "trash"}

FILE = "file"
"""The key under which a selection holds a file's name until `resolved` puts the ids in its place."""


def kind_of(word: str) -> Kind:
    """Raises Refused for what is not an action on jobs."""
    for kind in VERBS:
        if kind == word:
            return kind
    raise Refused(f"There is no action {word[:40]} on jobs: it is retry, cancel or delete.", field="kind")


def selection_of(fields: Mapping[str, str]) -> Selection:
    """Explicit ids (joined by commas), or else everything that fits the filter in `fields`."""
    ids = tuple(dict.fromkeys(job_id for job_id in fields.get("ids", "").split(",") if job_id))
    if ids:
        return Selection(ids=ids)
    chosen = from_address(fields)
    return Selection(
        queue=chosen.queue,
        state=chosen.status,
        type=chosen.type,
        owner=chosen.owner,
        fingerprint=fields.get("fingerprint") or None,
        search=chosen.search,
        any_of=((FILE, chosen.file),) if chosen.file else (),
    )


async def resolved(services: Services, selection: Selection) -> Selection:
    """The selection as the store reads it. Raises Refused where a file's name stands for too many files."""
    name = _file_of(selection)
    if name is None:
        return selection
    found = await documents_named(services, name)
    if found.more:
        raise Refused(
            f"More than {len(found.ids)} files have {name[:80]} in their names: filter by a longer part of it.",
            field="file",
        )
    return replace(selection, any_of=Filter(file=name).any_of(found.ids))


def _file_of(selection: Selection) -> str | None:
    return next((value for key, value in selection.any_of if key == FILE), None)


def fields_of(selection: Selection) -> dict[str, str]:
    """The form fields that mean the selection."""
    if selection.ids:
        return {"ids": ",".join(selection.ids)}
    cause = {"fingerprint": selection.fingerprint} if selection.fingerprint else {}
    return _filter(selection).pairs() | cause


def words(kind: Kind, selection: Selection) -> str:
    """The selection in words: `3 chosen jobs`, `all failed jobs in csv-export of acme`."""
    if selection.ids:
        return f"{len(selection.ids):,} chosen job{'' if len(selection.ids) == 1 else 's'}"
    states = [selection.state] if selection.state else [str(state) for state in APPLIES[kind]]
    phrase = f"all {' or '.join(states)} jobs"
    for lead, value in (("of task", selection.type), ("in", selection.queue), ("of", selection.owner)):
        phrase += f" {lead} {value}" if value else ""
    if selection.search:
        phrase += f" with {selection.search[0]} {selection.search[1]}"
    if name := _file_of(selection):
        phrase += f" of files with {name} in their names"
    return f"{phrase} that failed of this cause" if selection.fingerprint else phrase


def chosen_ids(selection: Selection) -> str:
    """The ids of a selection that names them, for the audit log; empty for a filter, which its words name."""
    return f": {' '.join(selection.ids)}" if selection.ids else ""


def _filter(selection: Selection) -> Filter:
    return Filter(
        selection.state, selection.queue, selection.type, selection.owner, _file_of(selection), selection.search
    )
