<?php
/** Carts and checkouts, from WooCommerce's actions to the bodies of its webhooks. */

function mug(): Product {
	return new Product( 10, '14.90', 0, 'MUG-BLUE' );
}

function tee(): Product {
	return new Product( 12, '19.90', 11, 'TEE-M' );
}

function grant(): void {
	World::$now->consent_type        = 'optin';
	World::$now->has_consent         = true;
	$_COOKIE['wp_consent_marketing'] = 'allow';
	$_COOKIE['_fbp']                 = 'fb.1.1795426800000.1122334455';
}

return [
	'an added item is told in the quantity that was added' => function () {
		listen();
		grant();
		list( $body ) = add( 'a', mug(), 2 );
		same( [ '29.80', '4.76', 'EUR' ], [ $body['total'], $body['total_tax'], $body['currency'] ] );
		same( [ 10, 0, 'MUG-BLUE', '25.04' ], [ $body['line_items'][0]['product_id'], $body['line_items'][0]['variation_id'], $body['line_items'][0]['sku'], $body['line_items'][0]['total'] ] );
		same( 1, preg_match( '/^[0-9a-f]{32}$/D', $body['id'] ) );
		same( 1795426815000, $body['at'] );
	},
	'a variation is told with its product' => function () {
		listen();
		$line = add( 'b', tee(), 1 )[0]['line_items'][0];
		same( [ 11, 12 ], [ $line['product_id'], $line['variation_id'] ] );
	},
	'an address that is known decides on the tax' => function () {
		listen();
		World::$now->place[1] = 'US';
		$body                 = add( 'a', mug(), 1 )[0];
		same( [ '12.52', '0.00' ], [ $body['total'], $body['total_tax'] ] );
	},
	'the shop\'s own taxes stay as they are' => function () {
		listen();
		add( 'a', mug(), 1 );
		same( false, has_action( 'woocommerce_get_tax_location' ) );
	},
	'all events of a cart share its key, and no two their id' => function () {
		listen();
		grant();
		add( 'a', mug(), 1 );
		$bodies   = add( 'b', tee(), 1 );
		$bodies[] = open_checkout()[0];
		same( 3, count( array_unique( array_column( $bodies, 'id' ) ) ) );
		same( 1, count( array_unique( array_column( $bodies, 'cart' ) ) ) );
		same( 1, preg_match( '/^[0-9a-f]{32}$/D', $bodies[0]['cart'] ) );
	},
	'an emptied cart is another one' => function () {
		listen();
		grant();
		add( 'a', mug(), 1 );
		do_action( 'woocommerce_cart_emptied' );
		same( 2, count( array_unique( array_column( add( 'a', mug(), 1 ), 'cart' ) ) ) );
	},
	'a checkout is told once for each content of the cart' => function () {
		listen();
		fill( 'a', mug(), 1 );
		same( 1, count( open_checkout() ) );
		same( 1, count( open_checkout() ) );
		World::$now->place[1] = 'DE'; // An address changes totals, not the content.
		same( 1, count( open_checkout() ) );
		fill( 'b', tee(), 1 );
		same( 2, count( open_checkout() ) );
		unset( World::$now->cart['b'] );
		same( 2, count( array_unique( array_column( open_checkout(), 'id' ) ) ) );
	},
	'a checkout adds up' => function () {
		listen();
		fill( 'a', mug(), 2 );
		fill( 'b', tee(), 1 );
		World::$now->cart['a']['line_total'] -= 2;
		$body  = open_checkout()[0];
		$items = array_sum( array_column( $body['line_items'], 'subtotal' ) );
		$sum   = $items - $body['discount_total'] + $body['shipping_total'] + $body['total_tax'];
		same( $body['total'], number_format( $sum, 2, '.', '' ) );
		same( '2.00', $body['discount_total'] );
	},
	'no checkout is an empty cart, another page or the thank-you page' => function () {
		listen();
		same( [], open_checkout() );
		fill( 'a', mug(), 1 );
		World::$now->on['received'] = true;
		same( [], open_checkout() );
		World::$now->on = [ 'received' => false, 'checkout' => false ] + World::$now->on;
		do_action( 'template_redirect' );
		same( [], bodies( 'checkout.started' ) );
	},
	'who granted consent is identified' => function () {
		listen();
		grant();
		$body = add( 'a', mug(), 1 )[0];
		same( 'fb.1.1795426800000.1122334455', $body['visitor']['fbp'] );
		same( 'https://shop.example/product/blue-mug/', $body['visitor']['url'] );
		same( [ 'marketing' => true, 'sale' => null, 'source' => 'wp_consent_api', 'at' => 1795426815000 ], $body['consent'] );
	},
	'of who said no, or nothing where consent is asked for first, only that is kept' => function () {
		foreach ( [ [ 'optin', 'deny', 'US' ], [ '', '', 'DE' ] ] as list( $type, $cookie, $shop ) ) {
			World::begin();
			listen();
			grant();
			World::$now->consent_type        = $type;
			World::$now->has_consent         = false;
			World::$now->place[0]            = $shop;
			World::$now->user                = 7;
			$_COOKIE['wp_consent_marketing'] = $cookie;
			$_SERVER['REQUEST_URI']          = '/?fbclid=IwAR0abc';
			$_SERVER['HTTP_REFERER']         = 'https://l.facebook.com/';
			add( 'a', mug(), 1 );
			$kept = array_values( World::$now->rows )[0]['body'];
			foreach ( [ '198.51.100.61', 'Mozilla', 'fb.1', 'IwAR0abc', 'https:', 'customer_id' ] as $word ) {
				same( false, strpos( $kept, $word ), $word );
			}
			same( '' === $type ? null : false, json_decode( $kept )->consent->marketing );
			same( null, json_decode( $kept )->cart );
		}
	},
	'the visitor\'s country is kept always, for the bridge to judge by' => function () {
		listen();
		World::$now->place = [ 'US', 'FR' ];
		$body              = add( 'a', mug(), 1 )[0];
		same( [ 'FR', 'US', [] ], [ $body['country'], $body['shop_country'], $body['visitor'] ] );
	},
	'without a webhook that waits for it nothing is kept' => function () {
		same( [], add( 'a', mug(), 1 ) );
		same( [], open_checkout() );
		same( [], World::$now->rows );
	},
	'without a session nothing is kept' => function () {
		listen();
		World::$now->on['session'] = false;
		same( [], add( 'a', mug(), 1 ) );
		do_action( 'woocommerce_cart_emptied' );
		same( [], World::$now->logged );
	},
	'of robots only their number is kept' => function () {
		listen();
		$_SERVER['HTTP_USER_AGENT'] = 'Googlebot/2.1';
		add( 'a', mug(), 1 );
		open_checkout();
		same( [], World::$now->rows );
		same( 2, World::$now->options['capi_bridge_robots'] );
	},
	'a fault never stops the shop, and its text stays out of the log' => function () {
		listen();
		add_filter( 'capi_bridge_consent', function () {
			throw new RuntimeException( 'zoe@example.com' );
		} );
		same( [], add( 'a', mug(), 1 ) );
		same( 1, count( World::$now->logged ) );
		same( 1, preg_match( '/^RuntimeException at carts_test\.php:\d+$/', World::$now->logged[0] ) );
	},
];
