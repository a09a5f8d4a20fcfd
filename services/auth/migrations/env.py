"""Alembic's entry for auth."""

from libs.kit.migrate import run_environment
from services.auth.models import Base

run_environment(Base.metadata)
