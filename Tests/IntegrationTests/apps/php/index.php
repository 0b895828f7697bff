<?php
// An app for PHP's built-in server, which answers one request at a time and closes every connection.
switch (parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH)) {
case '/':
    session_start();
    $_SESSION['visits'] = ($_SESSION['visits'] ?? 0) + 1;
    echo "visit {$_SESSION['visits']}";
    break;
case '/old':
    // What nearly every PHP app has somewhere: a URL made of the name that it was called by.
    header("Location: http://{$_SERVER['HTTP_HOST']}/new");
    break;
case '/new':
    echo 'new';
    break;
case '/slow':
    usleep(20000);
    echo "slow {$_GET['number']}";
    break;
case '/upload':
    $file = $_FILES['file'];
    header('Content-Type: application/json');
    echo json_encode(['name' => $file['name'], 'sha256' => hash_file('sha256', $file['tmp_name'])]);
    break;
case '/endless':
    // No length is known: the answer ends with the connection.
    for ($line = 0; $line < 200000; $line++) echo "$line\n";
    break;
default:
    http_response_code(404);
    echo 'nothing here';
}
