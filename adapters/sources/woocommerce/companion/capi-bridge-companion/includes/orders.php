<?php
/**
 * Orders: identity and consent are written to the order while the buyer's browser is there.
 *
 * License: GPL-2.0-or-later
 */

namespace CapiBridge\Companion;

defined( 'ABSPATH' ) || exit;

const IDENTITY_META = [ '_bridge_fbp', '_bridge_fbc', '_bridge_url', '_bridge_cart' ];

/** Writes what the bridge reads of an order. A second attempt at paying overwrites the first. */
function write_signals( $order ): void {
	$at         = (int) round( 1000 * microtime( true ) );
	$consent    = consent( $at );
	$places     = [ $order->get_billing_country(), customer_country() ];
	$identified = may_identify( $consent, $places );
	$visitor    = $identified ? visitor( $at ) : [];
	$meta       = [
		'_bridge_fbp'          => $visitor['fbp'] ?? '',
		'_bridge_fbc'          => fbc( $visitor ),
		'_bridge_url'          => $visitor['url'] ?? '',
		'_bridge_cart'         => $identified && WC()->session ? cart_key() : '',
		'_bridge_consent'      => consent_word( $consent ),
		'_bridge_role'         => role(),
		'_bridge_subscription' => begins_subscription() ? '1' : '',
	];
	foreach ( $meta as $key => $value ) {
		'' === $value ? $order->delete_meta_data( $key ) : $order->update_meta_data( $key, $value );
	}
}

/** Returns the buyer's first role in the shop, by which the bridge may leave orders out; empty for a guest. */
function role(): string {
	$roles = array_values( (array) wp_get_current_user()->roles );
	return (string) ( $roles[0] ?? '' );
}

/** Returns whether the order begins a subscription of WooCommerce Subscriptions; a renewal does not. */
function begins_subscription(): bool {
	return class_exists( 'WC_Subscriptions_Cart' ) && \WC_Subscriptions_Cart::cart_contains_subscription();
}

/** Returns Meta's cookie, else one made of a real click with its time in ms; index 1: no cookie was set. */
function fbc( array $visitor ): string {
	$made = isset( $visitor['fbclid'] ) ? "fb.1.{$visitor['fbclid_at']}.{$visitor['fbclid']}" : '';
	return $visitor['fbc'] ?? $made;
}

/** Returns the meta that WooCommerce removes with an order's personal data; consent stays as proof. */
function erasable_meta( array $meta ): array {
	return $meta + array_fill_keys( IDENTITY_META, 'text' );
}
