"""Benchmarks: each module measures one thing and gives figures; they are not tests."""
