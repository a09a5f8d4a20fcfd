"""The agent: runs on managed hosts, speaks the agent protocol and knows nothing else of ours."""

__version__ = "0.1.0"
