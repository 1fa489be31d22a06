<?php
/**
 * One screen under WooCommerce: how the connection is, and the bridge's address.
 *
 * License: GPL-2.0-or-later
 */

namespace CapiBridge\Companion;

defined( 'ABSPATH' ) || exit;

function add_page(): void {
	$title = __( 'CAPI Bridge', 'capi-bridge-companion' );
	add_submenu_page( 'woocommerce', $title, $title, 'manage_woocommerce', 'capi-bridge', __NAMESPACE__ . '\show_page' );
}

/** Stores the form. */
function save(): void {
	check_admin_referer( 'capi_bridge_save' );
	if ( ! current_user_can( 'manage_woocommerce' ) ) {
		wp_die( esc_html__( 'You may not change this.', 'capi-bridge-companion' ), '', [ 'response' => 403 ] );
	}
	$url = esc_url_raw( wp_unslash( (string) ( $_POST['bridge_url'] ?? '' ) ), [ 'http', 'https' ] );
	$new = [
		'bridge_url' => '' === origin( $url ) ? '' : $url,
		'private'    => ! empty( $_POST['private'] ),
	];
	update_option( 'capi_bridge_settings', $new );
	wp_safe_redirect( admin_url( 'admin.php?page=capi-bridge' ) );
	exit;
}

/** Returns the status as pairs of a label and a sentence. */
function status(): array {
	$last = last_capture();
	/* translators: %s: a span of time, such as "5 minutes" */
	$ago = __( '%s ago', 'capi-bridge-companion' );
	return [
		[ __( 'Webhooks', 'capi-bridge-companion' ), webhooks_status() ],
		[
			__( 'Last capture', 'capi-bridge-companion' ),
			$last ? sprintf( $ago, human_time_diff( $last ) ) : __( 'none within two days', 'capi-bridge-companion' ),
		],
		[ __( 'Robots left out', 'capi-bridge-companion' ), (string) (int) get_option( 'capi_bridge_robots' ) ],
		[ __( 'Consent', 'capi-bridge-companion' ), consent_status() ],
		[ __( 'Cron', 'capi-bridge-companion' ), cron_status( defined( 'DISABLE_WP_CRON' ) && DISABLE_WP_CRON ) ],
	];
}

/** Returns the topics whose webhooks go to the bridge: by its address, else by our own topics. */
function webhooks_status(): string {
	$bridge = origin( settings()['bridge_url'] );
	$found  = [];
	foreach ( \WC_Data_Store::load( 'webhook' )->get_webhooks_ids() as $id ) {
		$webhook = wc_get_webhook( $id );
		if ( ! $webhook ) {
			continue;
		}
		$there = '' === $bridge ? isset( TOPICS[ $webhook->get_topic() ] ) : origin( $webhook->get_delivery_url() ) === $bridge;
		if ( $there ) {
			$found[] = $webhook->get_topic() . ' (' . $webhook->get_status() . ')';
		}
	}
	return $found ? implode( ', ', $found ) : __( 'none goes to the bridge yet: connect the shop there', 'capi-bridge-companion' );
}

function consent_status(): string {
	return 'none' === wp_consent()[1]
		? __( 'no banner speaks the WP Consent API: consent is told as unknown, unless one uses the filter capi_bridge_consent', 'capi-bridge-companion' )
		: __( 'read from the WP Consent API', 'capi-bridge-companion' );
}

/** Returns whether somebody runs WordPress's cron, which sends the webhooks. */
function cron_status( bool $system_cron ): string {
	$next = wp_next_scheduled( 'action_scheduler_run_queue', [ 'WP Cron' ] );
	if ( $next && $next < time() - 10 * MINUTE_IN_SECONDS ) {
		return __( 'late by more than ten minutes: webhooks wait. Let the server call wp-cron.php every minute', 'capi-bridge-companion' );
	}
	return $system_cron
		? __( 'run by the server', 'capi-bridge-companion' )
		: __( 'run by visits: without visitors, webhooks wait. Better let the server call wp-cron.php every minute and set DISABLE_WP_CRON', 'capi-bridge-companion' );
}

function show_page(): void {
	$settings = settings();
	?>
	<div class="wrap">
		<h1><?php esc_html_e( 'CAPI Bridge', 'capi-bridge-companion' ); ?></h1>
		<table class="widefat striped">
			<?php foreach ( status() as list( $label, $sentence ) ) : ?>
				<tr><th scope="row"><?php echo esc_html( $label ); ?></th><td><?php echo esc_html( $sentence ); ?></td></tr>
			<?php endforeach; ?>
		</table>
		<form method="post" action="<?php echo esc_url( admin_url( 'admin-post.php' ) ); ?>">
			<input type="hidden" name="action" value="capi_bridge_save">
			<?php wp_nonce_field( 'capi_bridge_save' ); ?>
			<p><label for="bridge_url"><?php esc_html_e( 'Address of the bridge', 'capi-bridge-companion' ); ?></label>
				<input type="url" class="regular-text" id="bridge_url" name="bridge_url" value="<?php echo esc_attr( $settings['bridge_url'] ); ?>" placeholder="https://bridge.example"></p>
			<p><label><input type="checkbox" name="private" value="1" <?php checked( $settings['private'] ); ?>>
				<?php esc_html_e( 'The bridge is in a private network: let webhooks reach this one address and port', 'capi-bridge-companion' ); ?></label></p>
			<?php submit_button(); ?>
		</form>
	</div>
	<?php
}
