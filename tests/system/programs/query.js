// node query.js LIBRARY CATALOG: better-sqlite3.
const [library, catalog] = process.argv.slice(2);
const connection = require("better-sqlite3")(catalog);
connection.loadExtension(library);
const one = (sql, ...values) => connection.prepare(sql).pluck().get(...values);

let refused = "was not refused";
try {
  one("SELECT max(value) FROM events");
} catch (error) {
  refused = error.message;
}
console.log(JSON.stringify({
  lists: one("SELECT count(*) FROM lists"),
  names: connection.prepare("SELECT name FROM lists ORDER BY name LIMIT 3").pluck().all(),
  members: one("SELECT count(*) FROM lists l JOIN list_profiles m ON m.list_id = l.id WHERE l.name = ?", "Newsletter"),
  listed: one("SELECT count(*) FROM sqlite_master WHERE name = 'events'") === 1,
  refused: refused.includes("max_requests") || refused,
}));
connection.close();
