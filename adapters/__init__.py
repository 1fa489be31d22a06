"""The dialects: one folder a shop system or advertising platform."""
