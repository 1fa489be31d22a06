<?php
/**
 * Plugin Name:          CAPI Bridge Companion
 * Description:          Tells a capi-bridge about carts, checkouts and consent, through WooCommerce's own signed webhooks. No page view waits for it.
 * Version:              0.1.0
 * Requires at least:    6.2
 * Requires PHP:         7.4
 * Requires Plugins:     woocommerce
 * WC requires at least: 8.2
 * WC tested up to:      11.0
 * Author:               The capi-bridge authors
 * License:              GPL-2.0-or-later
 * License URI:          https://www.gnu.org/licenses/gpl-2.0.html
 * Text Domain:          capi-bridge-companion
 * Domain Path:          /languages
 *
 * What listens to what; the parts are in includes/.
 */

namespace CapiBridge\Companion;

defined( 'ABSPATH' ) || exit;

foreach ( [ 'captures', 'topics', 'consent', 'visitor', 'carts', 'orders', 'network', 'settings' ] as $part ) {
	require_once __DIR__ . "/includes/$part.php";
}

/** Returns *$function* of ours so that a fault in it never costs the shop a sale. */
function quietly( string $function ): callable {
	return static function ( ...$arguments ) use ( $function ) {
		try {
			( __NAMESPACE__ . '\\' . $function )( ...$arguments );
		} catch ( \Throwable $fault ) { // The text may hold a visitor's data: only its kind and place are told.
			$place = basename( $fault->getFile() ) . ':' . $fault->getLine();
			wc_get_logger()->error( get_class( $fault ) . " at $place", [ 'source' => 'capi-bridge-companion' ] );
		}
	};
}

// The shop's events. 50: after plug-ins that set a product's price when it is added.
add_action( 'woocommerce_add_to_cart', quietly( 'item_added' ), 50, 3 );
add_action( 'template_redirect', quietly( 'page_opened' ), 99 );
add_action( 'woocommerce_cart_emptied', quietly( 'forget_cart' ) );
add_action( 'woocommerce_checkout_create_order', quietly( 'write_signals' ) ); // The classic checkout.
add_action( 'woocommerce_store_api_checkout_update_order_meta', quietly( 'write_signals' ) ); // Blocks.

// WooCommerce's queue of signed webhooks.
add_filter( 'woocommerce_valid_webhook_resources', __NAMESPACE__ . '\webhook_resources' );
add_filter( 'woocommerce_valid_webhook_events', __NAMESPACE__ . '\webhook_events' );
add_filter( 'woocommerce_webhook_topic_hooks', __NAMESPACE__ . '\webhook_hooks' );
add_filter( 'woocommerce_webhook_topics', __NAMESPACE__ . '\webhook_labels' );
add_filter( 'woocommerce_webhook_payload', __NAMESPACE__ . '\webhook_payload', 10, 3 );

// Keeping, erasing, administration.
add_action( 'init', __NAMESPACE__ . '\install' );
add_action( 'capi_bridge_purge', __NAMESPACE__ . '\remove_expired' );
add_filter( 'woocommerce_privacy_remove_order_personal_data_meta', __NAMESPACE__ . '\erasable_meta' );
add_filter( 'http_request_host_is_external', __NAMESPACE__ . '\host_is_external', 10, 3 );
add_filter( 'http_allowed_safe_ports', __NAMESPACE__ . '\safe_ports', 10, 3 );
add_action( 'admin_menu', __NAMESPACE__ . '\add_page', 60 );
add_action( 'admin_post_capi_bridge_save', __NAMESPACE__ . '\save' );
register_deactivation_hook( __FILE__, __NAMESPACE__ . '\remove_captures' );

add_action(
	'init',
	static function () {
		load_plugin_textdomain( 'capi-bridge-companion', false, basename( __DIR__ ) . '/languages' );
	}
);
add_action(
	'before_woocommerce_init',
	static function () {
		if ( class_exists( \Automattic\WooCommerce\Utilities\FeaturesUtil::class ) ) {
			foreach ( [ 'custom_order_tables', 'cart_checkout_blocks' ] as $feature ) {
				\Automattic\WooCommerce\Utilities\FeaturesUtil::declare_compatibility( $feature, __FILE__, true );
			}
		}
	}
);
