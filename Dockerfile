# Two images from one file: `--target web` (no torch) and `--target worker` (with the OCR engines).
FROM python:3.11-slim-bookworm AS base
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PATH=/opt/venv/bin:$PATH
WORKDIR /app

FROM base AS build
RUN python -m venv /opt/venv
COPY requirements requirements
# Each file must have the hash that requirements/ gives for it, and nothing comes that is not listed there.
RUN --mount=type=cache,target=/root/.cache/pip pip install --require-hashes --no-deps -r requirements/web.txt
COPY pyproject.toml README.md LICENSE ./
COPY settings settings
COPY tasks tasks
COPY service service
COPY dashboard dashboard
COPY offload offload
# Editable, so that the image runs the sources in /app, with the templates, scripts and migrations beside them. The containers
# are read-only: uncompiled, every start and every command would compile all that it imports again.
RUN pip install --no-cache-dir --no-deps --no-build-isolation -e . && \
    python -m compileall -q --invalidation-mode unchecked-hash settings tasks service dashboard

FROM build AS build-worker
# `--build-arg OCR=ocr` leaves out EasyOCR, and torch with it: an image smaller by 5 GB that reads with RapidOCR alone.
ARG OCR=easyocr
RUN --mount=type=cache,target=/root/.cache/pip pip install --require-hashes --no-deps -r "requirements/$OCR.txt"

FROM base AS run
RUN useradd --uid 10001 --create-home offload && install -d -o offload -g offload -m 700 /data
ENV OFFLOAD_DATA_DIR=/data OFFLOAD_HOST=0.0.0.0
COPY --from=build /app /app
COPY static static
# What alerts link to, as the page /admin/runbook.
COPY docs/runbook.md docs/finding-jobs.md docs/
COPY docs/de docs/de
VOLUME /data

FROM run AS worker
COPY --from=build-worker /opt/venv /opt/venv
USER 10001
ENV WORKER=tasks.workers.PdfProcessing
# It fails when the loop of this worker has not turned for a minute. `arq --check` would start a Python each time, and ask for any
# worker of the queue.
HEALTHCHECK --interval=30s --timeout=15s --start-period=60s CMD ["sh", "-c", "find /tmp/offload-scratch-*/beat -mmin -1 | grep -q ."]
CMD ["sh", "-c", "exec arq \"$WORKER\""]

FROM run AS web
COPY --from=build /opt/venv /opt/venv
USER 10001
ENV OFFLOAD_PORT=8000
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s \
  CMD ["sh", "-c", "exec python -c \"from urllib.request import urlopen; urlopen('http://127.0.0.1:$OFFLOAD_PORT/health/live')\""]
CMD ["sh", "-c", "exec uvicorn dashboard.app:create_app --factory --host \"$OFFLOAD_HOST\" --port \"$OFFLOAD_PORT\" --no-access-log --no-server-header --http=service.lib.bounded_connection:BoundedConnection --ws-max-size=65536 --timeout-graceful-shutdown 20"]
