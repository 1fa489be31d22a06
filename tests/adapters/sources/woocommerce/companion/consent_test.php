<?php
/** What a visitor said, and what may be kept of a visitor because of it. */

use function CapiBridge\Companion\{consent, consent_word, may_identify, checkout_id};

function said( string $type, ?bool $has, string $cookie = '' ): array {
	World::$now->consent_type = $type;
	World::$now->has_consent  = $has;
	if ( '' !== $cookie ) {
		$_COOKIE['wp_consent_marketing'] = $cookie;
	}
	$consent = consent( 1795426815000 );
	return [ $consent['marketing'], $consent['source'] ];
}

$table = json_decode( file_get_contents( __DIR__ . '/table.json' ), true );

return [
	'the words of the table are written as the bridge reads them' => function () use ( $table ) {
		foreach ( $table['consent'] as $row ) {
			same( $row['word'], consent_word( $row ) );
		}
	},
	'the ids of the table are those of the bridge' => function () use ( $table ) {
		foreach ( $table['checkout'] as $row ) {
			same( $row['id'], checkout_id( $row['cart'], $row['items'] ) );
		}
	},
	'without a consent banner nothing is said' => function () {
		same( [ null, 'none' ], said( '', true ) );
	},
	'a banner that asks first is believed' => function () {
		same( [ true, 'wp_consent_api' ], said( 'optin', true, 'allow' ) );
		same( [ false, 'wp_consent_api' ], said( 'optin', false, 'deny' ) );
	},
	'no answer to a banner that asks first is no consent' => function () {
		same( [ false, 'wp_consent_api_unanswered' ], said( 'optin', false ) );
	},
	'no answer to a banner that waits for objections says nothing' => function () {
		same( [ null, 'wp_consent_api_unanswered' ], said( 'optout', true ) );
	},
	'an objection is a denial' => function () {
		same( [ false, 'wp_consent_api' ], said( 'optout', false, 'deny' ) );
	},
	'another banner may answer by the filter' => function () {
		add_filter( 'capi_bridge_consent', fn( $said ) => [ 'marketing' => false, 'source' => 'my banner;x' ] );
		same( [ false, 'mybannerx' ], said( '', true ) );
	},
	'an odd answer of a filter is no answer' => function () {
		add_filter( 'capi_bridge_consent', fn( $said ) => [ 'marketing' => 'yes', 'source' => [] ] );
		same( [ null, '' ], said( '', true ) );
		add_filter( 'capi_bridge_consent', fn( $said ) => null );
		same( [ null, '' ], said( '', true ) );
	},
	'Global Privacy Control says no to sale, unless marketing was granted' => function () {
		$_SERVER['HTTP_SEC_GPC'] = '1';
		same( false, consent( 1 )['sale'] );
		said( 'optin', true, 'allow' );
		same( null, consent( 1 )['sale'] );
	},
	'where consent is asked for first only a grant identifies' => function () {
		foreach ( [ [ 'DE', '' ], [ 'US', 'FR' ], [ 'GB', 'US' ], [ 'CH', '' ], [ '', '' ] ] as list( $shop, $customer ) ) {
			World::$now->place = [ $shop, $customer ];
			same( false, may_identify( [ 'marketing' => null ], [ $customer ] ), "$shop-$customer" );
			same( true, may_identify( [ 'marketing' => true ], [ $customer ] ), "$shop-$customer" );
		}
	},
	'elsewhere only a denial forbids to identify' => function () {
		World::$now->place = [ 'US', 'CA' ];
		same( true, may_identify( [ 'marketing' => null ], [ 'CA' ] ) );
		same( false, may_identify( [ 'marketing' => false ], [ 'CA' ] ) );
	},
];
