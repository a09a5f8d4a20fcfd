"""Logging in with a password that an LDAP directory or an Active Directory knows."""
