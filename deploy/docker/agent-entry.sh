#!/bin/sh
# Enrols with OPSJOB_AGENT_TOKEN when the state folder is new, then becomes the agent.
set -eu

if [ ! -e "$OPSJOB_AGENT_STATE/identity.json" ]; then
  printf '%s\n' "${OPSJOB_AGENT_TOKEN:?a one-time token is needed: opsjob agents token}" |
    opsjob-agent enrol --state "$OPSJOB_AGENT_STATE" --gateway "$OPSJOB_AGENT_GATEWAY"
fi
unset OPSJOB_AGENT_TOKEN
exec opsjob-agent run --state "$OPSJOB_AGENT_STATE"
