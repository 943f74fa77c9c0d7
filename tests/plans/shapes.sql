-- a view pushes what is asked of it
SELECT email FROM newest WHERE id = '{profile:0}';
-- @before CREATE TEMP VIEW newest AS SELECT id, email, created FROM profiles
-- > GET /api/profiles/{profile:0}?fields[profile]=email

-- a view with an order and a limit
SELECT email FROM newest LIMIT 4;
-- @before CREATE TEMP VIEW newest AS SELECT id, email, created FROM profiles ORDER BY created DESC
-- > GET /api/profiles?fields[profile]=created,email&page[size]=4&sort=-created

-- a CTE is inlined
WITH bought AS (SELECT * FROM events WHERE metric_id = '{metric:Placed Order}') SELECT id FROM bought WHERE datetime >= '2026-11-01' LIMIT 4;
-- > GET /api/events?fields[event]=datetime&filter=equals(metric_id,"{metric:Placed Order}"),greater-or-equal(datetime,2026-11-01T00:00:00Z)&page[size]=4&sort=datetime

-- a materialized CTE asks with its own conditions only
WITH bought AS MATERIALIZED (SELECT id, datetime FROM events WHERE metric_id = '{metric:Refunded Order}') SELECT id FROM bought WHERE datetime >= '2026-11-01';
-- > GET /api/events?fields[event]=datetime&filter=equals(metric_id,"{metric:Refunded Order}")&page[size]=1000&sort=datetime

-- the second arm of a union is not opened when the first is enough
SELECT id FROM lists UNION ALL SELECT id FROM segments LIMIT 4;
-- > GET /api/lists?fields[list]=id&page[size]=4&sort=id

-- the second arm of a union is opened when the first is not enough
SELECT id FROM lists UNION ALL SELECT id FROM segments LIMIT 15;
-- > GET /api/lists?fields[list]=id&page[size]=10&sort=id
-- > GET /api/lists?fields[list]=id&page[cursor]=…&page[size]=10&sort=id
-- > GET /api/segments?fields[segment]=id&page[size]=10&sort=id

-- both arms of an ordered union keep Klaviyo's order
SELECT id, created FROM lists UNION ALL SELECT id, created FROM segments ORDER BY created DESC LIMIT 3;
-- > GET /api/lists?fields[list]=created&page[size]=10&sort=-created
-- > GET /api/segments?fields[segment]=created&page[size]=10&sort=-created

-- EXISTS needs one row
SELECT EXISTS (SELECT 1 FROM events WHERE metric_id = '{metric:Placed Order}');
-- > GET /api/events?fields[event]=id&filter=equals(metric_id,"{metric:Placed Order}")&page[size]=1&sort=datetime

-- CREATE TABLE AS keeps the limit
CREATE TEMP TABLE kept AS SELECT id FROM profiles LIMIT 5;
-- > GET /api/profiles?fields[profile]=id&page[size]=5&sort=id

-- INSERT from Klaviyo keeps the conditions
INSERT INTO kept SELECT id FROM events WHERE metric_id = '{metric:Refunded Order}' AND datetime >= '2026-11-01';
-- @before CREATE TEMP TABLE kept (id)
-- > GET /api/events?fields[event]=datetime&filter=equals(metric_id,"{metric:Refunded Order}"),greater-or-equal(datetime,2026-11-01T00:00:00Z)&page[size]=1000&sort=datetime

-- a window needs all rows, in Klaviyo's order
SELECT id, row_number() OVER (ORDER BY created) FROM lists;
-- > GET /api/lists?fields[list]=created&page[size]=10&sort=created
-- > GET /api/lists?fields[list]=created&page[cursor]=…&page[size]=10&sort=created

-- HAVING on the group is pushed
SELECT metric_id, count(*) FROM events GROUP BY metric_id HAVING metric_id = '{metric:Refunded Order}';
-- > GET /api/events?fields[event]=id&filter=equals(metric_id,"{metric:Refunded Order}")&page[size]=1000&sort=datetime

-- the same name in PascalCase
SELECT ListId, ProfileId FROM ListProfiles WHERE ListId = '{list:0}' LIMIT 2;
-- > GET /api/lists/{list:0}/profiles?fields[profile]=id&page[size]=2&sort=joined_group_at

-- table and column names ignore case
SELECT EMAIL FROM Profiles WHERE ID = '{profile:0}';
-- > GET /api/profiles/{profile:0}?fields[profile]=email
