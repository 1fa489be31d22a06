"""Ratios measured in one run against a reference; never asserted by a test."""
