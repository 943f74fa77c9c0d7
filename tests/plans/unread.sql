-- members of a list: when the first page is not all of them, the list tells how many there are
SELECT count(*) FROM list_profiles WHERE list_id = '{list:9}';
-- @with counts=aggregates
-- > GET /api/lists/{list:9}/profiles?fields[profile]=id&page[size]=100&sort=joined_group_at
-- > GET /api/lists/{list:9}?additional-fields[list]=profile_count&fields[list]=profile_count

-- a first page that is all of them
SELECT count(*) FROM list_profiles WHERE list_id = '{list:4}';
-- @with counts=aggregates
-- > GET /api/lists/{list:4}/profiles?fields[profile]=id&page[size]=100&sort=joined_group_at

-- by default, members are counted as they are read
SELECT count(*) FROM list_profiles WHERE list_id = '{list:9}';
-- @with parallel=1
-- > GET /api/lists/{list:9}/profiles?fields[profile]=id&page[size]=100&sort=joined_group_at
-- > GET /api/lists/{list:9}/profiles?fields[profile]=id&page[cursor]=…&page[size]=100&sort=joined_group_at x 3

-- members of a segment, grouped by what is the same of all
SELECT segment_id, count(*) FROM segment_profiles WHERE segment_id = '{segment:1}' GROUP BY segment_id;
-- @with counts=aggregates
-- > GET /api/segments/{segment:1}/profiles?fields[profile]=id&page[size]=100&sort=joined_group_at
-- > GET /api/segments/{segment:1}?additional-fields[segment]=profile_count&fields[segment]=profile_count

-- events of a metric and a range, in a statement that is not read before SQLite reads it
SELECT count(*) FROM received;
-- @with counts=aggregates
-- @before CREATE TEMP VIEW received AS SELECT * FROM events WHERE metric_id = '{metric:Received Email}' AND datetime >= '2025-01-01' AND datetime < '2026-11-01'
-- > GET /api/events?fields[event]=datetime&filter=equals(metric_id,"{metric:Received Email}"),greater-or-equal(datetime,2025-01-01T00:00:00Z),less-than(datetime,2026-11-01T00:00:00Z)&page[size]=1000&sort=datetime
-- > POST /api/metric-aggregates?filter=greater-or-equal(datetime,2025-01-01T00:00:00Z),less-than(datetime,2026-01-01T00:00:00Z)&interval=day&measurements=count&metric_id={metric:Received Email}&timezone=UTC
-- > POST /api/metric-aggregates?filter=greater-or-equal(datetime,2026-01-01T00:00:00Z),less-than(datetime,2026-11-01T00:00:00Z)&interval=day&measurements=count&metric_id={metric:Received Email}&timezone=UTC
