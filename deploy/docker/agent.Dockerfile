# The agent's image: the agent's own wheel and its own locked packages, nothing of the platform.
# Build it from the root of the repository.

FROM python:3.11-slim-bookworm AS packages
WORKDIR /build
COPY requirements/agent.lock requirements/installer.lock ./requirements/
RUN python -m venv /opt/opsjob-agent \
 && /opt/opsjob-agent/bin/pip install --no-cache-dir --require-hashes -r requirements/agent.lock \
 && python -m venv /build/tools \
 && /build/tools/bin/pip install --no-cache-dir --require-hashes -r requirements/installer.lock
COPY agent/ ./agent/
COPY libs/__init__.py ./libs/__init__.py
COPY libs/protocol/ ./libs/protocol/
COPY deploy/agent/ ./deploy/agent/
WORKDIR /build/deploy/agent
RUN /build/tools/bin/python -m hatchling build -t wheel -d /build/dist \
 && /opt/opsjob-agent/bin/pip install --no-cache-dir --no-deps --no-index /build/dist/*.whl

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10002 --home-dir /var/lib/opsjob-agent --create-home --shell /usr/sbin/nologin opsjob-agent
COPY --from=packages /opt/opsjob-agent /opt/opsjob-agent
COPY --chmod=755 deploy/docker/agent-entry.sh /usr/local/bin/agent-entry
ENV PATH=/opt/opsjob-agent/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    OPSJOB_AGENT_STATE=/var/lib/opsjob-agent
USER 10002
WORKDIR /var/lib/opsjob-agent
VOLUME /var/lib/opsjob-agent
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=3 \
  CMD ["opsjob-agent", "status", "--state", "/var/lib/opsjob-agent"]
ENTRYPOINT ["agent-entry"]
