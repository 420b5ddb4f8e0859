"""How Google is asked: one client, typed answers, pages."""
