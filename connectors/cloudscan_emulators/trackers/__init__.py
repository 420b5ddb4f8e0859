"""Trackers: GitHub, GitLab, Jira, Backlog, ServiceNow and a webhook, as far as tickets need them."""
