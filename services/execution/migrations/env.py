"""Runs the migrations of the execution service's database."""

from libs.kit.migrate import run_environment
from services.execution.models import Base

run_environment(Base.metadata)
