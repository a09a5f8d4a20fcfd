"""Executions, their steps and tasks: accepting, dispatching, recording and showing them."""
