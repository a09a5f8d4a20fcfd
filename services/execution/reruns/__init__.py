"""Executions that repeat an earlier one as a new record, and the chain that they form."""
