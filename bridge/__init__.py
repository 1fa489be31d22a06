"""capi-bridge: shop webhooks become Meta Conversions API events.  Imports nothing."""
