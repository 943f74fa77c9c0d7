-- all lists, ten a page
SELECT id, name FROM lists;
-- > GET /api/lists?fields[list]=name&page[size]=10&sort=id
-- > GET /api/lists?fields[list]=name&page[cursor]=…&page[size]=10&sort=id

-- a name
SELECT id FROM lists WHERE name = 'Newsletter';
-- > GET /api/lists?fields[list]=name&filter=equals(name,"Newsletter")&page[size]=10&sort=id

-- two names
SELECT id FROM lists WHERE name IN ('Newsletter', 'VIP');
-- > GET /api/lists?fields[list]=name&filter=any(name,["Newsletter","VIP"])&page[size]=10&sort=id

-- one id
SELECT name FROM lists WHERE id = '{list:0}';
-- > GET /api/lists/{list:0}?fields[list]=name

-- two ids
SELECT name FROM lists WHERE id IN ({list:0..1});
-- > GET /api/lists?fields[list]=name&filter=any(id,["{list:0}","{list:1}"])&page[size]=10&sort=id

-- 110 names are two requests
SELECT count(id) FROM lists WHERE name IN ({none:0..109});
-- > GET /api/lists?fields[list]=name&filter=any(name,[{none:0..99}])&page[size]=10&sort=id
-- > GET /api/lists?fields[list]=name&filter=any(name,[{none:100..109}])&page[size]=10&sort=id

-- created after
SELECT id FROM lists WHERE created > '2026-01-01';
-- > GET /api/lists?fields[list]=created&filter=greater-than(created,2026-01-01T00:00:00Z)&page[size]=10&sort=id

-- created at or after: a second wider
SELECT id FROM lists WHERE created >= '2026-01-01';
-- > GET /api/lists?fields[list]=created&filter=greater-than(created,2025-12-31T23:59:59Z)&page[size]=10&sort=id

-- created before: Klaviyo has no <, so it is compared here
SELECT id FROM lists WHERE created < '2025-06-01';
-- > GET /api/lists?fields[list]=created&page[size]=10&sort=id
-- > GET /api/lists?fields[list]=created&page[cursor]=…&page[size]=10&sort=id

-- created equal: only the lower end is Klaviyo's
SELECT id FROM lists WHERE created = '2025-06-01';
-- > GET /api/lists?fields[list]=created&filter=greater-than(created,2025-05-31T23:59:59Z)&page[size]=10&sort=id
-- > GET /api/lists?fields[list]=created&filter=greater-than(created,2025-05-31T23:59:59Z)&page[cursor]=…&page[size]=10&sort=id

-- updated after
SELECT id FROM lists WHERE updated > '2026-10-01';
-- > GET /api/lists?fields[list]=updated&filter=greater-than(updated,2026-10-01T00:00:00Z)&page[size]=10&sort=id

-- newest first
SELECT name FROM lists ORDER BY created DESC LIMIT 3;
-- > GET /api/lists?fields[list]=created,name&page[size]=3&sort=-created

-- last changed first
SELECT name FROM lists ORDER BY updated DESC LIMIT 3;
-- > GET /api/lists?fields[list]=name,updated&page[size]=3&sort=-updated

-- profile_count is left out of SELECT *
SELECT * FROM lists WHERE id = '{list:0}';
-- > GET /api/lists/{list:0}?fields[list]=created,name,opt_in_process,updated

-- profile_count of one list is part of its one request
SELECT name, profile_count FROM lists WHERE id = '{list:0}';
-- > GET /api/lists/{list:0}?additional-fields[list]=profile_count&fields[list]=name,profile_count

-- profile_count of some lists whose ids are known is one request for each, which brings the name as well
SELECT name, profile_count FROM lists WHERE id IN ({list:0..1});
-- > GET /api/lists/{list:0}?additional-fields[list]=profile_count&fields[list]=name,profile_count
-- > GET /api/lists/{list:1}?additional-fields[list]=profile_count&fields[list]=name,profile_count
