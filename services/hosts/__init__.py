"""The inventory and the fleet: hosts, groups, agents and how they enrol."""
