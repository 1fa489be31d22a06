<?php
/** What the browser told of itself; nothing is invented. */

use function CapiBridge\Companion\{clean_url, is_robot, visitor};

const AT = 1795426815000;

function sourcebuster( string $at, string $page ): void {
	$_COOKIE['sbjs_current_add'] = "fd=$at|||ep=$page|||rf=(none)";
}

return [
	'a visitor without cookies has no ids' => function () {
		same( [ 'ip', 'user_agent', 'url' ], array_keys( visitor( AT ) ) );
	},
	'cookies of Meta pass as they are' => function () {
		$_COOKIE = [ '_fbp' => 'fb.1.1795426800000.1122334455', '_fbc' => 'fb.1.1795426812000.IwAR0_a-B.AQICAQMC' ];
		same( 'fb.1.1795426800000.1122334455', visitor( AT )['fbp'] );
		same( 'fb.1.1795426812000.IwAR0_a-B.AQICAQMC', visitor( AT )['fbc'] );
	},
	'cookies that are none of Meta\'s do not pass' => function () {
		foreach ( [ 'x', 'fb.1.2.3', "fb.1.1795426812000.a\n", 'fb.1.1795426812000.<script>', [ 'a' ] ] as $odd ) {
			$_COOKIE = [ '_fbp' => $odd, '_fbc' => $odd ];
			same( [ 'ip', 'user_agent', 'url' ], array_keys( visitor( AT ) ) );
		}
	},
	'a click in the address was seen now' => function () {
		$_SERVER['REQUEST_URI'] = '/?fbclid=IwAR0abc&utm_source=facebook&email=a@b.c';
		same( [ 'IwAR0abc', AT ], [ visitor( AT )['fbclid'], visitor( AT )['fbclid_at'] ] );
		same( 'https://shop.example/?utm_source=facebook', visitor( AT )['url'] );
	},
	'a click at the beginning of the visit was seen then' => function () {
		sourcebuster( '2026-11-23 09:40:12', 'https://shop.example/p/?fbclid=IwAR0old' );
		same( [ 'IwAR0old', 1795426812000 ], [ visitor( AT )['fbclid'], visitor( AT )['fbclid_at'] ] );
	},
	'a visit without a click, of an odd form or from the future tells none' => function () {
		sourcebuster( '2026-11-23 09:40:12', 'https://shop.example/p/?a=1' );
		same( false, isset( visitor( AT )['fbclid'] ) );
		sourcebuster( '2027-11-23 09:40:12', 'https://shop.example/p/?fbclid=IwAR0old' );
		same( false, isset( visitor( AT )['fbclid'] ) );
		$_COOKIE['sbjs_current_add'] = [ 'x' ];
		same( false, isset( visitor( AT )['fbclid'] ) );
	},
	'a script\'s call tells the page that it was made from' => function () {
		foreach ( [ 'ajax', 'rest' ] as $kind ) {
			World::begin();
			World::$now->on[ $kind ]  = true;
			$_SERVER['REQUEST_URI']  = '/?wc-ajax=add_to_cart';
			$_SERVER['HTTP_REFERER'] = 'https://shop.example/product/mug/?fbclid=IwAR0ref';
			$visitor                 = visitor( AT );
			same( [ 'https://shop.example/product/mug/', 'IwAR0ref' ], [ $visitor['url'], $visitor['fbclid'] ] );
			same( false, isset( $visitor['referrer'] ) );
		}
	},
	'a classic checkout names its page by a path' => function () {
		World::$now->on['ajax']       = true;
		$_REQUEST['_wp_http_referer'] = '/classic-checkout/';
		same( 'https://shop.example/classic-checkout/', visitor( AT )['url'] );
	},
	'a script without a page tells none' => function () {
		World::$now->on['rest'] = true;
		same( false, isset( visitor( AT )['url'] ) );
	},
	'a page view tells where the visitor came from' => function () {
		$_SERVER['HTTP_REFERER'] = 'https://l.facebook.com/l.php?u=https%3A%2F%2Fshop.example&h=secret';
		same( 'https://l.facebook.com/l.php', visitor( AT )['referrer'] );
	},
	'addresses that are none are left out' => function () {
		foreach ( [ '', '//', 'http://[', 'javascript:alert(1)', '/relative', 'https://other.example/' ] as $url ) {
			same( '', clean_url( $url, 'shop.example' ), $url );
		}
	},
	'who is logged in has a customer id' => function () {
		World::$now->user = 7;
		same( 7, visitor( AT )['customer_id'] );
	},
	'robots are told by their names' => function () {
		foreach ( [ 'Googlebot/2.1', 'facebookexternalhit/1.1', 'HeadlessChrome/1', '', 'curl/8.0' ] as $name ) {
			$_SERVER['HTTP_USER_AGENT'] = $name;
			same( true, is_robot(), $name );
		}
		$_SERVER['HTTP_USER_AGENT'] = 'Mozilla/5.0 (Linux; Android 13; CUBOT NOTE 50)';
		same( false, is_robot() );
	},
	'a page loaded ahead was opened by nobody' => function () {
		$_SERVER['HTTP_SEC_PURPOSE'] = 'prefetch;prerender';
		same( true, is_robot() );
	},
	'the shop may decide who is a robot' => function () {
		add_filter( 'capi_bridge_is_robot', fn( $robot ) => ! $robot );
		same( true, is_robot() );
	},
];
