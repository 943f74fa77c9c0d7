<?php
// php -d sqlite3.extension_dir=FOLDER query.php LIBRARY CATALOG: SQLite3. The library is named by what it is called in that folder.
[, $library, $catalog] = $argv;
$connection = new SQLite3($catalog);
$connection->enableExceptions(true);
$connection->loadExtension(basename($library));

try {
    $refused = $connection->querySingle("SELECT max(value) FROM events");
} catch (Exception $error) {
    $refused = $error->getMessage();
}
$names = [];
$rows = $connection->query("SELECT name FROM lists ORDER BY name LIMIT 3");
while ($row = $rows->fetchArray(SQLITE3_NUM)) {
    $names[] = $row[0];
}
$members = $connection->prepare("SELECT count(*) FROM lists l JOIN list_profiles m ON m.list_id = l.id WHERE l.name = :name");
$members->bindValue(":name", "Newsletter");
echo json_encode([
    "lists" => $connection->querySingle("SELECT count(*) FROM lists"),
    "names" => $names,
    "members" => $members->execute()->fetchArray(SQLITE3_NUM)[0],
    "listed" => $connection->querySingle("SELECT count(*) FROM sqlite_master WHERE name = 'events'") === 1,
    "refused" => str_contains((string) $refused, "max_requests") ?: $refused,
]), "\n";
