"""The whole platform on one machine: a supervisor that imports once and forks every process."""
