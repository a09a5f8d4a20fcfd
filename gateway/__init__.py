"""The doors to the outside: people and programs through api, agents through agents."""
