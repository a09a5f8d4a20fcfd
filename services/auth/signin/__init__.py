"""How somebody gets in: the order of the proofs that a login asks for."""
