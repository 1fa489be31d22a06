<?php
/** Prints the bodies of one visit as the companion makes them today: topic => body, as JSON. */

require __DIR__ . '/run.php';

listen();
World::$now->consent_type        = 'optin';
World::$now->has_consent         = true;
$_COOKIE['wp_consent_marketing'] = 'allow';
$_COOKIE['_fbp']                 = 'fb.1.1795426800000.1122334455';
$_SERVER['REQUEST_URI']          = '/product/blue-mug/?fbclid=IwAR0abc';
$_SERVER['HTTP_REFERER']         = 'https://l.facebook.com/';
$added                           = add( 'a', new Product( 10, '14.90', 0, 'MUG-BLUE' ), 2 )[0];
echo json_encode( [ 'cart.item_added' => $added, 'checkout.started' => open_checkout()[0] ] );
