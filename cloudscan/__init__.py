"""cloudscan: who outside the intended circle can reach which file, and what to do first."""
