<?php
/**
 * Captures: what was seen at the moment of an event, kept until WooCommerce has sent it.
 *
 * A webhook's body is built later, in cron, where there is no visitor, session or cookie. So the
 * body is stored at the event, and only its unguessable key travels through the queue.
 *
 * License: GPL-2.0-or-later
 */

namespace CapiBridge\Companion;

defined( 'ABSPATH' ) || exit;

const KEEP_S        = 2 * DAY_IN_SECONDS;
const TABLE_VERSION = '1';

/** Returns the name of this site's table. */
function captures_table(): string {
	global $wpdb;
	return $wpdb->prefix . 'capi_bridge_captures';
}

/** Makes the table and the hourly purge, once. */
function install(): void {
	global $wpdb;
	if ( TABLE_VERSION === get_option( 'capi_bridge_table' ) ) {
		return;
	}
	$made = $wpdb->query(
		'CREATE TABLE IF NOT EXISTS ' . captures_table() . ' (
			id CHAR(32) NOT NULL PRIMARY KEY,
			body LONGTEXT NOT NULL,
			captured_at BIGINT UNSIGNED NOT NULL,
			KEY captured_at (captured_at)
		) ' . $wpdb->get_charset_collate()
	);
	if ( false === $made ) {
		return;
	}
	update_option( 'capi_bridge_table', TABLE_VERSION );
	if ( ! wp_next_scheduled( 'capi_bridge_purge' ) ) {
		wp_schedule_event( time() + HOUR_IN_SECONDS, 'hourly', 'capi_bridge_purge' );
	}
}

/** Stores *$body* under its id; returns whether it is stored. */
function keep_capture( array $body ): bool {
	global $wpdb;
	$row = [
		'id'          => $body['id'],
		'body'        => wp_json_encode( $body ),
		'captured_at' => time(),
	];
	return false !== $wpdb->replace( captures_table(), $row, [ '%s', '%s', '%d' ] );
}

/** Returns the body kept under *$id*; null if there is none, or none any more. */
function find_capture( string $id ): ?array {
	global $wpdb;
	$query = 'SELECT body FROM ' . captures_table() . ' WHERE id = %s AND captured_at > %d';
	$body  = $wpdb->get_var( $wpdb->prepare( $query, $id, time() - KEEP_S ) );
	return null === $body ? null : (array) json_decode( $body );
}

/** Returns when the last capture was made, in seconds; null if there is none. */
function last_capture(): ?int {
	global $wpdb;
	$found = $wpdb->get_var( 'SELECT MAX(captured_at) FROM ' . captures_table() );
	return null === $found ? null : (int) $found;
}

/** Deletes what is older than two days. */
function remove_expired(): void {
	global $wpdb;
	$query = 'DELETE FROM ' . captures_table() . ' WHERE captured_at <= %d';
	$wpdb->query( $wpdb->prepare( $query, time() - KEEP_S ) );
}

/** Deletes all captures with their table and purge; `install` makes them anew. */
function remove_captures(): void {
	global $wpdb;
	$wpdb->query( 'DROP TABLE IF EXISTS ' . captures_table() );
	wp_clear_scheduled_hook( 'capi_bridge_purge' );
	delete_option( 'capi_bridge_table' );
}
