<?php
/** WordPress and WooCommerce as far as the companion uses them, in memory. */

namespace {
	define( 'ABSPATH', __DIR__ . '/' );
	define( 'MINUTE_IN_SECONDS', 60 );
	define( 'HOUR_IN_SECONDS', 3600 );
	define( 'DAY_IN_SECONDS', 86400 );

	/** What the shop knows and what happened to it; every test begins with a new one. */
	final class World {
		public static array $hooks = [];
		public static World $now;
		public int $clock = 1795426815;
		public int $key = 0;
		public array $options = [];
		public array $scheduled = [];
		public array $rows = [];
		public array $queries = [];
		public array $logged = [];
		public array $queued = [];
		public array $webhooks = [];
		public array $session = [];
		public array $cart = [];
		public array $on = [ 'session' => true, 'ajax' => false, 'rest' => false, 'checkout' => false, 'received' => false, 'table' => true, 'allowed' => true, 'nonce' => true ];
		public array $place = [ 'DE', '' ]; // The shop's country, the customer's.
		public string $consent_type = '';
		public ?bool $has_consent = null;
		public int $user = 0;
		public array $roles = [];

		public static function begin(): void {
			self::$now = new World();
			$_COOKIE   = $_GET = $_POST = $_REQUEST = [];
			$_SERVER   = [ 'REQUEST_URI' => '/product/blue-mug/', 'HTTP_USER_AGENT' => 'Mozilla/5.0 (Windows NT 10.0) Firefox/140.0' ];
		}
	}

	final class Stop extends Exception {}

	class WC_Subscriptions_Cart {
		public static function cart_contains_subscription() { return World::$now->on['subscription'] ?? false; }
	}

	class Wpdb {
		public string $prefix = 'wp_';
		public function get_charset_collate() { return ''; }
		public function prepare( $query, ...$values ) { return [ $query, $values ]; }
		public function query( $query ) {
			World::$now->queries[] = is_array( $query ) ? $query[0] : $query;
			if ( is_array( $query ) && 0 === strpos( $query[0], 'DELETE' ) ) {
				World::$now->rows = array_filter( World::$now->rows, fn( $row ) => $row['captured_at'] > $query[1][0] );
			}
			return true;
		}
		public function replace( $table, $row, $formats ) {
			World::$now->rows[ $row['id'] ] = $row;
			return World::$now->on['table'] ? 1 : false;
		}
		public function get_var( $query ) {
			if ( ! is_array( $query ) ) {
				return World::$now->rows ? max( array_column( World::$now->rows, 'captured_at' ) ) : null;
			}
			$row = World::$now->rows[ $query[1][0] ] ?? null;
			return $row && $row['captured_at'] > $query[1][1] ? $row['body'] : null;
		}
	}
	$wpdb = new Wpdb();

	class WC_Geolocation { public static function get_ip_address() { return '198.51.100.61'; } }
	class WC_Data_Store {
		public static function load( $name ) { return new self(); }
		public function get_webhooks_ids() { return array_keys( World::$now->webhooks ); }
	}
	class Webhook {
		private array $told;
		public function __construct( array $told ) { $this->told = $told; }
		public function get_topic() { return $this->told[0]; }
		public function get_delivery_url() { return $this->told[1]; }
		public function get_status() { return $this->told[2] ?? 'active'; }
	}
	class Product {
		private array $told;
		public function __construct( int $id, string $price, int $parent = 0, string $sku = '' ) { $this->told = [ $id, $price, $parent, $sku ]; }
		public function get_id() { return $this->told[0]; }
		public function price() { return (float) $this->told[1]; }
		public function get_parent_id() { return $this->told[2]; }
		public function get_sku() { return $this->told[3]; }
		public function get_name() { return 'Product ' . $this->told[0]; }
	}
	class Session {
		public function get( $key ) { return World::$now->session[ $key ] ?? null; }
		public function set( $key, $value ) { World::$now->session[ $key ] = $value; }
	}
	class Customer {
		public function get_billing_country() { return World::$now->place[1]; }
		public function get_shipping_country() { return ''; }
	}
	class Countries {
		public function get_base_country() { return World::$now->place[0]; }
		public function __call( $name, $arguments ) { return ''; }
	}
	/** Its totals are those of its lines; each line has 19 % of tax and one piece in ten is off. */
	class Cart {
		public function get_cart() { return World::$now->cart; }
		public function get_cart_item( $key ) { return World::$now->cart[ $key ] ?? []; }
		public function is_empty() { return ! World::$now->cart; }
		private function sum( $name ) { return array_sum( array_column( World::$now->cart, $name ) ); }
		public function get_total( $context ) { return $this->sum( 'line_total' ) + $this->sum( 'line_tax' ) + 5.95; }
		public function get_total_tax() { return $this->sum( 'line_tax' ) + 0.95; }
		public function get_discount_total() { return $this->sum( 'line_subtotal' ) - $this->sum( 'line_total' ); }
		public function get_shipping_total() { return 5.0; }
		public function get_shipping_tax() { return 0.95; }
		public function get_fee_total() { return 0; }
		public function get_fee_tax() { return 0; }
	}
	class Order {
		public array $meta = [];
		public string $country = '';
		public function get_billing_country() { return $this->country; }
		public function update_meta_data( $key, $value ) { $this->meta[ $key ] = $value; }
		public function delete_meta_data( $key ) { unset( $this->meta[ $key ] ); }
	}
	class Shop {
		public $session, $customer, $countries, $cart;
		public function is_rest_api_request() { return World::$now->on['rest']; }
	}
	class Logger { public function error( $text, $context ) { World::$now->logged[] = $text; } }

	function WC() {
		$shop            = new Shop();
		$shop->session   = World::$now->on['session'] ? new Session() : null;
		$shop->cart      = new Cart();
		$shop->customer  = new Customer();
		$shop->countries = new Countries();
		return $shop;
	}

	function add_filter( $hook, $do, $priority = 10, $count = 1 ) { World::$hooks[ $hook ][] = [ $do, $count ]; }
	function add_action( ...$arguments ) { add_filter( ...$arguments ); }
	function remove_filter( $hook, $do ) { World::$hooks[ $hook ] = array_filter( World::$hooks[ $hook ], fn( $one ) => $one[0] !== $do ); }
	function apply_filters( $hook, ...$values ) {
		foreach ( World::$hooks[ $hook ] ?? [] as list( $do, $count ) ) {
			$values[0] = $do( ...array_slice( $values, 0, $count ) );
		}
		return $values[0];
	}
	function do_action( $hook, ...$values ) {
		World::$now->queued[] = [ $hook, $values ];
		foreach ( World::$hooks[ $hook ] ?? [] as list( $do, $count ) ) {
			$do( ...array_slice( $values, 0, $count ) );
		}
	}
	function has_action( $hook ) { return ! empty( World::$hooks[ $hook ] ); }
	function register_deactivation_hook( $file, $do ) { add_action( 'deactivate', $do ); }

	function get_option( $name ) { return World::$now->options[ $name ] ?? false; }
	function update_option( $name, $value ) { World::$now->options[ $name ] = $value; }
	function delete_option( $name ) { unset( World::$now->options[ $name ] ); }
	function wp_next_scheduled( $hook ) { return World::$now->scheduled[ $hook ] ?? false; }
	function wp_schedule_event( $at, $every, $hook ) { World::$now->scheduled[ $hook ] = $at; }
	function wp_clear_scheduled_hook( $hook ) { unset( World::$now->scheduled[ $hook ] ); }

	function home_url() { return 'https://shop.example'; }
	function wp_parse_url( $url, $part = -1 ) { return parse_url( $url, $part ); }
	function wp_json_encode( $value ) { return json_encode( $value ); }
	function wp_unslash( $value ) { return stripslashes( $value ); }
	function wp_get_raw_referer() { return $_REQUEST['_wp_http_referer'] ?? $_SERVER['HTTP_REFERER'] ?? false; }
	function wp_doing_ajax() { return World::$now->on['ajax']; }
	function get_current_user_id() { return World::$now->user; }
	function wp_get_current_user() { return (object) [ 'roles' => World::$now->roles ]; }
	function is_multisite() { return false; }
	function wp_has_consent( $category ) { return 'marketing' === $category && (bool) World::$now->has_consent; }
	function wp_get_consent_type() { return World::$now->consent_type ?: false; }

	function is_checkout() { return World::$now->on['checkout']; }
	function is_order_received_page() { return World::$now->on['received']; }
	function is_checkout_pay_page() { return false; }
	function get_woocommerce_currency() { return 'EUR'; }
	function wc_get_user_agent() { return $_SERVER['HTTP_USER_AGENT'] ?? ''; }
	function wc_get_logger() { return new Logger(); }
	function wc_get_webhook( $id ) { return World::$now->webhooks[ $id ]; }
	function wc_get_price_decimals() { return 2; }
	function wc_format_decimal( $amount, $decimals ) { return number_format( (float) $amount, $decimals, '.', '' ); }
	/** Prices are kept with 19 % of tax, which counts in Germany alone. */
	function wc_get_price_excluding_tax( $product, $how ) { return $product->price() * $how['qty'] / 1.19; }
	function wc_get_price_including_tax( $product, $how ) {
		$place = apply_filters( 'woocommerce_get_tax_location', [ World::$now->place[1], '', '', '' ] );
		return wc_get_price_excluding_tax( $product, $how ) * ( 'DE' === $place[0] ? 1.19 : 1 );
	}

	function __( $text, $domain ) { return $text; }
	function esc_html__( $text, $domain ) { return $text; }
	function esc_html( $text ) { return htmlspecialchars( $text ); }
	function esc_html_e( $text, $domain ) { echo esc_html( $text ); }
	function esc_attr( $text ) { return htmlspecialchars( $text ); }
	function esc_url( $url ) { return htmlspecialchars( $url ); }
	function esc_url_raw( $url, $schemes ) { return in_array( parse_url( $url, PHP_URL_SCHEME ), $schemes, true ) ? $url : ''; }
	function checked( $value ) { echo $value ? 'checked' : ''; }
	function submit_button() { echo '<input type="submit">'; }
	function wp_nonce_field( $action ) { echo "<nonce $action>"; }
	function admin_url( $path ) { return "https://shop.example/wp-admin/$path"; }
	function human_time_diff( $from ) { return ( World::$now->clock - $from ) . ' seconds'; }
	function add_submenu_page( ...$arguments ) { World::$now->queued[] = [ 'page', $arguments ]; }
	function load_plugin_textdomain() {}
	function current_user_can( $right ) { return 'manage_woocommerce' === $right && World::$now->on['allowed']; }
	function check_admin_referer( $action ) { if ( ! World::$now->on['nonce'] ) { throw new Stop( 'nonce' ); } }
	function wp_die( $text ) { throw new Stop( 'died' ); }
	function wp_safe_redirect( $to ) { throw new Stop( $to ); }
}

namespace CapiBridge\Companion {
	function time() { return \World::$now->clock; }
	function microtime( $float ) { return (float) \World::$now->clock; }
	function random_bytes( $length ) { return str_pad( pack( 'N', ++\World::$now->key ), $length, "\xab" ); }
}
