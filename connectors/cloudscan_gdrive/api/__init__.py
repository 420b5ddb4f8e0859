"""How Google is asked: one client, typed answers, lists page by page."""
