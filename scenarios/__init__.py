"""Scenarios: what visitors of a service do. The only room that imports Locust."""
