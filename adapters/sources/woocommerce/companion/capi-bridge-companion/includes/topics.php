<?php
/**
 * Topics: cart.item_added, checkout.started and order.paid for WooCommerce's own webhooks.
 *
 * So they are queued, signed, logged and switched off like every other webhook of the shop.
 * Source: woocommerce/woocommerce, class-wc-webhook.php and wc-webhook-functions.php (read 2026-11-23).
 *
 * License: GPL-2.0-or-later
 */

namespace CapiBridge\Companion;

defined( 'ABSPATH' ) || exit;

// Of order.paid WooCommerce builds the body, the whole order, because its resource is an order.
const TOPICS = [
	'cart.item_added'  => [ 'capi_bridge_cart_item_added' ],
	'checkout.started' => [ 'capi_bridge_checkout_started' ],
	'order.paid'       => [
		'woocommerce_payment_complete',
		'woocommerce_order_status_processing',
		'woocommerce_order_status_completed',
	],
];

function webhook_resources( array $resources ): array {
	return array_merge( $resources, [ 'cart', 'checkout' ] );
}

function webhook_events( array $events ): array {
	return array_merge( $events, [ 'item_added', 'started', 'paid' ] );
}

function webhook_hooks( array $hooks ): array {
	return $hooks + TOPICS;
}

/** Returns the choices of the form for webhooks. */
function webhook_labels( array $topics ): array {
	return $topics + [
		'cart.item_added'  => __( 'Cart item added (CAPI Bridge)', 'capi-bridge-companion' ),
		'checkout.started' => __( 'Checkout started (CAPI Bridge)', 'capi-bridge-companion' ),
		'order.paid'       => __( 'Order paid (CAPI Bridge)', 'capi-bridge-companion' ),
	];
}

/** Returns the body of a cart's or checkout's webhook, all others as they are. */
function webhook_payload( $payload, $resource, $id ) {
	if ( ! in_array( $resource, [ 'cart', 'checkout' ], true ) ) {
		return $payload;
	}
	return find_capture( (string) $id ) ?? [
		'id'      => $id,
		'expired' => true,
	];
}

/** Returns whether an active webhook waits for *$topic*; if none does, nothing is kept of it. */
function is_wanted( string $topic ): bool {
	return false !== has_action( TOPICS[ $topic ][0] );
}

/** Keeps *$body* and hands its key to WooCommerce's queue. */
function tell( string $topic, array $body ): void {
	if ( keep_capture( $body ) ) {
		do_action( TOPICS[ $topic ][0], $body['id'] );
	}
}
