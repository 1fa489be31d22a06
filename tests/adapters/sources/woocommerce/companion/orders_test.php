<?php
/** Identity and consent on orders, from both checkouts. */

function buy( Order $order, string $hook = 'woocommerce_checkout_create_order' ): array {
	World::$now->on['ajax']       = true;
	$_REQUEST['_wp_http_referer'] = '/checkout/';
	do_action( $hook, $order, [] );
	return $order->meta;
}

function answer( string $cookie ): void {
	World::$now->consent_type        = 'optin';
	World::$now->has_consent         = 'allow' === $cookie;
	$_COOKIE['wp_consent_marketing'] = $cookie;
	$_COOKIE['_fbp']                 = 'fb.1.1795426800000.1122334455';
	$_COOKIE['_fbc']                 = 'fb.1.1795426812000.IwAR0abc';
}

return [
	'an order with consent carries all signals, from both checkouts' => function () {
		foreach ( [ 'woocommerce_checkout_create_order', 'woocommerce_store_api_checkout_update_order_meta' ] as $hook ) {
			World::begin();
			answer( 'allow' );
			$meta = buy( new Order(), $hook );
			same( 1, preg_match( '/^[0-9a-f]{32}$/D', $meta['_bridge_cart'] ) );
			unset( $meta['_bridge_cart'] );
			same(
				[
					'_bridge_fbp'     => 'fb.1.1795426800000.1122334455',
					'_bridge_fbc'     => 'fb.1.1795426812000.IwAR0abc',
					'_bridge_url'     => 'https://shop.example/checkout/',
					'_bridge_consent' => 'v1;marketing=1;source=wp_consent_api;ts=1795426815000',
				],
				$meta
			);
		}
	},
	'an order carries the key of its cart' => function () {
		listen();
		answer( 'allow' );
		$body = add( 'a', new Product( 10, '14.90' ), 1 )[0];
		same( $body['cart'], buy( new Order() )['_bridge_cart'] );
	},
	'a denial is all that is kept, also at the second attempt' => function () {
		answer( 'allow' );
		$order = new Order();
		buy( $order );
		answer( 'deny' );
		same( [ '_bridge_consent' ], array_keys( buy( $order ) ) );
		same( 'v1;marketing=0;source=wp_consent_api;ts=1795426815000', $order->meta['_bridge_consent'] );
	},
	'the country of the bill asks for consent too' => function () {
		World::$now->place = [ 'US', '' ];
		$_COOKIE['_fbp']   = 'fb.1.1795426800000.1122334455';
		$order             = new Order();
		same( true, isset( buy( $order )['_bridge_fbp'] ) );
		$order->country = 'FR';
		same( false, isset( buy( $order )['_bridge_fbp'] ) );
		same( 'v1;source=none;ts=1795426815000', $order->meta['_bridge_consent'] );
	},
	'fbc is made of a real click alone, in milliseconds' => function () {
		answer( 'allow' );
		unset( $_COOKIE['_fbc'] );
		same( false, isset( buy( new Order() )['_bridge_fbc'] ) );
		$_COOKIE['sbjs_current_add'] = 'fd=2026-11-23 09:40:12|||ep=https://shop.example/?fbclid=IwAR0old|||rf=x';
		same( 'fb.1.1795426812000.IwAR0old', buy( new Order() )['_bridge_fbc'] );
	},
	'an order without a session has no key of a cart' => function () {
		World::$now->on['session'] = false;
		answer( 'allow' );
		same( false, isset( buy( new Order() )['_bridge_cart'] ) );
		same( [], World::$now->logged );
	},
	'an order tells the role of an account and the start of a subscription, whatever was consented to' => function () {
		answer( 'deny' );
		World::$now->roles              = [ 3 => 'wholesale', 4 => 'customer' ];
		World::$now->on['subscription'] = true;
		$meta                           = buy( new Order() );
		same( [ 'wholesale', '1' ], [ $meta['_bridge_role'], $meta['_bridge_subscription'] ] );
	},
	'WordPress\'s eraser removes the identity and leaves the proof of consent' => function () {
		$meta = apply_filters( 'woocommerce_privacy_remove_order_personal_data_meta', [ 'Payer' => 'text' ] );
		same( [ 'Payer', '_bridge_fbp', '_bridge_fbc', '_bridge_url', '_bridge_cart' ], array_keys( $meta ) );
	},
];
