"""The wire between agent gateway and agent; standard library only, Python 3.9 and newer."""
