# The platform's image: one image for every service and gateway; the command says which it is.
# Build it from the root of the repository.

FROM node:24-bookworm-slim AS console
WORKDIR /build/frontend
COPY frontend/package.json frontend/package-lock.json frontend/.npmrc ./
RUN npm ci --no-fund --no-audit
COPY frontend/ ./
RUN npm run build

FROM python:3.11-slim-bookworm AS packages
WORKDIR /build
COPY requirements/runtime.lock requirements/cloud.lock requirements/installer.lock ./requirements/
RUN python -m venv /opt/opsjob \
 && /opt/opsjob/bin/pip install --no-cache-dir --require-hashes \
      -r requirements/runtime.lock -r requirements/cloud.lock \
 && python -m venv /build/tools \
 && /build/tools/bin/pip install --no-cache-dir --require-hashes -r requirements/installer.lock
COPY pyproject.toml README.md LICENSE ./
COPY services/ ./services/
COPY libs/ ./libs/
COPY gateway/ ./gateway/
COPY agent/ ./agent/
RUN /build/tools/bin/python -m pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir dist . \
 && /opt/opsjob/bin/pip install --no-cache-dir --no-deps --no-index dist/*.whl

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /var/lib/opsjob --create-home --shell /usr/sbin/nologin opsjob \
 && install -d -o 10001 -g 10001 -m 0700 /var/lib/opsjob/artifacts \
 && useradd --system --uid 10002 --home-dir /var/lib/opsjob-signer --shell /usr/sbin/nologin opsjob-signer \
 && install -d -o 10002 -g 10002 -m 0700 /var/lib/opsjob-signer \
 && install -d -o 10002 -g 10002 -m 0755 /run/opsjob-signer
COPY --from=packages /opt/opsjob /opt/opsjob
COPY --from=console /build/frontend/dist /usr/share/opsjob/console
ENV PATH=/opt/opsjob/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    OPSJOB_DATA_DIR=/var/lib/opsjob \
    OPSJOB_GATEWAY_STATIC_DIR=/usr/share/opsjob/console
USER 10001
WORKDIR /var/lib/opsjob
VOLUME /var/lib/opsjob
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health/ready', timeout=4)"]
ENTRYPOINT ["opsjob"]
CMD ["--help"]
