<?php
/**
 * Carts and checkouts: an item was added, a checkout was opened.
 *
 * Bodies have the shape of an order's (line_items, total, total_tax ...), so that money means the
 * same everywhere: totals of lines are without tax, `total` is with it.
 *
 * License: GPL-2.0-or-later
 */

namespace CapiBridge\Companion;

defined( 'ABSPATH' ) || exit;

/** Tells of one item that was added, with the quantity that was added. */
function item_added( $item_key, $product_id, $quantity ): void {
	$item = WC()->cart ? WC()->cart->get_cart_item( $item_key ) : [];
	if ( ! empty( $item['data'] ) && may_tell( 'cart.item_added' ) ) {
		tell( 'cart.item_added', event_body( new_key(), added( $item['data'], (float) $quantity ) ) );
	}
}

/** Tells of a checkout that was opened: once for each content of a cart, however often it is reloaded. */
function page_opened(): void {
	if ( ! function_exists( 'is_checkout' ) || ! is_checkout() || is_order_received_page() || is_checkout_pay_page() ) {
		return;
	}
	$cart = WC()->cart;
	if ( ! $cart || $cart->is_empty() || ! may_tell( 'checkout.started' ) ) {
		return;
	}
	$id = checkout_id( cart_key(), $cart->get_cart() );
	if ( WC()->session->get( 'capi_bridge_checkout' ) !== $id ) {
		WC()->session->set( 'capi_bridge_checkout', $id );
		tell( 'checkout.started', event_body( $id, checkout( $cart ) ) );
	}
}

/** Forgets the cart's key with its content: the next cart is another one. */
function forget_cart(): void {
	if ( WC()->session ) {
		WC()->session->set( 'capi_bridge_cart', null );
	}
}

/** Returns whether an event is to be told at all: there is a session, a listener, and no robot. */
function may_tell( string $topic ): bool {
	if ( ! WC()->session || ! is_wanted( $topic ) ) {
		return false;
	}
	if ( is_robot() ) {
		update_option( 'capi_bridge_robots', 1 + (int) get_option( 'capi_bridge_robots' ), false );
		return false;
	}
	return true;
}

function new_key(): string {
	return bin2hex( random_bytes( 16 ) );
}

/** Returns the key of this session's cart, which nobody can guess. */
function cart_key(): string {
	$key = WC()->session->get( 'capi_bridge_cart' );
	if ( ! is_string( $key ) || ! preg_match( '/^[0-9a-f]{32}$/D', $key ) ) {
		$key = new_key();
		WC()->session->set( 'capi_bridge_cart', $key );
	}
	return $key;
}

/** Returns the id of a checkout: 32 hex digits of the cart's key and content, not of its prices. */
function checkout_id( string $cart_key, array $items ): string {
	$lines = array_map(
		static fn( $item ) => (int) $item['product_id'] . ':' . (int) $item['variation_id'] . ':' . (float) $item['quantity'],
		array_values( $items )
	);
	sort( $lines, SORT_STRING );
	return substr( hash( 'sha256', "$cart_key\n" . implode( "\n", $lines ) ), 0, 32 );
}

/** Returns the body of an event: who, when, under which consent, and *$basket*. */
function event_body( string $id, array $basket ): array {
	$at         = (int) round( 1000 * microtime( true ) );
	$consent    = consent( $at );
	$country    = customer_country();
	$identified = may_identify( $consent, [ $country ] );
	return [
		'id'           => $id,
		'version'      => 1,
		'at'           => $at,
		'cart'         => $identified ? cart_key() : null,
		'country'      => $country, // Kept always: by it the bridge knows which rule of consent counts.
		'shop_country' => WC()->countries->get_base_country(),
		'consent'      => $consent,
		'visitor'      => (object) ( $identified ? visitor( $at ) : [] ),
		'currency'     => get_woocommerce_currency(),
	] + $basket;
}

/** Returns the basket of an added item. A visitor without an address is taxed where the shop is. */
function added( $product, float $quantity ): array {
	add_filter( 'woocommerce_get_tax_location', __NAMESPACE__ . '\tax_location' );
	try {
		$net   = (float) money( wc_get_price_excluding_tax( $product, [ 'qty' => $quantity ] ) );
		$gross = (float) money( wc_get_price_including_tax( $product, [ 'qty' => $quantity ] ) );
	} finally {
		remove_filter( 'woocommerce_get_tax_location', __NAMESPACE__ . '\tax_location' );
	}
	return [
		'total'      => money( $gross ),
		'total_tax'  => money( $gross - $net ),
		'line_items' => [ line( $product, $quantity, $net, $net, $gross - $net ) ],
	];
}

function tax_location( $location ) {
	$shop = WC()->countries;
	$base = [ $shop->get_base_country(), $shop->get_base_state(), $shop->get_base_postcode(), $shop->get_base_city() ];
	return empty( $location[0] ) ? $base : $location;
}

/** Returns the basket of a checkout, as the shop has counted it so far. */
function checkout( $cart ): array {
	$lines = [];
	foreach ( $cart->get_cart() as $item ) {
		$lines[] = line( $item['data'], $item['quantity'], $item['line_subtotal'], $item['line_total'], $item['line_tax'] );
	}
	return [
		'total'          => money( $cart->get_total( 'edit' ) ),
		'total_tax'      => money( $cart->get_total_tax() ),
		'discount_total' => money( $cart->get_discount_total() ),
		'shipping_total' => money( $cart->get_shipping_total() ),
		'shipping_tax'   => money( $cart->get_shipping_tax() ),
		'fee_lines'      => [
			[
				'total'     => money( $cart->get_fee_total() ),
				'total_tax' => money( $cart->get_fee_tax() ),
			],
		],
		'line_items'     => $lines,
	];
}

/** Returns one line; *$subtotal* is before discounts, both totals without tax. */
function line( $product, $quantity, $subtotal, $total, $tax ): array {
	$parent = (int) $product->get_parent_id();
	return [
		'product_id'   => $parent ?: $product->get_id(),
		'variation_id' => $parent ? $product->get_id() : 0,
		'sku'          => $product->get_sku(),
		'name'         => $product->get_name(),
		'quantity'     => $quantity,
		'subtotal'     => money( $subtotal ),
		'total'        => money( $total ),
		'total_tax'    => money( $tax ),
	];
}

function money( $amount ): string {
	return wc_format_decimal( $amount, wc_get_price_decimals() );
}
