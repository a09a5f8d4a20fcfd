"""Pictures that a login asks for after failures."""
