<?php
/** The screen under WooCommerce, and the private network. */

use function CapiBridge\Companion\{cron_status, save, show_page, status};

function external( string $url ): bool {
	return apply_filters( 'http_request_host_is_external', false, parse_url( $url, PHP_URL_HOST ), $url );
}

function ports( string $url ): array {
	return apply_filters( 'http_allowed_safe_ports', [ 80, 443, 8080 ], parse_url( $url, PHP_URL_HOST ), $url );
}

function set_bridge( string $url, bool $private = true ): void {
	World::$now->options['capi_bridge_settings'] = [ 'bridge_url' => $url, 'private' => $private ];
}

function save_it( array $form ): string {
	$_POST = $form;
	try {
		save();
	} catch ( Stop $stop ) {
		return $stop->getMessage();
	}
	return '';
}

return [
	'nothing in a private network may be reached before it is allowed' => function () {
		same( false, external( 'http://10.0.0.5:9000/webhooks/x' ) );
		set_bridge( 'http://10.0.0.5:9000', false );
		same( false, external( 'http://10.0.0.5:9000/webhooks/x' ) );
		same( [ 80, 443, 8080 ], ports( 'http://10.0.0.5:9000/webhooks/x' ) );
		set_bridge( '' );
		same( false, external( 'http://10.0.0.5:9000/' ) );
	},
	'the bridge\'s own address and port may be reached, and no other' => function () {
		set_bridge( 'http://Bridge.Local:9000/' );
		same( true, external( 'http://bridge.local:9000/webhooks/x' ) );
		same( [ 80, 443, 8080, 9000 ], ports( 'http://bridge.local:9000/webhooks/x' ) );
		foreach ( [ 'http://bridge.local:22/', 'http://bridge.local/', 'http://10.0.0.1:9000/', 'http://bridge.local.evil.test:9000/', 'http://bridge.local:9000@evil.test/', 'http://[' ] as $other ) {
			same( false, (bool) apply_filters( 'http_request_host_is_external', false, 'bridge.local', $other ), $other );
			same( [ 80, 443, 8080 ], apply_filters( 'http_allowed_safe_ports', [ 80, 443, 8080 ], 'bridge.local', $other ), $other );
		}
	},
	'the form is stored' => function () {
		same( 'https://shop.example/wp-admin/admin.php?page=capi-bridge', save_it( [ 'bridge_url' => 'http://10.0.0.5:9000', 'private' => '1' ] ) );
		same( [ 'bridge_url' => 'http://10.0.0.5:9000', 'private' => true ], World::$now->options['capi_bridge_settings'] );
		save_it( [ 'bridge_url' => 'javascript:alert(1)' ] );
		same( [ 'bridge_url' => '', 'private' => false ], World::$now->options['capi_bridge_settings'] );
	},
	'the form is for those who may manage the shop, from its own page' => function () {
		World::$now->on['nonce'] = false;
		same( 'nonce', save_it( [ 'bridge_url' => 'http://10.0.0.5:9000' ] ) );
		World::$now->on = [ 'nonce' => true, 'allowed' => false ] + World::$now->on;
		same( 'died', save_it( [ 'bridge_url' => 'http://10.0.0.5:9000' ] ) );
		same( [], World::$now->options );
	},
	'the page is for those who may manage the shop' => function () {
		do_action( 'admin_menu' );
		same( 'manage_woocommerce', World::$now->queued[1][1][3] );
	},
	'the page shows what is told and escapes it' => function () {
		set_bridge( 'http://10.0.0.5:9000/"><script>' );
		World::$now->webhooks = [ 1 => new Webhook( [ '<b>', 'http://10.0.0.5:9000/webhooks/k' ] ) ];
		ob_start();
		show_page();
		$page = ob_get_clean();
		same( [ false, false ], [ strpos( $page, '<script>' ), strpos( $page, '<b>' ) ] );
		same( true, false !== strpos( $page, '<nonce capi_bridge_save>' ) );
	},
	'webhooks are found by the bridge\'s address, else by our topics' => function () {
		World::$now->webhooks = [
			1 => new Webhook( [ 'order.updated', 'https://bridge.example/webhooks/k' ] ),
			2 => new Webhook( [ 'cart.item_added', 'https://bridge.example/webhooks/k', 'disabled' ] ),
			3 => new Webhook( [ 'order.updated', 'https://other.example/' ] ),
			4 => null,
		];
		same( 'cart.item_added (disabled)', status()[0][1] );
		set_bridge( 'https://bridge.example', false );
		same( 'order.updated (active), cart.item_added (disabled)', status()[0][1] );
		set_bridge( 'https://none.example', false );
		same( 'none goes to the bridge yet: connect the shop there', status()[0][1] );
	},
	'the last capture is told by its age' => function () {
		same( 'none within two days', status()[1][1] );
		CapiBridge\Companion\keep_capture( [ 'id' => 'x' ] );
		World::$now->clock += 90;
		same( '90 seconds ago', status()[1][1] );
	},
	'a cron that nobody runs is told' => function () {
		same( 'run by the server', cron_status( true ) );
		same( 'run by visits', substr( cron_status( false ), 0, 13 ) );
		World::$now->scheduled['action_scheduler_run_queue'] = World::$now->clock - 601;
		same( 'late by more', substr( cron_status( true ), 0, 12 ) );
	},
];
