"""Groups of hosts, as a tree; a host may be in several."""
