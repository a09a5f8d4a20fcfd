"""Alembic's entry for hosts."""

from libs.kit.migrate import run_environment
from services.hosts.models import Base

run_environment(Base.metadata)
