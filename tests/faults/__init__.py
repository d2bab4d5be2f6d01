"""Proof of the publishing protocol under faults: real workers, killed, frozen and lied to, against the real sandbox.

`python -m tests.faults` (or `make faults`) plays every case, the sweeps over single lines and the soak, and prints what
became of each post. `test_*.py` here are a small part of it for every day.
"""
