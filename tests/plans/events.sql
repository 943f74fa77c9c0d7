-- a metric and a start: both filters are Klaviyo's, and the page is the limit
SELECT * FROM events WHERE metric_id = '{metric:Placed Order}' AND datetime >= '2026-01-01' LIMIT 10;
-- > GET /api/events?fields[event]=datetime,event_properties,timestamp,uuid&fields[profile]=id&filter=equals(metric_id,"{metric:Placed Order}"),greater-or-equal(datetime,2026-01-01T00:00:00Z)&include=profile&page[size]=10&sort=datetime

-- one metric: its id is known, so it is not included
SELECT metric_id, datetime FROM events WHERE metric_id = '{metric:Placed Order}' LIMIT 10;
-- > GET /api/events?fields[event]=datetime&filter=equals(metric_id,"{metric:Placed Order}")&page[size]=10&sort=datetime

-- two metrics are two scans
SELECT id FROM events WHERE metric_id IN ('{metric:Placed Order}', '{metric:Refunded Order}');
-- > GET /api/events?fields[event]=id&filter=equals(metric_id,"{metric:Placed Order}")&page[size]=1000&sort=datetime
-- > GET /api/events?fields[event]=id&filter=equals(metric_id,"{metric:Refunded Order}")&page[size]=1000&sort=datetime

-- two metrics in order of time are two scans, merged
SELECT id, metric_id FROM events WHERE metric_id IN ('{metric:Placed Order}', '{metric:Refunded Order}') ORDER BY datetime DESC LIMIT 5;
-- > GET /api/events?fields[event]=datetime&filter=equals(metric_id,"{metric:Placed Order}")&page[size]=5&sort=-datetime
-- > GET /api/events?fields[event]=datetime&filter=equals(metric_id,"{metric:Refunded Order}")&page[size]=5&sort=-datetime

-- one profile
SELECT id FROM events WHERE profile_id = '{profile:0}';
-- > GET /api/events?fields[event]=id&filter=equals(profile_id,"{profile:0}")&page[size]=1000&sort=datetime

-- a profile and a metric
SELECT id FROM events WHERE profile_id = '{profile:0}' AND metric_id = '{metric:Opened Email}';
-- > GET /api/events?fields[event]=id&filter=equals(profile_id,"{profile:0}"),equals(metric_id,"{metric:Opened Email}")&page[size]=1000&sort=datetime

-- events with a profile
SELECT id FROM events WHERE profile_id IS NOT NULL LIMIT 10;
-- > GET /api/events?fields[event]=id&fields[profile]=id&filter=has(profile)&include=profile&page[size]=1000&sort=datetime

-- events with a metric
SELECT id FROM events WHERE metric_id IS NOT NULL LIMIT 10;
-- > GET /api/events?fields[event]=id&fields[metric]=id&filter=has(metric)&include=metric&page[size]=1000&sort=datetime

-- at or after
SELECT id FROM events WHERE datetime >= '2026-11-19 12:00:00' LIMIT 10;
-- > GET /api/events?fields[event]=datetime&filter=greater-or-equal(datetime,2026-11-19T12:00:00Z)&page[size]=10&sort=datetime

-- after
SELECT id FROM events WHERE datetime > '2026-11-19 12:00:00' LIMIT 10;
-- > GET /api/events?fields[event]=datetime&filter=greater-than(datetime,2026-11-19T12:00:00Z)&page[size]=10&sort=datetime

-- before
SELECT id FROM events WHERE datetime < '2026-11-19 12:00:00' LIMIT 10;
-- > GET /api/events?fields[event]=datetime&filter=less-than(datetime,2026-11-19T12:00:00Z)&page[size]=10&sort=datetime

-- at or before
SELECT id FROM events WHERE datetime <= '2026-11-19 12:00:00' LIMIT 10;
-- > GET /api/events?fields[event]=datetime&filter=less-or-equal(datetime,2026-11-19T12:00:00Z)&page[size]=10&sort=datetime

-- at one second: Klaviyo has no =, so both ends
SELECT id FROM events WHERE datetime = '2026-11-19 12:00:00';
-- > GET /api/events?fields[event]=datetime&filter=greater-or-equal(datetime,2026-11-19T12:00:00Z),less-or-equal(datetime,2026-11-19T12:00:00Z)&page[size]=1000&sort=datetime

-- a half-open day
SELECT id FROM events WHERE datetime >= '2026-11-19' AND datetime < '2026-11-20';
-- > GET /api/events?fields[event]=datetime&filter=greater-or-equal(datetime,2026-11-19T00:00:00Z),less-than(datetime,2026-11-20T00:00:00Z)&page[size]=1000&sort=datetime

-- a closed range
SELECT id FROM events WHERE datetime BETWEEN '2026-11-19' AND '2026-11-20';
-- > GET /api/events?fields[event]=datetime&filter=greater-or-equal(datetime,2026-11-19T00:00:00Z),less-or-equal(datetime,2026-11-20T00:00:00Z)&page[size]=1000&sort=datetime

-- two bounds on one end: the narrower one
SELECT id FROM events WHERE datetime > '2026-11-01' AND datetime > '2026-11-19' LIMIT 5;
-- > GET /api/events?fields[event]=datetime&filter=greater-than(datetime,2026-11-19T00:00:00Z)&page[size]=5&sort=datetime

-- seconds since 1970, at or after
SELECT id FROM events WHERE timestamp >= 1795000000 LIMIT 5;
-- > GET /api/events?fields[event]=timestamp&filter=greater-or-equal(timestamp,1795000000)&page[size]=5&sort=datetime

-- seconds since 1970, after
SELECT id FROM events WHERE timestamp > 1795000000 LIMIT 5;
-- > GET /api/events?fields[event]=timestamp&filter=greater-than(timestamp,1795000000)&page[size]=5&sort=datetime

-- seconds since 1970, before and at or before
SELECT id FROM events WHERE timestamp < 1795000000 AND timestamp <= 1794990000 LIMIT 5;
-- > GET /api/events?fields[event]=timestamp&filter=less-or-equal(timestamp,1794990000)&page[size]=5&sort=datetime

-- a second since 1970 with a fraction
SELECT id FROM events WHERE timestamp >= 1795000000.5 LIMIT 5;
-- > GET /api/events?fields[event]=timestamp&filter=greater-or-equal(timestamp,1795000001)&page[size]=5&sort=datetime

-- newest first
SELECT id FROM events ORDER BY datetime DESC LIMIT 10;
-- > GET /api/events?fields[event]=datetime&page[size]=10&sort=-datetime

-- newest first by the number
SELECT id FROM events ORDER BY timestamp DESC LIMIT 10;
-- > GET /api/events?fields[event]=timestamp&page[size]=10&sort=-timestamp

-- oldest first by the number
SELECT id FROM events ORDER BY timestamp LIMIT 10;
-- > GET /api/events?fields[event]=timestamp&page[size]=10&sort=timestamp

-- how many: ids only, nothing included
SELECT count(*) FROM events;
-- > GET /api/events?fields[event]=id&page[size]=1000&sort=datetime
-- > GET /api/events?fields[event]=id&page[cursor]=…&page[size]=1000&sort=datetime x 6

-- how many of each metric: the metric is included, the profile is not
SELECT metric_id, count(*) FROM events GROUP BY metric_id;
-- > GET /api/events?fields[event]=id&fields[metric]=id&include=metric&page[size]=1000&sort=datetime
-- > GET /api/events?fields[event]=id&fields[metric]=id&include=metric&page[cursor]=…&page[size]=1000&sort=datetime x 6

-- the metric and the profile are included when they are read
SELECT metric_id, profile_id FROM events LIMIT 5;
-- > GET /api/events?fields[event]=id&fields[metric]=id&fields[profile]=id&include=metric,profile&page[size]=5&sort=datetime

-- the profile is not included when it is known
SELECT profile_id, metric_id FROM events WHERE profile_id = '{profile:0}' LIMIT 5;
-- > GET /api/events?fields[event]=id&fields[metric]=id&filter=equals(profile_id,"{profile:0}")&include=metric&page[size]=5&sort=datetime

-- the value is one property
SELECT value FROM events LIMIT 5;
-- > GET /api/events?fields[event]=event_properties&page[size]=5&sort=datetime

-- the value and all properties are one field
SELECT value, event_properties FROM events LIMIT 5;
-- > GET /api/events?fields[event]=event_properties&page[size]=5&sort=datetime

-- the newest event of all is one request
SELECT max(datetime) FROM events;
-- > GET /api/events?fields[event]=datetime&page[size]=1000&sort=-datetime

-- the oldest
SELECT min(datetime) FROM events;
-- > GET /api/events?fields[event]=datetime&page[size]=1000&sort=datetime

-- one primary key
SELECT datetime FROM events WHERE id = '{event:0}';
-- > GET /api/events/{event:0}?fields[event]=datetime

-- three primary keys are three requests, because Klaviyo has no list of them
SELECT datetime FROM events WHERE id IN ({event:0..2});
-- > GET /api/events/{event:1}?fields[event]=datetime
-- > GET /api/events/{event:2}?fields[event]=datetime
-- > GET /api/events/{event:0}?fields[event]=datetime

-- a condition on a property is SQLite's: whole pages until there are enough
SELECT id FROM events WHERE value > 100 LIMIT 3;
-- > GET /api/events?fields[event]=event_properties&page[size]=1000&sort=datetime

-- a metric by its name, asked for first
SELECT id FROM events WHERE metric_id = (SELECT id FROM metrics WHERE name = 'Placed Order') LIMIT 5;
-- > GET /api/metrics?fields[metric]=name
-- > GET /api/events?fields[event]=id&filter=equals(metric_id,"{metric:Placed Order}")&page[size]=5&sort=datetime

-- metrics by their names
SELECT count(*) FROM events WHERE metric_id IN (SELECT id FROM metrics WHERE name = 'Viewed Product');
-- > GET /api/metrics?fields[metric]=name
-- > GET /api/events?fields[event]=id&filter=equals(metric_id,"{metric:4}")&page[size]=1000&sort=datetime
-- > GET /api/events?fields[event]=id&filter=equals(metric_id,"{metric:3}")&page[size]=1000&sort=datetime

-- both kinds of id, one page: nothing but ids of what is related
SELECT id, metric_id, profile_id, datetime FROM events WHERE datetime >= '2026-11-20';
-- > GET /api/events?fields[event]=datetime&fields[metric]=id&fields[profile]=id&filter=greater-or-equal(datetime,2026-11-20T00:00:00Z)&include=metric,profile&page[size]=1000&sort=datetime

-- OR over a metric and a profile is a union of two scans
SELECT id FROM events WHERE metric_id = '{metric:Refunded Order}' OR profile_id = '{profile:0}';
-- > GET /api/events?fields[event]=id&fields[profile]=id&filter=equals(metric_id,"{metric:Refunded Order}")&include=profile&page[size]=1000&sort=datetime
-- > GET /api/events?fields[event]=id&fields[metric]=id&filter=equals(profile_id,"{profile:0}")&include=metric&page[size]=1000&sort=datetime
