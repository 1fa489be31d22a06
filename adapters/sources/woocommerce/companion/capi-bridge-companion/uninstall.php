<?php
/**
 * Leaves nothing behind but what was written to orders: that is part of the sale and of the proof
 * of consent, belongs to the merchant, and is removed with an order's personal data.
 *
 * License: GPL-2.0-or-later
 */

namespace CapiBridge\Companion;

defined( 'WP_UNINSTALL_PLUGIN' ) || exit;

require_once __DIR__ . '/includes/captures.php';

/** Removes captures and options of the site that is current. */
function remove_all(): void {
	remove_captures();
	delete_option( 'capi_bridge_settings' );
	delete_option( 'capi_bridge_robots' );
}

if ( is_multisite() ) {
	$sites = get_sites( [ 'fields' => 'ids', 'number' => 0 ] );
	foreach ( $sites as $site ) {
		switch_to_blog( $site );
		remove_all();
		restore_current_blog();
	}
} else {
	remove_all();
}
