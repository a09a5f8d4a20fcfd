"""Approvals: the consent of others to exactly one content, before it may be used."""
