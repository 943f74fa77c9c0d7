-- a bare date is its first second
SELECT id FROM events WHERE datetime >= '2026-11-20';
-- > GET /api/events?fields[event]=datetime&filter=greater-or-equal(datetime,2026-11-20T00:00:00Z)&page[size]=1000&sort=datetime

-- T and Z
SELECT id FROM events WHERE datetime >= '2026-11-20T08:00:00Z';
-- > GET /api/events?fields[event]=datetime&filter=greater-or-equal(datetime,2026-11-20T08:00:00Z)&page[size]=1000&sort=datetime

-- an offset is brought to UTC
SELECT id FROM events WHERE datetime >= '2026-11-20T08:00:00+02:00';
-- > GET /api/events?fields[event]=datetime&filter=greater-or-equal(datetime,2026-11-20T06:00:00Z)&page[size]=1000&sort=datetime

-- a negative offset crosses midnight
SELECT id FROM events WHERE datetime >= '2026-11-19 20:00:00-05:00';
-- > GET /api/events?fields[event]=datetime&filter=greater-or-equal(datetime,2026-11-20T01:00:00Z)&page[size]=1000&sort=datetime

-- a fraction at a lower end is the next second
SELECT id FROM events WHERE datetime >= '2026-11-20 08:00:00.5';
-- > GET /api/events?fields[event]=datetime&filter=greater-or-equal(datetime,2026-11-20T08:00:01Z)&page[size]=1000&sort=datetime

-- a fraction behind > is that second and later
SELECT id FROM events WHERE datetime > '2026-11-20 08:00:00.5';
-- > GET /api/events?fields[event]=datetime&filter=greater-than(datetime,2026-11-20T08:00:00Z)&page[size]=1000&sort=datetime

-- a fraction at an upper end is the second before
SELECT id FROM events WHERE datetime <= '2024-11-25 08:00:00.5';
-- > GET /api/events?fields[event]=datetime&filter=less-or-equal(datetime,2024-11-25T08:00:00Z)&page[size]=1000&sort=datetime

-- a fraction behind < is that second too
SELECT id FROM events WHERE datetime < '2024-11-25 08:00:00.5';
-- > GET /api/events?fields[event]=datetime&filter=less-than(datetime,2024-11-25T08:00:01Z)&page[size]=1000&sort=datetime

-- no event happens at a fraction of a second
SELECT id FROM events WHERE datetime = '2026-11-20 08:00:00.5';
-- > nothing

-- a week date
SELECT id FROM events WHERE datetime >= '2026-W47-5';
-- > GET /api/events?fields[event]=datetime&filter=greater-or-equal(datetime,2026-11-20T00:00:00Z)&page[size]=1000&sort=datetime

-- a month alone
SELECT id FROM events WHERE datetime < '2024-12' LIMIT 1;
-- > GET /api/events?fields[event]=datetime&filter=less-than(datetime,2024-12-01T00:00:00Z)&page[size]=1&sort=datetime

-- a date of SQLite's own making
SELECT id FROM events WHERE datetime >= date('2026-11-20', '-1 day') LIMIT 1;
-- > GET /api/events?fields[event]=datetime&filter=greater-or-equal(datetime,2026-11-19T00:00:00Z)&page[size]=1&sort=datetime

-- two ways to write one instant are one
SELECT id FROM events WHERE datetime = '2026-11-20T08:00:00Z' AND datetime = '2026-11-20 03:00:00-05:00';
-- > GET /api/events?fields[event]=datetime&filter=greater-or-equal(datetime,2026-11-20T08:00:00Z),less-or-equal(datetime,2026-11-20T08:00:00Z)&page[size]=1000&sort=datetime

-- three instants are three ranges
SELECT id FROM events WHERE datetime IN ('2026-11-20', '2026-11-19', '2026-11-18');
-- > GET /api/events?fields[event]=datetime&filter=greater-or-equal(datetime,2026-11-18T00:00:00Z),less-or-equal(datetime,2026-11-18T00:00:00Z)&page[size]=1000&sort=datetime
-- > GET /api/events?fields[event]=datetime&filter=greater-or-equal(datetime,2026-11-19T00:00:00Z),less-or-equal(datetime,2026-11-19T00:00:00Z)&page[size]=1000&sort=datetime
-- > GET /api/events?fields[event]=datetime&filter=greater-or-equal(datetime,2026-11-20T00:00:00Z),less-or-equal(datetime,2026-11-20T00:00:00Z)&page[size]=1000&sort=datetime

-- microseconds at the lower end of a column that has them
SELECT id FROM profiles WHERE suppression_timestamp > '2026-01-01 10:00:00.25';
-- > GET /api/profiles?additional-fields[profile]=subscriptions&fields[profile]=subscriptions.email.marketing.suppression&filter=greater-than(subscriptions.email.marketing.suppression.timestamp,2026-01-01T10:00:00Z)&page[size]=100&sort=id
