"""Shopify's own app for Meta, by its level of data sharing, and how it is stopped.

Its event ids are its own, and orders carry no mark of it; from level Maximum on it also sends
from Shopify's servers.  Source: help.littledata.io, facebook-capi, how it works (read
2026-11-23); the admin's menu is told as merchants tell it.
"""

from bridge.events import OtherSender

SWITCH = {
    "en": "In the Shopify admin open Sales channels > Facebook & Instagram > Settings > "
    "Customer data-sharing (Share data) and switch it off, or choose another dataset there. "
    "The catalogue goes on without it.",
    "fr": "Dans l’admin Shopify, ouvrez Canaux de vente > Facebook & Instagram > Paramètres > "
    "Partage des données client et coupez-le, ou choisissez-y un autre ensemble de données. Le "
    "catalogue continue sans lui.",
}
STANDARD = OtherSender(
    name="shopify_app_standard",
    label={
        "en": "Facebook & Instagram app, level Standard",
        "fr": "Application Facebook & Instagram, niveau Standard",
    },
    switch=SWITCH,
)
ENHANCED = OtherSender(
    name="shopify_app_enhanced",
    label={
        "en": "Facebook & Instagram app, level Enhanced",
        "fr": "Application Facebook & Instagram, niveau Amélioré",
    },
    switch=SWITCH,
)
MAXIMUM = OtherSender(
    name="shopify_app_maximum",
    label={
        "en": "Facebook & Instagram app, level Maximum",
        "fr": "Application Facebook & Instagram, niveau Maximum",
    },
    sides=("browser", "server"),
    switch=SWITCH,
)
OTHER_SENDERS = (STANDARD, ENHANCED, MAXIMUM)
