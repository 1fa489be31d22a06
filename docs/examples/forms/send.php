<?php
// Posts a lead to the bridge: BRIDGE_URL=... BRIDGE_SECRET=... php send.php lead.json

declare(strict_types=1);

/** Returns the status of the bridge's answer: 200 means that the lead is on its disk; 0, none. */
function send_lead(string $url, string $secret, array $lead): int
{
    $body = json_encode($lead, JSON_THROW_ON_ERROR | JSON_UNESCAPED_UNICODE);
    $headers = [
        'Content-Type: application/json',
        'X-Bridge-Signature: sha256=' . hash_hmac('sha256', $body, $secret),
    ];
    $context = stream_context_create(['http' => [
        'method' => 'POST',
        'header' => $headers,
        'content' => $body,
        'timeout' => 10,
        'ignore_errors' => true,
        'follow_location' => 0,
    ]]);
    $answer = @fopen($url, 'r', false, $context);
    if ($answer === false) {
        return 0;
    }
    $status = stream_get_meta_data($answer)['wrapper_data'][0] ?? '';
    return (int) (explode(' ', $status)[1] ?? 0);
}

$lead = json_decode(file_get_contents($argv[1]), true, 512, JSON_THROW_ON_ERROR);
$status = send_lead(getenv('BRIDGE_URL'), getenv('BRIDGE_SECRET'), $lead);
if ($status !== 200) {
    fwrite(STDERR, "the bridge answered $status\n");
    exit(1);
}
