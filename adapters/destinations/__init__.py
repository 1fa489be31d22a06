"""Advertising platforms: where events go to."""
