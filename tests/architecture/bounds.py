"""What is bounded: by which setting or constant, where, and whether before it is read.

A line is: what | owner:name | unit | file, and `!` at its beginning where
more is never read.
`there` is the file of the constant, `@` the folder of execution.
"""

ROWS = """
## The public door
! head of a request | api:max_head_bytes | bytes | gateway/api/heads.py
! headers of a request | api:max_headers | - | gateway/api/heads.py
! path | api:max_path_bytes | bytes | gateway/api/app.py
! query | api:max_query_bytes | bytes | gateway/api/app.py
! body, unless a row below says more | api:max_body_bytes | bytes | gateway/api/bodies.py
! time for a head | api:head_seconds | s | gateway/api/serving.py
! pause in a body | api:body_idle_seconds | s | gateway/api/serving.py
! a reader that takes nothing | api:stalled_reader_seconds | s | gateway/api/serving.py
! requests of a person or token | api:user_rate | - | gateway/api/limits.py
! requests without a credential, an address | api:address_rate | - | gateway/api/limits.py
! log-ins and refreshes, an address | api:login_rate | - | gateway/api/limits.py
! refused credentials, an address | api:failure_rate | - | gateway/api/limits.py
! live streams of a person | api:streams_per_user | - | gateway/api/limits.py

## Every service
! JSON body | libs.kit.service.assembly:MAX_BODY_BYTES | bytes | libs/kit/service/routes.py
! depth of a JSON document | libs.kit.text:MAX_DEPTH | - | there
a name | libs.kit.text:MAX_NAME | characters | there
a description | libs.kit.text:MAX_TEXT | characters | there
! an internal token | libs.kit.tokens:MAX_TOKEN | bytes | there
! an answer of another server | outbound:max_bytes | bytes | libs/kit/outbound/client.py
! time for another server | outbound:seconds | s | libs/kit/outbound/client.py

## People
user name | services.auth.domain:MAX_USERNAME | characters | there
password, before it is hashed | services.auth.domain:MAX_PASSWORD | characters | there
wrong codes in a row | services.auth.mfa.domain:MOST_REFUSED | - | there
API tokens of a person | services.auth.tokens.domain:MOST_PER_USER | - | there
roles | services.auth.roles.service:MOST_ROLES | - | there

## Executions, files, output
hosts of an execution | services.execution.plans.schemas:MAX_HOSTS | - | there
steps of an execution | services.execution.plans.schemas:MAX_STEPS | - | there
tasks of an execution | services.execution.plans.domain:MAX_TASKS | - | there
a script | services.execution.plans.domain:MAX_SCRIPT_BYTES | bytes | there
an order as a whole | services.execution.orders.domain:MAX_ORDER_BYTES | bytes | there
hosts as root without a fresh proof | execution:step_up_root_hosts | - | @/breadth/service.py
hosts without a typed number; 0: any | execution:typed_count_above | - | @/breadth/service.py
tasks at a time on a host | execution:tasks_per_host | - | @/dispatch/service.py
! output of a task, at most | services.execution.signing.domain:MAX_OUTPUT_BYTES | bytes | there
! a file | execution:file_max_bytes | bytes | @/uploads/service.py
! a piece of an upload | execution:file_piece_bytes | bytes | @/uploads/service.py
! files of a person | execution:file_quota_bytes | bytes | @/uploads/service.py
! uploads of a person at a time | execution:file_uploads_per_user | - | @/uploads/service.py
! a secret by reference | services.execution.references.service:MAX_SECRET_BYTES | bytes | there

## The agents' door
! head of a request | gateway.agents.web:MAX_HEAD_BYTES | bytes | there
! path | gateway.agents.web:MAX_PATH_BYTES | bytes | there
! body, such as an enrolment's | gateway.agents.web:MAX_BODY_BYTES | bytes | there
! a piece of a collected file | gateway.agents.files:MAX_PIECE_BYTES | bytes | there
! time for the handshake | agents:handshake_seconds | s | gateway/agents/admission.py
! sockets without proof | agents:max_unauthenticated | - | gateway/agents/admission.py
! sessions | agents:max_sessions | - | gateway/agents/desk.py
! handshakes a second | agents:handshakes_per_second | - | gateway/agents/admission.py
! enrolments a second | agents:enrolments_per_second | - | gateway/agents/enrolment.py
! enrolments a second, an address | agents:enrolments_per_peer | - | gateway/agents/enrolment.py
! messages a second, an agent | agents:messages_per_second | - | gateway/agents/pace.py
! fragments of a message | gateway.agents.socket:MAX_FRAGMENTS | - | there
! a message of an agent | libs.protocol.codec:MAX_MESSAGE_BYTES | bytes | gateway/agents/server.py
output in flight, a task | agents:window_bytes | bytes | agent/outbox.py
waiting for a slow agent | agents:downlink_buffer_bytes | bytes | gateway/agents/socket.py

## On the host
! a signed message | libs.protocol.codec:MAX_SIGNED_BYTES | bytes | agent/link.py
! header of a piece of output | libs.protocol.codec:MAX_HEADER_BYTES | bytes | there
! a piece of output | libs.protocol.codec:MAX_CHUNK_BYTES | bytes | there
orders that wait | agent.session:MAX_WAITING | - | there
arguments and environment | agent.environment:MAX_ENVIRONMENT_BYTES | bytes | there
one of them | agent.environment:MAX_VALUE_BYTES | bytes | there
! values for later steps | libs.protocol.payload:MAX_OUTPUT_BYTES | bytes | agent/outputs.py
"""
