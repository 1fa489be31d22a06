#!/usr/bin/env bash
# Posts a lead to the bridge: BRIDGE_URL=... BRIDGE_SECRET=... ./send.sh lead.json
# openssl shows the secret to other users of this machine: run it where you are alone.
set -euo pipefail

signature=$(openssl dgst -sha256 -hmac "$BRIDGE_SECRET" <"$1" | sed 's/^.* //')

# --data-binary sends the very bytes that were signed; --fail ends with an error unless 2xx.
curl --silent --show-error --fail --max-time 10 --retry 3 \
  --header "Content-Type: application/json" \
  --header "X-Bridge-Signature: sha256=$signature" \
  --data-binary "@$1" \
  "$BRIDGE_URL"
