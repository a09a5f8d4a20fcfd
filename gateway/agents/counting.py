"""What the gateway counts; operators build alarms on these names, so they stay."""

from libs.kit.metrics import counter, gauge, histogram

SESSIONS = gauge("opsjob_agent_sessions", "Agents with an open, proven session.")
UNPROVEN = gauge("opsjob_agent_unproven_sockets", "Connections that have proved nothing yet.")
HANDSHAKES = counter("opsjob_agent_handshakes_total", "Opening handshakes by outcome.", ["outcome"])
HANDSHAKE_SECONDS = histogram(
    "opsjob_agent_handshake_seconds", "From the upgrade request to welcome."
)
ENDINGS = counter("opsjob_agent_session_ends_total", "Ends of connections by reason.", ["reason"])
REFUSED = counter(
    "opsjob_agent_refused_messages_total", "Messages refused as a whole, by reason.", ["reason"]
)
BOOT_CONFLICTS = counter(
    "opsjob_agent_boot_conflicts_total", "Sessions of one identity on two living boots: clones."
)
LOOKUPS = counter("opsjob_agent_identity_calls_total", "Calls to hosts for identities.")
ENROLMENTS = counter("opsjob_agent_enrolments_total", "Enrolments by outcome.", ["outcome"])
UPLINK_MESSAGES = counter(
    "opsjob_agent_uplink_messages_total", "Messages handed to Redis, by stream.", ["stream"]
)
BATCHES = counter(
    "opsjob_agent_uplink_batches_total", "Stream entries handed to Redis, by stream.", ["stream"]
)
UPLINK_BYTES = gauge("opsjob_agent_uplink_waiting_bytes", "Taken from agents, not in Redis yet.")
UPLINK_FAILURES = counter("opsjob_agent_uplink_failures_total", "Writes that Redis did not take.")
DOWNLINK_FRAMES = counter("opsjob_agent_downlink_frames_total", "Frames forwarded to agents.")
DOWNLINK_DROPPED = counter(
    "opsjob_agent_downlink_dropped_total", "Frames not forwarded, by reason.", ["reason"]
)
TRANSFERS = gauge("opsjob_agent_transfers", "Files on their way to or from agents.")
FILES_SENT = counter("opsjob_agent_file_bytes_sent_total", "Bytes of files sent to agents.")
FILES_TAKEN = counter("opsjob_agent_file_bytes_taken_total", "Bytes of files taken from agents.")
