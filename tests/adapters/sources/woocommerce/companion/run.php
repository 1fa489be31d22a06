<?php
/**
 * Runs the tests of one file: `php run.php <file>_test.php`. A test file returns functions by the
 * sentence that they hold; a warning of PHP fails a test too.
 */

error_reporting( E_ALL );
set_error_handler(
	static function ( $level, $text, $file, $line ) {
		throw new ErrorException( $text, 0, $level, $file, $line );
	}
);

require __DIR__ . '/wordpress.php';
World::begin();
require getenv( 'COMPANION' ) . '/capi-bridge-companion.php';

/** Fails unless both are the same. */
function same( $wanted, $found, string $what = '' ): void {
	if ( $wanted !== $found ) {
		throw new Exception( trim( "$what wanted " . json_encode( $wanted ) . ', found ' . json_encode( $found ) ) );
	}
}

/** Makes WooCommerce listen to our topics, as an active webhook does. */
function listen(): void {
	foreach ( [ 'capi_bridge_cart_item_added', 'capi_bridge_checkout_started' ] as $hook ) {
		add_action( $hook, static function () {} );
	}
}

/** Puts *$quantity* pieces of a product that costs *$price* with tax into the cart. */
function fill( string $key, Product $product, float $quantity ): void {
	$net                    = $product->price() * $quantity / 1.19;
	World::$now->cart[$key] = [
		'data'          => $product,
		'product_id'    => $product->get_parent_id() ?: $product->get_id(),
		'variation_id'  => $product->get_parent_id() ? $product->get_id() : 0,
		'quantity'      => $quantity,
		'line_subtotal' => $net,
		'line_total'    => $net,
		'line_tax'      => 0.19 * $net,
	];
}

/** Adds to the cart as WooCommerce does; returns the bodies that its webhooks would have. */
function add( string $key, Product $product, float $quantity ): array {
	fill( $key, $product, $quantity );
	do_action( 'woocommerce_add_to_cart', $key, $product->get_id(), $quantity, 0, [], [] );
	return bodies( 'cart.item_added' );
}

/** Opens the checkout page; returns the bodies that WooCommerce's webhooks would have. */
function open_checkout(): array {
	World::$now->on['checkout'] = true;
	do_action( 'template_redirect' );
	return bodies( 'checkout.started' );
}

/** Returns what the webhooks of *$topic* would carry by now. */
function bodies( string $topic ): array {
	$hook = apply_filters( 'woocommerce_webhook_topic_hooks', [] )[ $topic ][0];
	$keys = [];
	foreach ( World::$now->queued as list( $name, $values ) ) {
		if ( $name === $hook ) {
			$keys[] = $values[0];
		}
	}
	$build = static fn( $key ) => apply_filters( 'woocommerce_webhook_payload', [], explode( '.', $topic )[0], $key, 7 );
	return array_map( static fn( $key ) => json_decode( json_encode( $build( $key ) ), true ), $keys );
}

/** Runs the tests of *$file*; returns how many failed. */
function run_file( string $file ): int {
	$hooks  = World::$hooks;
	$faults = 0;
	foreach ( require $file as $sentence => $test ) {
		World::begin();
		World::$hooks = $hooks;
		try {
			$test();
			echo "ok      $sentence\n";
		} catch ( Throwable $fault ) {
			++$faults;
			echo "FAILED  $sentence\n        " . $fault->getMessage() . ' at ' . basename( $fault->getFile() ) . ':' . $fault->getLine() . "\n";
		}
	}
	return $faults;
}

if ( isset( $argv[1] ) ) {
	exit( run_file( $argv[1] ) ? 1 : 0 );
}
