"""What a service is: declared once as a Service, composed anywhere as a FastAPI app."""

from libs.kit.service.assembly import (
    Assembly,
    Runtime,
    Service,
    create_app,
    end_process,
    entering,
    jobs_of,
    provided,
)
from libs.kit.service.routes import Ready
from libs.kit.service.schemas import Choice, Moment, Row, Schema, refuse_null

__all__ = [
    "Assembly",
    "Choice",
    "Moment",
    "Ready",
    "Row",
    "Runtime",
    "Schema",
    "Service",
    "create_app",
    "end_process",
    "entering",
    "jobs_of",
    "provided",
    "refuse_null",
]
