"""The way to the signer, who is a process of its own."""
