-- one primary key is one request for the resource itself
SELECT email FROM profiles WHERE id = '{profile:0}';
-- > GET /api/profiles/{profile:0}?fields[profile]=email

-- a primary key that does not exist is asked for once
SELECT email FROM profiles WHERE id = '{none:0}';
-- > GET /api/profiles/NONE0000?fields[profile]=email

-- several primary keys are one list request
SELECT email FROM profiles WHERE id IN ({profile:0..2});
-- > GET /api/profiles?fields[profile]=email&filter=any(id,["{profile:0}","{profile:1}","{profile:2}"])&page[size]=100&sort=id

-- the same by OR
SELECT email FROM profiles WHERE id = '{profile:0}' OR id = '{profile:1}';
-- > GET /api/profiles?fields[profile]=email&filter=any(id,[{profile:0..1}])&page[size]=100&sort=id

-- 150 ids are two requests
SELECT email FROM profiles WHERE id IN ({profile:0..149});
-- > GET /api/profiles?fields[profile]=email&filter=any(id,[{profile:0..99}])&page[size]=100&sort=id
-- > GET /api/profiles?fields[profile]=email&filter=any(id,[{profile:100..149}])&page[size]=100&sort=id

-- 1,000 ids are ten
SELECT count(email) FROM profiles WHERE id IN ({none:0..999});
-- > GET /api/profiles?fields[profile]=email&filter=any(id,[{none:0..99}])&page[size]=100&sort=id
-- > GET /api/profiles?fields[profile]=email&filter=any(id,[{none:100..199}])&page[size]=100&sort=id
-- > GET /api/profiles?fields[profile]=email&filter=any(id,[{none:200..299}])&page[size]=100&sort=id
-- > GET /api/profiles?fields[profile]=email&filter=any(id,[{none:300..399}])&page[size]=100&sort=id
-- > GET /api/profiles?fields[profile]=email&filter=any(id,[{none:400..499}])&page[size]=100&sort=id
-- > GET /api/profiles?fields[profile]=email&filter=any(id,[{none:500..599}])&page[size]=100&sort=id
-- > GET /api/profiles?fields[profile]=email&filter=any(id,[{none:600..699}])&page[size]=100&sort=id
-- > GET /api/profiles?fields[profile]=email&filter=any(id,[{none:700..799}])&page[size]=100&sort=id
-- > GET /api/profiles?fields[profile]=email&filter=any(id,[{none:800..899}])&page[size]=100&sort=id
-- > GET /api/profiles?fields[profile]=email&filter=any(id,[{none:900..999}])&page[size]=100&sort=id

-- ids from json_each are known before the scan
SELECT email FROM profiles WHERE id IN (SELECT value FROM json_each(?));
-- @bind ["[\"{profile:0}\",\"{profile:1}\"]"]
-- > GET /api/profiles?fields[profile]=email&filter=any(id,["{profile:0}","{profile:1}"])&page[size]=100&sort=id

-- email equality
SELECT id FROM profiles WHERE email = '{email:0}';
-- > GET /api/profiles?fields[profile]=email&filter=equals(email,"{email:0}")&page[size]=100&sort=id

-- email in a list
SELECT id FROM profiles WHERE email IN ({email:0..1});
-- > GET /api/profiles?fields[profile]=email&filter=any(email,["{email:0}","{email:1}"])&page[size]=100&sort=id

-- 120 emails are two requests
SELECT id FROM profiles WHERE email IN ({email:0..119});
-- > GET /api/profiles?fields[profile]=email&filter=any(email,[{email:0..99}])&page[size]=100&sort=id
-- > GET /api/profiles?fields[profile]=email&filter=any(email,[{email:100..119}])&page[size]=100&sort=id

-- phone_number equality
SELECT id FROM profiles WHERE phone_number = '{phone:0}';
-- > GET /api/profiles?fields[profile]=phone_number&filter=equals(phone_number,"{phone:0}")&page[size]=100&sort=id

-- phone_number in a list
SELECT id FROM profiles WHERE phone_number IN ({phone:0..1});
-- > GET /api/profiles?fields[profile]=phone_number&filter=any(phone_number,["{phone:0}","{phone:1}"])&page[size]=100&sort=id

-- external_id equality
SELECT id FROM profiles WHERE external_id = '{external:0}';
-- > GET /api/profiles?fields[profile]=external_id&filter=equals(external_id,"{external:0}")&page[size]=100&sort=id

-- external_id in a list
SELECT id FROM profiles WHERE external_id IN ({external:0..1});
-- > GET /api/profiles?fields[profile]=external_id&filter=any(external_id,["{external:0}","{external:1}"])&page[size]=100&sort=id

-- the exchange id of a tracked link is an argument, left out of SELECT *
SELECT email FROM profiles WHERE kx = '{kx:0}';
-- > GET /api/profiles?fields[profile]=email&filter=equals(_kx,"{kx:0}")&page[size]=100&sort=id

-- two exchange ids are two requests, because Klaviyo has no list of them
SELECT email, kx FROM profiles WHERE kx IN ({kx:0..1});
-- > GET /api/profiles?fields[profile]=email&filter=equals(_kx,"{kx:0}")&page[size]=100&sort=id
-- > GET /api/profiles?fields[profile]=email&filter=equals(_kx,"{kx:1}")&page[size]=100&sort=id

-- created after: strict as Klaviyo is
SELECT id FROM profiles WHERE created > '2026-11-01';
-- > GET /api/profiles?fields[profile]=created&filter=greater-than(created,2026-11-01T00:00:00Z)&page[size]=100&sort=id

-- created at or after: one second wider, because Klaviyo has only >
SELECT id FROM profiles WHERE created >= '2026-11-01';
-- > GET /api/profiles?fields[profile]=created&filter=greater-than(created,2026-10-31T23:59:59Z)&page[size]=100&sort=id

-- created before: strict as Klaviyo is
SELECT id FROM profiles WHERE created < '2024-12-01';
-- > GET /api/profiles?fields[profile]=created&filter=less-than(created,2024-12-01T00:00:00Z)&page[size]=100&sort=id

-- created at or before: what is shown as a second may be later within it, so one wider
SELECT id FROM profiles WHERE created <= '2024-12-01';
-- > GET /api/profiles?fields[profile]=created&filter=less-than(created,2024-12-01T00:00:01Z)&page[size]=100&sort=id

-- created between: both ends wider
SELECT id FROM profiles WHERE created BETWEEN '2025-01-01' AND '2025-01-31';
-- > GET /api/profiles?fields[profile]=created&filter=greater-than(created,2024-12-31T23:59:59Z),less-than(created,2025-01-31T00:00:01Z)&page[size]=100&sort=id

-- created equal: a second on both sides
SELECT id FROM profiles WHERE created = '2025-01-01 00:00:00';
-- > GET /api/profiles?fields[profile]=created&filter=greater-than(created,2024-12-31T23:59:59Z),less-than(created,2025-01-01T00:00:01Z)&page[size]=100&sort=id

-- updated in a range
SELECT id FROM profiles WHERE updated > '2026-11-01' AND updated < '2026-11-10';
-- > GET /api/profiles?fields[profile]=updated&filter=greater-than(updated,2026-11-01T00:00:00Z),less-than(updated,2026-11-10T00:00:00Z)&page[size]=100&sort=id

-- a suppression reason
SELECT email FROM profiles WHERE suppression_reason = 'HARD_BOUNCE';
-- > GET /api/profiles?additional-fields[profile]=subscriptions&fields[profile]=email,subscriptions.email.marketing.suppression&filter=equals(subscriptions.email.marketing.suppression.reason,"HARD_BOUNCE")&page[size]=100&sort=id

-- two suppression reasons are two scans
SELECT email FROM profiles WHERE suppression_reason IN ('HARD_BOUNCE', 'UNSUBSCRIBE');
-- > GET /api/profiles?additional-fields[profile]=subscriptions&fields[profile]=email,subscriptions.email.marketing.suppression&filter=equals(subscriptions.email.marketing.suppression.reason,"HARD_BOUNCE")&page[size]=100&sort=id
-- > GET /api/profiles?additional-fields[profile]=subscriptions&fields[profile]=email,subscriptions.email.marketing.suppression&filter=equals(subscriptions.email.marketing.suppression.reason,"UNSUBSCRIBE")&page[size]=100&sort=id

-- suppressed at or after a time
SELECT email FROM profiles WHERE suppression_timestamp >= '2026-01-01';
-- > GET /api/profiles?additional-fields[profile]=subscriptions&fields[profile]=email,subscriptions.email.marketing.suppression&filter=greater-or-equal(subscriptions.email.marketing.suppression.timestamp,2026-01-01T00:00:00Z)&page[size]=100&sort=id

-- suppressed after a time
SELECT email FROM profiles WHERE suppression_timestamp > '2026-01-01';
-- > GET /api/profiles?additional-fields[profile]=subscriptions&fields[profile]=email,subscriptions.email.marketing.suppression&filter=greater-than(subscriptions.email.marketing.suppression.timestamp,2026-01-01T00:00:00Z)&page[size]=100&sort=id

-- suppressed before a time
SELECT email FROM profiles WHERE suppression_timestamp < '2026-01-01';
-- > GET /api/profiles?additional-fields[profile]=subscriptions&fields[profile]=email,subscriptions.email.marketing.suppression&filter=less-than(subscriptions.email.marketing.suppression.timestamp,2026-01-01T00:00:00Z)&page[size]=100&sort=id

-- suppressed at or before a time
SELECT email FROM profiles WHERE suppression_timestamp <= '2026-01-01';
-- > GET /api/profiles?additional-fields[profile]=subscriptions&fields[profile]=email,subscriptions.email.marketing.suppression&filter=less-than(subscriptions.email.marketing.suppression.timestamp,2026-01-01T00:00:01Z)&page[size]=100&sort=id

-- suppressions of one list
SELECT email FROM profiles WHERE list_suppression_list_id = '{list:0}';
-- > GET /api/profiles?additional-fields[profile]=subscriptions&fields[profile]=email,subscriptions.email.marketing.list_suppressions&filter=equals(subscriptions.email.marketing.list_suppressions.list_id,"{list:0}")&page[size]=100&sort=id

-- the reason of a list suppression
SELECT email FROM profiles WHERE list_suppression_reason = 'USER_SUPPRESSED';
-- > GET /api/profiles?additional-fields[profile]=subscriptions&fields[profile]=email,subscriptions.email.marketing.list_suppressions&filter=equals(subscriptions.email.marketing.list_suppressions.reason,"USER_SUPPRESSED")&page[size]=100&sort=id

-- list suppressions in a range
SELECT email FROM profiles WHERE list_suppression_timestamp >= '2026-01-01' AND list_suppression_timestamp < '2026-02-01';
-- > GET /api/profiles?additional-fields[profile]=subscriptions&fields[profile]=email,subscriptions.email.marketing.list_suppressions&filter=greater-or-equal(subscriptions.email.marketing.list_suppressions.timestamp,2026-01-01T00:00:00Z),less-than(subscriptions.email.marketing.list_suppressions.timestamp,2026-02-01T00:00:00Z)&page[size]=100&sort=id

-- newest first is Klaviyo's order, and the page is the limit
SELECT email FROM profiles ORDER BY created DESC LIMIT 10;
-- > GET /api/profiles?fields[profile]=created,email&page[size]=10&sort=-created

-- oldest first
SELECT email FROM profiles ORDER BY created LIMIT 10;
-- > GET /api/profiles?fields[profile]=created,email&page[size]=10&sort=created

-- last changed first
SELECT email, updated FROM profiles ORDER BY updated DESC LIMIT 3;
-- > GET /api/profiles?fields[profile]=email,updated&page[size]=3&sort=-updated

-- an order by email is SQLite's, because Klaviyo's collation is not known: everything is read
SELECT email FROM profiles ORDER BY email LIMIT 3;
-- > GET /api/profiles?fields[profile]=email&page[size]=100&sort=id
-- > GET /api/profiles?fields[profile]=email&page[cursor]=…&page[size]=100&sort=id x 4

-- two orders are SQLite's
SELECT email FROM profiles ORDER BY created, email LIMIT 3;
-- > GET /api/profiles?fields[profile]=created,email&page[size]=100&sort=id
-- > GET /api/profiles?fields[profile]=created,email&page[cursor]=…&page[size]=100&sort=id x 4

-- columns that Klaviyo has no filter for are SQLite's: all pages, only the columns in use
SELECT email FROM profiles WHERE location_city = 'Paris';
-- > GET /api/profiles?fields[profile]=email,location.city&page[size]=100&sort=id
-- > GET /api/profiles?fields[profile]=email,location.city&page[cursor]=…&page[size]=100&sort=id x 4

-- a city alone
SELECT location_city FROM profiles LIMIT 5;
-- > GET /api/profiles?fields[profile]=location.city&page[size]=5&sort=id

-- one subscription column brings the additional field with its own path
SELECT subscriptions_sms_marketing_consent FROM profiles LIMIT 5;
-- > GET /api/profiles?additional-fields[profile]=subscriptions&fields[profile]=subscriptions.sms.marketing.consent&page[size]=5&sort=id

-- predictive analytics bring their additional field
SELECT predictive_analytics_churn_probability FROM profiles LIMIT 5;
-- > GET /api/profiles?additional-fields[profile]=predictive_analytics&fields[profile]=predictive_analytics.churn_probability&page[size]=5&sort=id

-- the custom properties are one field
SELECT properties ->> '$.vip' FROM profiles LIMIT 5;
-- > GET /api/profiles?fields[profile]=properties&page[size]=5&sort=id

-- everything
SELECT * FROM profiles LIMIT 1;
-- > GET /api/profiles?additional-fields[profile]=predictive_analytics,subscriptions&fields[profile]=created,email,external_id,first_name,image,last_event_date,last_name,locale,location,organization,phone_number,predictive_analytics,properties,subscriptions,title,updated&page[size]=1&sort=id

-- how many: ids only
SELECT count(*) FROM profiles;
-- > GET /api/profiles?fields[profile]=id&page[size]=100&sort=id
-- > GET /api/profiles?fields[profile]=id&page[cursor]=…&page[size]=100&sort=id x 4

-- the newest of all is one request
SELECT max(created) FROM profiles;
-- > GET /api/profiles?fields[profile]=created&page[size]=100&sort=-created

-- LIKE is not Klaviyo's
SELECT email FROM profiles WHERE email LIKE 'a%';
-- > GET /api/profiles?fields[profile]=email&page[size]=100&sort=id
-- > GET /api/profiles?fields[profile]=email&page[cursor]=…&page[size]=100&sort=id x 4

-- inequality is not Klaviyo's, so a page is whole
SELECT email FROM profiles WHERE email <> 'a@example.com' LIMIT 5;
-- > GET /api/profiles?fields[profile]=email&page[size]=100&sort=id

-- NULL is not Klaviyo's
SELECT id FROM profiles WHERE email IS NULL;
-- > GET /api/profiles?fields[profile]=email&page[size]=100&sort=id
-- > GET /api/profiles?fields[profile]=email&page[cursor]=…&page[size]=100&sort=id x 4

-- an IN and a range travel together
SELECT id FROM profiles WHERE email IN ({email:0..1}) AND created > '2020-01-01';
-- > GET /api/profiles?fields[profile]=created,email&filter=any(email,["{email:0}","{email:1}"]),greater-than(created,2020-01-01T00:00:00Z)&page[size]=100&sort=id

-- two lists in several chunks would multiply: the longer one is SQLite's
SELECT id FROM profiles WHERE email IN ({email:0..149}) AND external_id IN ({none:0..249});
-- > GET /api/profiles?fields[profile]=email,external_id&filter=any(email,[{email:0..99}])&page[size]=100&sort=id
-- > GET /api/profiles?fields[profile]=email,external_id&filter=any(email,[{email:100..149}])&page[size]=100&sort=id
