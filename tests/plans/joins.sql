-- events with their metrics' names: the metrics are read whole, once
SELECT m.name, e.datetime FROM events e JOIN metrics m ON m.id = e.metric_id WHERE e.datetime >= '2026-11-15';
-- > GET /api/events?fields[event]=datetime&fields[metric]=id&filter=greater-or-equal(datetime,2026-11-15T00:00:00Z)&include=metric&page[size]=1000&sort=datetime
-- > GET /api/metrics?fields[metric]=name

-- a left join too
SELECT m.name FROM events e LEFT JOIN metrics m ON m.id = e.metric_id WHERE e.datetime >= '2026-11-15';
-- > GET /api/events?fields[event]=datetime&fields[metric]=id&filter=greater-or-equal(datetime,2026-11-15T00:00:00Z)&include=metric&page[size]=1000&sort=datetime
-- > GET /api/metrics?fields[metric]=name

-- one metric and its events: a request for each, in whichever order
SELECT count(*) FROM metrics m JOIN events e ON e.metric_id = m.id WHERE m.id = '{metric:Placed Order}';
-- @unordered
-- > GET /api/metrics/{metric:Placed Order}?fields[metric]=id
-- > GET /api/events?fields[event]=id&filter=equals(metric_id,"{metric:Placed Order}")&page[size]=1000&sort=datetime

-- the members of a list and the list's name
SELECT l.name, p.profile_id FROM lists l JOIN list_profiles p ON p.list_id = l.id WHERE l.id = '{list:0}' LIMIT 2;
-- @unordered
-- > GET /api/lists/{list:0}?fields[list]=name
-- > GET /api/lists/{list:0}/profiles?fields[profile]=id&page[size]=100&sort=joined_group_at

-- the events of two profiles
SELECT count(*) FROM events WHERE profile_id IN ({profile:0..1});
-- > GET /api/events?fields[event]=id&filter=equals(profile_id,"{profile:0}")&page[size]=1000&sort=datetime
-- > GET /api/events?fields[event]=id&filter=equals(profile_id,"{profile:1}")&page[size]=1000&sort=datetime

-- an order in a subquery keeps its limit
SELECT count(*) FROM (SELECT id FROM profiles ORDER BY created DESC LIMIT 5);
-- > GET /api/profiles?fields[profile]=created&page[size]=5&sort=-created

-- a scalar subquery is run once
SELECT (SELECT count(*) FROM lists), name FROM segments;
-- > GET /api/segments?fields[segment]=name&page[size]=10&sort=id
-- > GET /api/lists?fields[list]=id&page[size]=10&sort=id
-- > GET /api/lists?fields[list]=id&page[cursor]=…&page[size]=10&sort=id
-- > GET /api/segments?fields[segment]=name&page[cursor]=…&page[size]=10&sort=id

-- two tables without a condition: the inner one comes from the cache
SELECT count(*) FROM lists a, lists b;
-- > GET /api/lists?fields[list]=id&page[size]=10&sort=id
-- > GET /api/lists?fields[list]=id&page[cursor]=…&page[size]=10&sort=id
