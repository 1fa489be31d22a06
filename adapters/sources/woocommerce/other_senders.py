"""Other plug-ins of a WooCommerce shop that report its sales to Meta, and how they are stopped."""

from bridge.events import OtherSender

# It stores the event id in the order (_meta_event_id), for its pixel and its server event, and
# marks the order before it sends.  It has no switch for its server events alone.
# Source: facebook/facebook-for-woocommerce 3.7.6, facebook-commerce-events-tracker.php
# (read 2026-11-23).
META = OtherSender(
    name="meta_for_woocommerce",
    label={"en": "Meta for WooCommerce", "fr": "Meta for WooCommerce"},
    sides=("browser", "server"),
    ids="shared",
    marks_orders=True,
    switch={
        "en": "It has no switch for its server events alone. To keep its catalogue and stop all "
        "its events, add to your theme's functions.php: "
        "add_filter( 'facebook_for_woocommerce_integration_pixel_enabled', '__return_false' ); "
        "or deactivate it under Plugins.",
        "fr": "Elle n’a pas de réglage pour ses seuls événements serveur. Pour garder son "
        "catalogue et arrêter tous ses événements, ajoutez au functions.php de votre thème : "
        "add_filter( 'facebook_for_woocommerce_integration_pixel_enabled', '__return_false' ); "
        "ou désactivez-la sous Extensions.",
    },
)
# Source: wordpress.org, pixelyoursite readme 11.2.0.5 (read 2026-11-23): server events are of
# the paid edition; the ids of its events are its own.
PIXEL_YOUR_SITE = OtherSender(
    name="pixel_your_site",
    label={"en": "PixelYourSite", "fr": "PixelYourSite"},
    sides=("browser", "server"),
    switch={
        "en": "In WordPress open PixelYourSite > WooCommerce > Track Purchases and switch off the "
        "Purchase event for Meta; its other events may stay.",
        "fr": "Dans WordPress, ouvrez PixelYourSite > WooCommerce > Track Purchases et coupez "
        "l’événement Purchase pour Meta ; ses autres événements peuvent rester.",
    },
)
OTHER_SENDERS = (META, PIXEL_YOUR_SITE)
