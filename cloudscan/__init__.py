"""cloudscan: who outside the intended circle can reach which file, and what to do first."""

__version__ = "0.1.0"
