"""Groups of users, who are given roles and grants together."""
