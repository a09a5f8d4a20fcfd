"""Looking for text in the output of an execution and across its hosts."""
