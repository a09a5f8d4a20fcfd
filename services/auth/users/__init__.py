"""The directory of users, for those who administer it."""
