<?php
/**
 * The visitor: what the browser of this request told of itself. Nothing is invented.
 *
 * License: GPL-2.0-or-later
 */

namespace CapiBridge\Companion;

defined( 'ABSPATH' ) || exit;

// Source: Meta, conversions-api/parameters/fbp-and-fbc (read 2026-11-23).
const META_COOKIE = '/^fb\.[0-9]\.[0-9]{10,13}\.[A-Za-z0-9_.-]{1,500}$/D';
const FBCLID      = '/^[A-Za-z0-9_-]{1,500}$/D';
// "Cubot" makes phones.
const ROBOT = '/(?<!cu)bot|crawl|spider|slurp|headless|lighthouse|facebookexternalhit|curl\/|wget\/|python-|^$/i';

/** Returns the visitor at *$at* (ms); what is not known is left out. */
function visitor( int $at ): array {
	$address = address();
	$visitor = [
		'ip'          => \WC_Geolocation::get_ip_address(),
		'user_agent'  => wc_get_user_agent(),
		'fbp'         => meta_cookie( '_fbp' ),
		'fbc'         => meta_cookie( '_fbc' ),
		'customer_id' => get_current_user_id(),
		'url'         => clean_url( $address, shop_host() ),
		'referrer'    => is_page_view() ? clean_url( (string) wp_get_raw_referer() ) : '',
	];
	return array_filter( $visitor ) + click( $address, $at );
}

/** Returns `fbclid` and `fbclid_at`, when it was first seen (ms); empty without a click on an ad. */
function click( string $address, int $at ): array {
	$fbclid = fbclid_in( $address );
	if ( '' !== $fbclid ) {
		return [
			'fbclid'    => $fbclid,
			'fbclid_at' => $at,
		];
	}
	// WooCommerce's order attribution keeps where the visit began, in UTC: "fd=<time>|||ep=<page>|||rf=...".
	// Source: sourcebuster-js; order-attribution.js, timezone_offset '0' (read 2026-11-23).
	$cookie = $_COOKIE['sbjs_current_add'] ?? '';
	if ( ! is_string( $cookie ) || ! preg_match( '/^fd=([0-9: -]{19})\|\|\|ep=(.*?)\|\|\|/', $cookie, $began ) ) {
		return [];
	}
	$fbclid = fbclid_in( $began[2] );
	$seen   = strtotime( $began[1] . ' UTC' );
	return '' === $fbclid || ! $seen || 1000 * $seen > $at ? [] : [
		'fbclid'    => $fbclid,
		'fbclid_at' => 1000 * $seen,
	];
}

function fbclid_in( string $address ): string {
	parse_str( (string) wp_parse_url( $address, PHP_URL_QUERY ), $query );
	$fbclid = $query['fbclid'] ?? '';
	return is_string( $fbclid ) && preg_match( FBCLID, $fbclid ) ? $fbclid : '';
}

function meta_cookie( string $name ): string {
	$value = $_COOKIE[ $name ] ?? '';
	return is_string( $value ) && preg_match( META_COOKIE, $value ) ? $value : '';
}

/** Returns whether the request is for a page, not a script's call from one. */
function is_page_view(): bool {
	return ! wp_doing_ajax() && ! WC()->is_rest_api_request() && ! isset( $_GET['rest_route'] );
}

/** Returns the address of the page that the visitor sees. */
function address(): string {
	$address = is_page_view() ? wp_unslash( $_SERVER['REQUEST_URI'] ?? '/' ) : (string) wp_get_raw_referer();
	return '/' === substr( $address, 0, 1 ) ? shop_origin() . $address : $address;
}

function shop_origin(): string {
	$home = wp_parse_url( home_url() );
	return $home['scheme'] . '://' . $home['host'] . ( isset( $home['port'] ) ? ':' . $home['port'] : '' );
}

function shop_host(): string {
	return (string) wp_parse_url( home_url(), PHP_URL_HOST );
}

/** Returns *$url* with no query but utm_*; an empty text if it is no web address, or not at *$host*. */
function clean_url( string $url, string $host = '' ): string {
	$parts = wp_parse_url( substr( $url, 0, 2000 ) );
	if ( empty( $parts['host'] ) || ! in_array( $parts['scheme'] ?? '', [ 'http', 'https' ], true ) ) {
		return '';
	}
	if ( '' !== $host && strtolower( $host ) !== strtolower( $parts['host'] ) ) {
		return '';
	}
	parse_str( $parts['query'] ?? '', $query );
	$is_utm = static fn( $name ) => 0 === strpos( (string) $name, 'utm_' );
	$query  = http_build_query( array_filter( $query, $is_utm, ARRAY_FILTER_USE_KEY ) );
	$port   = isset( $parts['port'] ) ? ':' . $parts['port'] : '';
	return $parts['scheme'] . '://' . $parts['host'] . $port . ( $parts['path'] ?? '/' ) . ( $query ? "?$query" : '' );
}

/** Returns whether no person acts: a robot by its own name, or a browser that loads ahead. */
function is_robot(): bool {
	$purpose = ( $_SERVER['HTTP_SEC_PURPOSE'] ?? '' ) . ( $_SERVER['HTTP_PURPOSE'] ?? '' );
	$robot   = preg_match( ROBOT, (string) wc_get_user_agent() ) || false !== strpos( $purpose, 'prefetch' );
	/** Lets the shop decide who is a robot; robots are counted, and nothing else is kept of them. */
	return (bool) apply_filters( 'capi_bridge_is_robot', (bool) $robot );
}
