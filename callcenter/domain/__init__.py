"""The rules of the hotline: pure and synchronous, no clock, no I/O, no logging."""
