-- all statistics that are read in one request; the revenue metric is looked up first
SELECT campaign_id, recipients, open_rate FROM campaign_values('last_7_days');
-- > GET /api/metrics?fields[metric]=created,integration,name
-- > POST /api/campaign-values-reports?conversion_metric_id={metric:Placed Order}&statistics=open_rate,recipients&timeframe={'key': 'last_7_days'}

-- an IN on a grouping is a filter
SELECT submits FROM form_values WHERE form_id IN ('a', 'b') AND timeframe = 'yesterday';
-- > POST /api/form-values-reports?filter=any(form_id,["a","b"])&statistics=submits&timeframe={'key': 'yesterday'}

-- one channel, and a grouping by name
SELECT clicks FROM flow_values WHERE send_channel = 'email' AND flow_name = 'x' AND group_by = 'flow_id,flow_message_id,flow_name,send_channel' AND conversion_metric_id = '{metric:Placed Order}';
-- > POST /api/flow-values-reports?conversion_metric_id={metric:Placed Order}&filter=equals(flow_name,"x"),equals(send_channel,"email")&group_by=flow_id,flow_message_id,flow_name,send_channel&statistics=clicks&timeframe={'key': 'last_30_days'}

-- a value of another table's row is no filter: one report, and its rows joined
SELECT lists.name, total_members FROM lists LEFT JOIN segment_values ON segment_id = lists.id;
-- > GET /api/lists?fields[list]=name&page[size]=10&sort=id
-- > POST /api/segment-values-reports?statistics=total_members&timeframe={'key': 'last_30_days'}
-- > GET /api/lists?fields[list]=name&page[cursor]=…&page[size]=10&sort=id

-- nothing but rows: one statistic all the same
SELECT count(*) FROM segment_series('weekly', 'last_90_days');
-- > POST /api/segment-series-reports?interval=weekly&statistics=total_members&timeframe={'key': 'last_90_days'}

-- dates are those of the account's clock, whatever offset they come with
SELECT submits FROM form_series WHERE since = '2026-11-01' AND until = '2026-11-05T00:00:00Z';
-- > GET /api/accounts?fields[account]=timezone
-- > POST /api/form-series-reports?interval=daily&statistics=submits&timeframe={'start': '2026-11-01T00:00:00+00:00', 'end': '2026-11-04T19:00:00+00:00'}

-- what a report is not grouped by is NULL
SELECT submits FROM form_values WHERE form_version_id = 'a';
-- > nothing

-- two years of a metric in two requests, all measurements in each
SELECT count, unique_count FROM metric_aggregates('{metric:Placed Order}', 'month') WHERE timezone = 'UTC' AND since = '2024-11-01' AND until = '2026-11-01' AND by = '$message';
-- > POST /api/metric-aggregates?by=$message&filter=greater-or-equal(datetime,2024-11-01T00:00:00Z),less-than(datetime,2025-11-01T00:00:00Z)&interval=month&measurements=count,unique&metric_id={metric:Placed Order}&timezone=UTC
-- > POST /api/metric-aggregates?by=$message&filter=greater-or-equal(datetime,2025-11-01T00:00:00Z),less-than(datetime,2026-11-01T00:00:00Z)&interval=month&measurements=count,unique&metric_id={metric:Placed Order}&timezone=UTC

-- a range is that of the whole periods that begin inside it
SELECT count FROM metric_aggregates WHERE metric_id = '{metric:Placed Order}' AND interval = 'week' AND timezone = 'Europe/Berlin' AND since = '2026-10-20' AND until = '2026-10-27';
-- > POST /api/metric-aggregates?filter=greater-or-equal(datetime,2026-10-25T23:00:00Z),less-than(datetime,2026-11-01T23:00:00Z)&interval=week&measurements=count&metric_id={metric:Placed Order}&timezone=Europe/Berlin

-- hours
SELECT sum_value FROM metric_aggregates('{metric:Placed Order}', 'hour') WHERE timezone = 'UTC' AND since = '2026-11-19T10:30:00Z' AND until = '2026-11-19T20:00:00Z';
-- > POST /api/metric-aggregates?filter=greater-or-equal(datetime,2026-11-19T11:00:00Z),less-than(datetime,2026-11-19T20:00:00Z)&interval=hour&measurements=sum_value&metric_id={metric:Placed Order}&timezone=UTC

-- an argument that is NULL is a condition that is never true
SELECT count FROM metric_aggregates('{metric:Placed Order}', NULL);
-- > nothing
