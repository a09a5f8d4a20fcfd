"""What an operator may set for one agent gateway; prefix OPSJOB_AGENT_GATEWAY_."""

from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class AgentGatewaySettings(BaseSettings):
    """Defaults suit 10,000 agents on one gateway; sizes are bytes, times are seconds."""

    model_config = SettingsConfigDict(env_prefix="OPSJOB_AGENT_GATEWAY_", frozen=True)

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 8001
    gateway_id: Annotated[
        str | None, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")
    ] = None
    """Names the stream on which this gateway receives frames; random at each start when unset."""

    heartbeat_seconds: Annotated[float, Field(ge=0.1, le=300)] = 10.0
    heartbeats_per_second: Annotated[float, Field(gt=0)] = 200.0
    """What all agents of this gateway may send together; a larger fleet beats more slowly."""
    expected_agents: Annotated[int, Field(ge=0)] = 0
    """Agents to plan heartbeats for even before they have connected."""

    handshake_seconds: Annotated[float, Field(gt=0, le=60)] = 10.0
    max_unauthenticated: Annotated[int, Field(ge=1)] = 2_000
    """Sockets that have not proved a key yet; above this the oldest of them is dropped."""
    max_sessions: Annotated[int, Field(ge=1)] = 50_000
    handshakes_per_second: Annotated[float, Field(gt=0)] = 600.0
    handshake_burst: Annotated[int, Field(ge=1)] = 1_000
    """One costs about a millisecond here; 10,000 agents are back within half a minute."""
    identity_batch: Annotated[int, Field(ge=1, le=500)] = 250
    identity_calls: Annotated[int, Field(ge=1, le=32)] = 2
    """Look-ups of identities under way at once; each asks for up to `identity_batch` agents."""
    reconcile_seconds: Annotated[float, Field(gt=0)] = 60.0

    linger_seconds: Annotated[float, Field(ge=0, le=0.1)] = 0.003
    uplink_buffer_bytes: Annotated[int, Field(ge=1024 * 1024)] = 32 * 1024 * 1024
    session_buffer_bytes: Annotated[int, Field(ge=64 * 1024)] = 1024 * 1024
    downlink_buffer_bytes: Annotated[int, Field(ge=1024 * 1024)] = 8 * 1024 * 1024
    """Bytes that may wait for one agent that reads slowly; above this its session ends."""
    window_bytes: Annotated[int, Field(ge=64 * 1024, le=4 * 1024 * 1024)] = 1024 * 1024
    results_entries: Annotated[int, Field(ge=1_000)] = 50_000
    status_entries: Annotated[int, Field(ge=1_000)] = 20_000
    logs_entries: Annotated[int, Field(ge=100)] = 4_000
    """Roughly how many batches each stream keeps; agents repeat whatever gets trimmed unread."""

    messages_per_second: Annotated[int, Field(ge=1)] = 2_000
    """Per agent, over ten seconds; the same holds for a tenth as many control frames."""
    enrolments_per_second: Annotated[float, Field(gt=0)] = 50.0
    enrolment_burst: Annotated[int, Field(ge=1)] = 1_000
    enrolments_per_peer: Annotated[float, Field(gt=0)] = 20.0
    enrolment_burst_per_peer: Annotated[int, Field(ge=1)] = 500

    stop_seconds: Annotated[float, Field(gt=0, le=60)] = 5.0

    @model_validator(mode="after")
    def _pairs_fit(self) -> Self:
        if self.session_buffer_bytes > self.uplink_buffer_bytes:
            raise ValueError("session_buffer_bytes must not exceed uplink_buffer_bytes")
        return self
