-- one list
SELECT profile_id FROM list_profiles WHERE list_id = '{list:0}' LIMIT 5;
-- > GET /api/lists/{list:0}/profiles?fields[profile]=id&page[size]=5&sort=joined_group_at

-- the list's id is known: nothing is asked for it
SELECT list_id FROM list_profiles WHERE list_id = '{list:0}' LIMIT 5;
-- > GET /api/lists/{list:0}/profiles?fields[profile]=id&page[size]=5&sort=joined_group_at

-- a list that does not exist
SELECT profile_id FROM list_profiles WHERE list_id = '{none:0}';
-- > GET /api/lists/NONE0000/profiles?fields[profile]=id&page[size]=100&sort=joined_group_at

-- two lists
SELECT list_id, profile_id FROM list_profiles WHERE list_id IN ({list:0..1}) LIMIT 400;
-- > GET /api/lists/{list:0}/profiles?fields[profile]=id&page[size]=100&sort=joined_group_at
-- > GET /api/lists/{list:1}/profiles?fields[profile]=id&page[size]=100&sort=joined_group_at

-- no list: the lists first, then each
SELECT count(*) FROM list_profiles WHERE email = '{email:0}';
-- > GET /api/lists?fields[list]=id&page[size]=10&sort=id
-- > GET /api/lists/{list:0}/profiles?fields[profile]=email&filter=equals(email,"{email:0}")&page[size]=100&sort=joined_group_at
-- > GET /api/lists/{list:1}/profiles?fields[profile]=email&filter=equals(email,"{email:0}")&page[size]=100&sort=joined_group_at
-- > GET /api/lists/{list:2}/profiles?fields[profile]=email&filter=equals(email,"{email:0}")&page[size]=100&sort=joined_group_at
-- > GET /api/lists/{list:3}/profiles?fields[profile]=email&filter=equals(email,"{email:0}")&page[size]=100&sort=joined_group_at
-- > GET /api/lists/{list:4}/profiles?fields[profile]=email&filter=equals(email,"{email:0}")&page[size]=100&sort=joined_group_at
-- > GET /api/lists/{list:5}/profiles?fields[profile]=email&filter=equals(email,"{email:0}")&page[size]=100&sort=joined_group_at
-- > GET /api/lists/{list:6}/profiles?fields[profile]=email&filter=equals(email,"{email:0}")&page[size]=100&sort=joined_group_at
-- > GET /api/lists/{list:7}/profiles?fields[profile]=email&filter=equals(email,"{email:0}")&page[size]=100&sort=joined_group_at
-- > GET /api/lists/{list:8}/profiles?fields[profile]=email&filter=equals(email,"{email:0}")&page[size]=100&sort=joined_group_at
-- > GET /api/lists/{list:9}/profiles?fields[profile]=email&filter=equals(email,"{email:0}")&page[size]=100&sort=joined_group_at
-- > GET /api/lists?fields[list]=id&page[cursor]=…&page[size]=10&sort=id
-- > GET /api/lists/{list:10}/profiles?fields[profile]=email&filter=equals(email,"{email:0}")&page[size]=100&sort=joined_group_at
-- > GET /api/lists/{list:11}/profiles?fields[profile]=email&filter=equals(email,"{email:0}")&page[size]=100&sort=joined_group_at
-- > GET /api/lists/{list:12}/profiles?fields[profile]=email&filter=equals(email,"{email:0}")&page[size]=100&sort=joined_group_at
-- > GET /api/lists/{list:13}/profiles?fields[profile]=email&filter=equals(email,"{email:0}")&page[size]=100&sort=joined_group_at

-- no list and a limit: the first list only
SELECT profile_id FROM list_profiles LIMIT 1;
-- > GET /api/lists?fields[list]=id&page[size]=10&sort=id
-- > GET /api/lists/{list:0}/profiles?fields[profile]=id&page[size]=1&sort=joined_group_at

-- members by email
SELECT profile_id FROM list_profiles WHERE list_id = '{list:0}' AND email = '{email:0}';
-- > GET /api/lists/{list:0}/profiles?fields[profile]=email&filter=equals(email,"{email:0}")&page[size]=100&sort=joined_group_at

-- members by emails
SELECT profile_id FROM list_profiles WHERE list_id = '{list:0}' AND email IN ({email:0..1});
-- > GET /api/lists/{list:0}/profiles?fields[profile]=email&filter=any(email,["{email:0}","{email:1}"])&page[size]=100&sort=joined_group_at

-- members by phone number
SELECT profile_id FROM list_profiles WHERE list_id = '{list:0}' AND phone_number = '{phone:0}';
-- > GET /api/lists/{list:0}/profiles?fields[profile]=phone_number&filter=equals(phone_number,"{phone:0}")&page[size]=100&sort=joined_group_at

-- members by phone numbers
SELECT profile_id FROM list_profiles WHERE list_id = '{list:0}' AND phone_number IN ({phone:0..1});
-- > GET /api/lists/{list:0}/profiles?fields[profile]=phone_number&filter=any(phone_number,["{phone:0}","{phone:1}"])&page[size]=100&sort=joined_group_at

-- a member by push token
SELECT profile_id FROM list_profiles WHERE list_id = '{list:0}' AND push_token = 'token-1';
-- > GET /api/lists/{list:0}/profiles?fields[profile]=id&filter=equals(push_token,"token-1")&page[size]=100&sort=joined_group_at

-- members by push tokens: one request for each, so that each row knows its own
SELECT profile_id, push_token FROM list_profiles WHERE list_id = '{list:0}' AND push_token IN ('token-1', 'token-2');
-- > GET /api/lists/{list:0}/profiles?fields[profile]=id&filter=equals(push_token,"token-1")&page[size]=100&sort=joined_group_at
-- > GET /api/lists/{list:0}/profiles?fields[profile]=id&filter=equals(push_token,"token-2")&page[size]=100&sort=joined_group_at

-- a member by exchange id
SELECT profile_id FROM list_profiles WHERE list_id = '{list:0}' AND kx = '{kx:0}';
-- > GET /api/lists/{list:0}/profiles?fields[profile]=id&filter=equals(_kx,"{kx:0}")&page[size]=100&sort=joined_group_at

-- joined at or after
SELECT profile_id FROM list_profiles WHERE list_id = '{list:0}' AND joined_group_at >= '2026-10-01';
-- > GET /api/lists/{list:0}/profiles?fields[profile]=joined_group_at&filter=greater-or-equal(joined_group_at,2026-10-01T00:00:00Z)&page[size]=100&sort=joined_group_at

-- joined after
SELECT profile_id FROM list_profiles WHERE list_id = '{list:0}' AND joined_group_at > '2026-10-01';
-- > GET /api/lists/{list:0}/profiles?fields[profile]=joined_group_at&filter=greater-than(joined_group_at,2026-10-01T00:00:00Z)&page[size]=100&sort=joined_group_at

-- joined before
SELECT profile_id FROM list_profiles WHERE list_id = '{list:0}' AND joined_group_at < '2025-01-01';
-- > GET /api/lists/{list:0}/profiles?fields[profile]=joined_group_at&filter=less-than(joined_group_at,2025-01-01T00:00:00Z)&page[size]=100&sort=joined_group_at

-- joined at or before
SELECT profile_id FROM list_profiles WHERE list_id = '{list:0}' AND joined_group_at <= '2025-01-01';
-- > GET /api/lists/{list:0}/profiles?fields[profile]=joined_group_at&filter=less-than(joined_group_at,2025-01-01T00:00:01Z)&page[size]=100&sort=joined_group_at

-- the newest members
SELECT profile_id FROM list_profiles WHERE list_id = '{list:0}' ORDER BY joined_group_at DESC LIMIT 3;
-- > GET /api/lists/{list:0}/profiles?fields[profile]=joined_group_at&page[size]=3&sort=-joined_group_at

-- the oldest members
SELECT profile_id FROM list_profiles WHERE list_id = '{list:0}' ORDER BY joined_group_at LIMIT 3;
-- > GET /api/lists/{list:0}/profiles?fields[profile]=joined_group_at&page[size]=3&sort=joined_group_at

-- a profile's id is no filter of a list's members: it is checked here
SELECT list_id FROM list_profiles WHERE list_id = '{list:0}' AND profile_id = '{profile:0}';
-- > GET /api/lists/{list:0}/profiles?fields[profile]=id&page[size]=100&sort=joined_group_at

-- subscriptions of members
SELECT subscriptions_email_marketing_consent FROM list_profiles WHERE list_id = '{list:0}' LIMIT 2;
-- > GET /api/lists/{list:0}/profiles?additional-fields[profile]=subscriptions&fields[profile]=subscriptions.email.marketing.consent&page[size]=2&sort=joined_group_at

-- a list by its name, asked for first
SELECT profile_id FROM list_profiles WHERE list_id = (SELECT id FROM lists WHERE name = 'Newsletter') LIMIT 2;
-- > GET /api/lists?fields[list]=name&filter=equals(name,"Newsletter")&page[size]=10&sort=id
-- > GET /api/lists/{list:2}/profiles?fields[profile]=id&page[size]=2&sort=joined_group_at
