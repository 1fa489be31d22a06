<?php
/** Topics and captures: what WooCommerce's queue sees, and how long anything is kept. */

use function CapiBridge\Companion\{find_capture, install, keep_capture, remove_expired, tell};

const ID = '0123456789abcdef0123456789abcdef';

return [
	'the topics are valid for WooCommerce and keep those that are there' => function () {
		same( [ 'order', 'cart', 'checkout' ], apply_filters( 'woocommerce_valid_webhook_resources', [ 'order' ] ) );
		same( [ 'created', 'item_added', 'started', 'paid' ], apply_filters( 'woocommerce_valid_webhook_events', [ 'created' ] ) );
		$hooks = apply_filters( 'woocommerce_webhook_topic_hooks', [ 'order.created' => [ 'x' ] ] );
		same( [ 'order.created', 'cart.item_added', 'checkout.started', 'order.paid' ], array_keys( $hooks ) );
		same( array_keys( $hooks ), array_keys( apply_filters( 'woocommerce_webhook_topics', [ 'order.created' => 'x' ] ) ) );
	},
	'only the key goes through the queue' => function () {
		tell( 'cart.item_added', [ 'id' => ID, 'secret' => 'x' ] );
		same( [ [ 'capi_bridge_cart_item_added', [ ID ] ] ], World::$now->queued );
		same( [ 'id' => ID, 'secret' => 'x' ], bodies( 'cart.item_added' )[0] );
	},
	'what cannot be kept is not told' => function () {
		World::$now->on['table'] = false;
		tell( 'cart.item_added', [ 'id' => ID ] );
		same( [], World::$now->queued );
	},
	'a capture of the past is told as expired' => function () {
		keep_capture( [ 'id' => ID ] );
		World::$now->clock += 2 * DAY_IN_SECONDS - 1;
		same( [ 'id' => ID ], find_capture( ID ) );
		++World::$now->clock;
		$body = apply_filters( 'woocommerce_webhook_payload', [], 'cart', ID, 7 );
		same( [ 'id' => ID, 'expired' => true ], $body );
	},
	'the bodies of orders stay WooCommerce\'s' => function () {
		same( [ 'id' => 5 ], apply_filters( 'woocommerce_webhook_payload', [ 'id' => 5 ], 'order', 5, 7 ) );
	},
	'the hourly purge deletes what is too old' => function () {
		keep_capture( [ 'id' => ID ] );
		World::$now->clock += DAY_IN_SECONDS;
		keep_capture( [ 'id' => strrev( ID ) ] );
		World::$now->clock += DAY_IN_SECONDS;
		remove_expired();
		same( [ strrev( ID ) ], array_keys( World::$now->rows ) );
	},
	'the table and its purge are made once' => function () {
		install();
		install();
		same( 1, count( World::$now->queries ) );
		same( World::$now->clock + HOUR_IN_SECONDS, World::$now->scheduled['capi_bridge_purge'] );
	},
	'deactivation deletes all captures' => function () {
		install();
		do_action( 'deactivate' );
		same( 'DROP TABLE IF EXISTS wp_capi_bridge_captures', World::$now->queries[1] );
		same( [ [], [] ], [ World::$now->scheduled, World::$now->options ] );
	},
	'uninstalling leaves no option, table or schedule' => function () {
		install();
		World::$now->options += [ 'capi_bridge_settings' => [ 'private' => true ], 'capi_bridge_robots' => 3, 'other' => 1 ];
		define( 'WP_UNINSTALL_PLUGIN', 'capi-bridge-companion' );
		require getenv( 'COMPANION' ) . '/uninstall.php';
		same( [ 'other' => 1 ], World::$now->options );
		same( [], World::$now->scheduled );
		same( 'DROP TABLE IF EXISTS wp_capi_bridge_captures', World::$now->queries[1] );
	},
];
