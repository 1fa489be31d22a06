<?php
/**
 * Consent: what the visitor said about marketing, and what may be kept of a visitor because of it.
 *
 * License: GPL-2.0-or-later
 */

namespace CapiBridge\Companion;

defined( 'ABSPATH' ) || exit;

// Where consent is asked for first: EEA, United Kingdom, Switzerland; as in the bridge's own plan.
const OPT_IN_COUNTRIES = [
	'AT', 'BE', 'BG', 'CY', 'CZ', 'DE', 'DK', 'EE', 'ES', 'FI', 'FR', 'GR', 'HR', 'HU', 'IE', 'IT',
	'LT', 'LU', 'LV', 'MT', 'NL', 'PL', 'PT', 'RO', 'SE', 'SI', 'SK',
	'AX', 'GF', 'GP', 'MF', 'MQ', 'RE', 'YT', 'IS', 'LI', 'NO', 'GB', 'CH',
];

/**
 * Returns what the visitor said, read at *$at* (ms).
 *
 * `marketing` is true (granted), false (denied) or null (not said); `sale` is false where the
 * browser's Global Privacy Control asks not to sell and the shop was not told otherwise, else null.
 * `source` names who told.
 */
function consent( int $at ): array {
	list( $marketing, $source ) = wp_consent();
	/**
	 * Lets a consent banner that does not speak the WP Consent API answer instead.
	 *
	 * @param array $said 'marketing' => true, false or null (not said), 'source' => a short word.
	 */
	$said      = apply_filters( 'capi_bridge_consent', compact( 'marketing', 'source' ) );
	$said      = is_array( $said ) ? $said : [];
	$marketing = $said['marketing'] ?? null;
	$source    = $said['source'] ?? null;
	$private   = '1' === ( $_SERVER['HTTP_SEC_GPC'] ?? '' ) && true !== $marketing;
	return [
		'marketing' => is_bool( $marketing ) ? $marketing : null,
		'sale'      => $private ? false : null,
		'source'    => substr( preg_replace( '/[^a-z0-9_]/', '', is_string( $source ) ? $source : '' ), 0, 40 ),
		'at'        => $at,
	];
}

/**
 * Returns [marketing, source] by the WP Consent API; not said where no banner uses it.
 *
 * Its answer counts as it is, with one exception: where everybody may be tracked until they object
 * (optout) and this visitor has not answered, it says yes, but nobody said so.
 * Source: WordPress/wp-consent-level-api, api-functions.php, wp_has_consent (read 2026-11-23).
 */
function wp_consent(): array {
	$spoken = function_exists( 'wp_has_consent' ) && function_exists( 'wp_get_consent_type' );
	$type   = $spoken ? wp_get_consent_type() : '';
	if ( ! is_string( $type ) || '' === $type ) {
		return [ null, 'none' ];
	}
	$granted  = (bool) wp_has_consent( 'marketing' );
	$answered = isset( $_COOKIE[ consent_cookie() ] );
	if ( $granted && ! $answered && false !== strpos( $type, 'optout' ) ) {
		return [ null, 'wp_consent_api_unanswered' ];
	}
	return [ $granted, $granted || $answered ? 'wp_consent_api' : 'wp_consent_api_unanswered' ];
}

function consent_cookie(): string {
	$config = class_exists( '\WP_Consent_API' ) ? \WP_Consent_API::$config : null;
	return ( $config ? $config->consent_cookie_prefix() : 'wp_consent' ) . '_marketing';
}

/** Returns *$consent* as an order keeps it, such as `v1;marketing=1;source=wp_consent_api;ts=1795426815000`. */
function consent_word( array $consent ): string {
	$words = [
		'marketing' => digit( $consent['marketing'] ),
		'sale'      => digit( $consent['sale'] ),
		'source'    => $consent['source'],
		'ts'        => (string) $consent['at'],
	];
	return 'v1;' . http_build_query( array_filter( $words, 'strlen' ), '', ';' );
}

function digit( ?bool $said ): string {
	return null === $said ? '' : (string) (int) $said;
}

/**
 * Returns whether more than the consent itself may be kept of the visitor.
 *
 * Without a grant nothing is, where the shop or one of the *$countries* asks for consent first.
 */
function may_identify( array $consent, array $countries ): bool {
	$places = array_filter( array_merge( [ WC()->countries->get_base_country() ], $countries ) );
	return $consent['marketing'] ?? ( $places && ! array_intersect( $places, OPT_IN_COUNTRIES ) );
}

/** Returns where the customer of this session lives as far as the shop knows, else an empty text. */
function customer_country(): string {
	$customer = WC()->customer;
	return $customer ? (string) ( $customer->get_billing_country() ?: $customer->get_shipping_country() ) : '';
}
