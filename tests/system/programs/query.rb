# ruby query.rb LIBRARY CATALOG: the sqlite3 gem.
require "json"
require "sqlite3"

library, catalog = ARGV
connection = SQLite3::Database.new(catalog)
connection.enable_load_extension(true)
connection.load_extension(library)
begin
  refused = connection.get_first_value("SELECT max(value) FROM events").to_s
rescue SQLite3::Exception => error
  refused = error.message
end
puts JSON.generate(
  "lists" => connection.get_first_value("SELECT count(*) FROM lists"),
  "names" => connection.execute("SELECT name FROM lists ORDER BY name LIMIT 3").map(&:first),
  "members" => connection.get_first_value("SELECT count(*) FROM lists l JOIN list_profiles m ON m.list_id = l.id WHERE l.name = ?", ["Newsletter"]),
  "listed" => connection.get_first_value("SELECT count(*) FROM sqlite_master WHERE name = 'events'") == 1,
  "refused" => refused.include?("max_requests") || refused
)
connection.close
