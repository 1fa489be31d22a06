<?php
/**
 * A bridge in the same private network: WordPress refuses such addresses, and most ports, for
 * webhooks. The merchant may allow the bridge's own address, and no other.
 *
 * Source: WordPress, wp-includes/http.php, wp_http_validate_url (read 2026-11-23).
 * License: GPL-2.0-or-later
 */

namespace CapiBridge\Companion;

defined( 'ABSPATH' ) || exit;

/** Returns the settings: the bridge's address, and whether it is in a private network. */
function settings(): array {
	$stored = get_option( 'capi_bridge_settings' );
	$stored = is_array( $stored ) ? $stored : [];
	return [
		'bridge_url' => (string) ( $stored['bridge_url'] ?? '' ),
		'private'    => ! empty( $stored['private'] ),
	];
}

/** Returns an address as `host:port` in lower case; an empty text if it is none. */
function origin( string $url ): string {
	$parts = wp_parse_url( $url );
	$ports = [
		'http'  => 80,
		'https' => 443,
	];
	$port  = $parts['port'] ?? $ports[ $parts['scheme'] ?? '' ] ?? 0;
	return empty( $parts['host'] ) || ! $port ? '' : strtolower( $parts['host'] ) . ":$port";
}

/** Returns whether *$url* is the bridge's, and the merchant has allowed it. */
function is_allowed( string $url ): bool {
	$settings = settings();
	$bridge   = $settings['private'] ? origin( $settings['bridge_url'] ) : '';
	return '' !== $bridge && origin( $url ) === $bridge;
}

function host_is_external( $external, $host, $url ) {
	return is_allowed( (string) $url ) ? true : $external;
}

function safe_ports( $ports, $host, $url ) {
	$port = (int) wp_parse_url( (string) $url, PHP_URL_PORT );
	return $port && is_allowed( (string) $url ) ? array_merge( (array) $ports, [ $port ] ) : $ports;
}
