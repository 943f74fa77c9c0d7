-- a literal limit
SELECT id FROM profiles LIMIT 7;
-- > GET /api/profiles?fields[profile]=id&page[size]=7&sort=id

-- a bound limit
SELECT id FROM profiles LIMIT ?;
-- @bind [7]
-- > GET /api/profiles?fields[profile]=id&page[size]=7&sort=id

-- a limit and an offset
SELECT id FROM profiles LIMIT 7 OFFSET 5;
-- > GET /api/profiles?fields[profile]=id&page[size]=12&sort=id

-- a limit of more than a page: the second page is asked for, the third is not
SELECT id FROM profiles LIMIT 150;
-- > GET /api/profiles?fields[profile]=id&page[size]=100&sort=id
-- > GET /api/profiles?fields[profile]=id&page[cursor]=…&page[size]=100&sort=id

-- a limit that is a whole page needs no second
SELECT id FROM profiles LIMIT 100;
-- > GET /api/profiles?fields[profile]=id&page[size]=100&sort=id

-- a limit of nothing
SELECT id FROM profiles LIMIT 0;
-- > nothing

-- a limit of minus one is none
SELECT id FROM lists LIMIT -1;
-- > GET /api/lists?fields[list]=id&page[size]=10&sort=id
-- > GET /api/lists?fields[list]=id&page[cursor]=…&page[size]=10&sort=id

-- an order that is not Klaviyo's needs all rows
SELECT id FROM events WHERE datetime >= '2026-11-15' ORDER BY value LIMIT 3;
-- > GET /api/events?fields[event]=datetime,event_properties&filter=greater-or-equal(datetime,2026-11-15T00:00:00Z)&page[size]=1000&sort=datetime

-- a condition that is checked again needs whole pages
SELECT id FROM profiles WHERE created >= '2024-11-01' LIMIT 3;
-- > GET /api/profiles?fields[profile]=created&filter=greater-than(created,2024-10-31T23:59:59Z)&page[size]=100&sort=id

-- an expression is SQLite's, so whole pages
SELECT id FROM profiles WHERE lower(email) LIKE 'a%' LIMIT 1;
-- > GET /api/profiles?fields[profile]=email&page[size]=100&sort=id
-- > GET /api/profiles?fields[profile]=email&page[cursor]=…&page[size]=100&sort=id x 4

-- DISTINCT needs whole pages
SELECT DISTINCT location_country FROM profiles LIMIT 1;
-- > GET /api/profiles?fields[profile]=location.country&page[size]=100&sort=id

-- an aggregate needs all rows, however few come out
SELECT count(*) FROM lists LIMIT 1;
-- > GET /api/lists?fields[list]=id&page[size]=10&sort=id
-- > GET /api/lists?fields[list]=id&page[cursor]=…&page[size]=10&sort=id

-- fetching one row of many is one request
SELECT id FROM profiles;
-- @fetch 1
-- > GET /api/profiles?fields[profile]=id&page[size]=100&sort=id

-- fetching one row more than a page is two
SELECT id FROM profiles;
-- @fetch 101
-- > GET /api/profiles?fields[profile]=id&page[size]=100&sort=id
-- > GET /api/profiles?fields[profile]=id&page[cursor]=…&page[size]=100&sort=id
