"""Every page and action of the dashboard, behind the one guard that none of them can forget."""

import contextlib
from typing import Any

from litestar import Request, Router, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect
from litestar_htmx import HTMXDetails, HTMXRequest
from redis.exceptions import RedisError

from dashboard import csrf
from dashboard.alerts.actions import mute_rule, unmute_rule
from dashboard.alerts.rule_actions import add_rule, change_rule, reset_rule, switch_rule_off, switch_rule_on, try_rule
from dashboard.alerts.rules import new_rule_page, rule_page
from dashboard.alerts.views import alerts_count, alerts_page
from dashboard.audit.views import audit_live, audit_page
from dashboard.audit_middleware import Audited
from dashboard.auth import User, require_personal
from dashboard.authentication import Authentication, SignInFirst, to_sign_in
from dashboard.capsule.views import capsule_file, capsule_page
from dashboard.changes.actions import mark_deploy
from dashboard.corrections.actions import (
    correct_document_page,
    issue_document_link,
    next_doubtful_page,
    reread_document_page,
)
from dashboard.corrections.queue import doubtful_page, export_corrections
from dashboard.corrections.views import document_page_live, document_page_picture, document_page_view
from dashboard.dependencies import PROVIDED
from dashboard.documents.actions import (
    delete_document,
    picture_document,
    picture_documents,
    read_document,
    transcode_document,
)
from dashboard.documents.detail import document_content, document_live, document_page, document_picture, document_video
from dashboard.documents.views import documents_live, documents_page
from dashboard.error_pages import explain
from dashboard.errors.actions import live_error, try_canary
from dashboard.errors.views import error_page, errors_page
from dashboard.fairness.trial import set_weights, trial_page
from dashboard.fairness.views import fairness_csv_file, fairness_page
from dashboard.jobs.actions import answer_job, cancel_job, delete_job, restore_job, retry_job
from dashboard.jobs.detail import job_live, job_page
from dashboard.jobs.files import job_file
from dashboard.jobs.log import log_live, log_page
from dashboard.jobs.new import new_job_page, submit_job
from dashboard.jobs.rerun import copy_job, edit_job, edit_job_page
from dashboard.jobs.values import job_payload, job_result
from dashboard.jobs.views import jobs_live, jobs_page
from dashboard.keys.actions import create_key, revoke_key, rotate_key
from dashboard.keys.views import keys_page
from dashboard.mail_templates.editing import (
    create_template,
    delete_template,
    edit_template,
    new_template,
    save_template,
)
from dashboard.mail_templates.views import template_message, template_page, templates_page
from dashboard.metrics.views import metrics_page
from dashboard.metrics.weeks import weeks_page
from dashboard.operations.actions import abort_operation, begin_operation, undo_operation
from dashboard.operations.views import ask_page, operation_live, operation_page, operations_page
from dashboard.owners.actions import limit_owner
from dashboard.owners.alert_addresses import delete_alert_address
from dashboard.owners.erasure import erase_owner
from dashboard.owners.views import owner_page, owners_page
from dashboard.preferences.views import preferences_page, set_preferences
from dashboard.previews.pictures import page_picture, photo_picture, thumbnail_picture
from dashboard.proxy_sign_in import ProxyRefusal, refusal_page
from dashboard.queues.actions import upload_document
from dashboard.queues.controls import queue_page, remove_hold, set_hold
from dashboard.queues.views import queues_live, queues_page
from dashboard.runbook.views import language_page, runbook_page
from dashboard.saved_views.actions import delete_view, make_view_default, rename_view, save_view
from dashboard.saved_views.views import views_page, views_palette
from dashboard.schedules.actions import pause_schedule, resume_schedule, run_schedule
from dashboard.schedules.views import schedules_page
from dashboard.services.actions import pause_service, resume_service
from dashboard.services.views import services_page
from dashboard.sign_in.actions import sign_out
from dashboard.sign_in.views import sign_in_routes
from dashboard.status_link.telling import issue_status_link, mail_status_link, status_link_page
from dashboard.storage.views import storage_page
from dashboard.undo import undoable, undoable_operations
from dashboard.usage.views import usage_csv_file, usage_page
from dashboard.users.actions import add_user, change_user, end_session, end_sessions, remove_user
from dashboard.users.views import users_page
from dashboard.webhooks.actions import enable_webhook, redeliver, try_webhook
from dashboard.webhooks.views import webhooks_page
from dashboard.workers.actions import quiet_worker, resume_worker, stop_worker
from dashboard.workers.views import workers_page
from dashboard.workflows.views import workflow_live, workflow_page
from service.api import EXCEPTION_HANDLERS
from service.engine.redis.away import AWAY

FORM_BYTES = 65_536
"""A form of ours is a token and a few words. Uploads set their own bound."""


@get("/", include_in_schema=False)
async def home() -> Redirect:
    return Redirect("/admin/queues")


@get("/")
async def admin_home() -> Redirect:
    return Redirect("/admin/queues")


@get("/{anything:path}")
async def no_such_page(anything: FromPath[str]) -> None:
    raise NotFoundException(f"There is no page at /admin{anything[:200]}.")


async def before_page(request: Request[User, Any, Any]) -> None:
    """Guard every handler, count active alerts, and find what can be undone. Raises PermissionDeniedException."""
    await csrf.guard(request)
    require_personal(request)
    silent = request.app.state["silent"]
    if silent is not None:
        # A page shows what can be read, and names what cannot.
        AWAY.set(set())
        request.state.silent = await silent()
    if request.method == "GET" and not HTMXDetails(request):
        # A page that needs no queue server must not fail because of the navigation.
        with contextlib.suppress(RedisError, OSError):
            request.state.firing_count = len(await request.app.state["alerts"]())
            request.state.undoable = await undoable(request, request.app.state["services"])
            request.state.undoable_operations = await undoable_operations(request, request.app.state["services"])


def dashboard_routes() -> list[Any]:
    """The router of /admin, and / that leads to it."""
    admin = Router(
        path="/admin",
        route_handlers=[
            admin_home,
            queues_page,
            queues_live,
            upload_document,
            jobs_page,
            jobs_live,
            new_job_page,
            submit_job,
            job_page,
            job_live,
            job_file,
            job_payload,
            job_result,
            copy_job,
            edit_job_page,
            edit_job,
            status_link_page,
            issue_status_link,
            mail_status_link,
            log_page,
            log_live,
            page_picture,
            thumbnail_picture,
            photo_picture,
            retry_job,
            cancel_job,
            answer_job,
            delete_job,
            restore_job,
            queue_page,
            set_hold,
            remove_hold,
            operations_page,
            ask_page,
            operation_page,
            operation_live,
            begin_operation,
            abort_operation,
            undo_operation,
            templates_page,
            new_template,
            create_template,
            template_page,
            template_message,
            edit_template,
            save_template,
            delete_template,
            documents_page,
            documents_live,
            document_page,
            document_live,
            document_page_view,
            document_page_live,
            document_page_picture,
            correct_document_page,
            reread_document_page,
            next_doubtful_page,
            issue_document_link,
            doubtful_page,
            export_corrections,
            document_content,
            document_picture,
            document_video,
            picture_document,
            picture_documents,
            read_document,
            transcode_document,
            delete_document,
            errors_page,
            error_page,
            live_error,
            try_canary,
            schedules_page,
            run_schedule,
            pause_schedule,
            resume_schedule,
            pause_service,
            resume_service,
            alerts_page,
            alerts_count,
            rule_page,
            new_rule_page,
            add_rule,
            change_rule,
            reset_rule,
            switch_rule_off,
            switch_rule_on,
            try_rule,
            runbook_page,
            language_page,
            views_page,
            views_palette,
            save_view,
            rename_view,
            delete_view,
            make_view_default,
            mute_rule,
            unmute_rule,
            metrics_page,
            mark_deploy,
            capsule_page,
            capsule_file,
            weeks_page,
            storage_page,
            services_page,
            owners_page,
            owner_page,
            limit_owner,
            erase_owner,
            delete_alert_address,
            audit_page,
            audit_live,
            webhooks_page,
            try_webhook,
            enable_webhook,
            redeliver,
            keys_page,
            create_key,
            rotate_key,
            revoke_key,
            workflow_page,
            workflow_live,
            workers_page,
            quiet_worker,
            resume_worker,
            stop_worker,
            usage_page,
            usage_csv_file,
            fairness_page,
            fairness_csv_file,
            trial_page,
            set_weights,
            users_page,
            add_user,
            change_user,
            remove_user,
            end_session,
            end_sessions,
            preferences_page,
            set_preferences,
            sign_out,
            no_such_page,
        ],
        request_class=HTMXRequest,
        middleware=[Authentication, Audited()],
        before_request=before_page,
        exception_handlers={
            **dict.fromkeys(EXCEPTION_HANDLERS, explain),
            SignInFirst: to_sign_in,
            ProxyRefusal: refusal_page,
        },
        dependencies=PROVIDED,
        request_max_body_size=FORM_BYTES,
        include_in_schema=False,
    )
    return [home, sign_in_routes, admin]
