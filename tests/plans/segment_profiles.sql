-- one segment
SELECT profile_id FROM segment_profiles WHERE segment_id = '{segment:0}' LIMIT 2;
-- > GET /api/segments/{segment:0}/profiles?fields[profile]=id&page[size]=2&sort=joined_group_at

-- a member by profile id: Klaviyo has the filter here
SELECT joined_group_at FROM segment_profiles WHERE segment_id = '{segment:0}' AND profile_id = '{profile:0}';
-- > GET /api/segments/{segment:0}/profiles?fields[profile]=joined_group_at&filter=equals(profile_id,"{profile:0}")&page[size]=100&sort=joined_group_at

-- members by profile ids
SELECT joined_group_at FROM segment_profiles WHERE segment_id = '{segment:0}' AND profile_id IN ({profile:0..2});
-- > GET /api/segments/{segment:0}/profiles?fields[profile]=joined_group_at&filter=any(profile_id,["{profile:0}","{profile:1}","{profile:2}"])&page[size]=100&sort=joined_group_at

-- members by email
SELECT profile_id FROM segment_profiles WHERE segment_id = '{segment:0}' AND email = '{email:0}';
-- > GET /api/segments/{segment:0}/profiles?fields[profile]=email&filter=equals(email,"{email:0}")&page[size]=100&sort=joined_group_at

-- members by emails
SELECT profile_id FROM segment_profiles WHERE segment_id = '{segment:0}' AND email IN ({email:0..1});
-- > GET /api/segments/{segment:0}/profiles?fields[profile]=email&filter=any(email,["{email:0}","{email:1}"])&page[size]=100&sort=joined_group_at

-- members by phone number
SELECT profile_id FROM segment_profiles WHERE segment_id = '{segment:0}' AND phone_number = '{phone:0}';
-- > GET /api/segments/{segment:0}/profiles?fields[profile]=phone_number&filter=equals(phone_number,"{phone:0}")&page[size]=100&sort=joined_group_at

-- members by phone numbers
SELECT profile_id FROM segment_profiles WHERE segment_id = '{segment:0}' AND phone_number IN ({phone:0..1});
-- > GET /api/segments/{segment:0}/profiles?fields[profile]=phone_number&filter=any(phone_number,["{phone:0}","{phone:1}"])&page[size]=100&sort=joined_group_at

-- a member by push token
SELECT profile_id FROM segment_profiles WHERE segment_id = '{segment:0}' AND push_token = 'token-1';
-- > GET /api/segments/{segment:0}/profiles?fields[profile]=id&filter=equals(push_token,"token-1")&page[size]=100&sort=joined_group_at

-- a member by exchange id
SELECT profile_id FROM segment_profiles WHERE segment_id = '{segment:0}' AND kx = '{kx:0}';
-- > GET /api/segments/{segment:0}/profiles?fields[profile]=id&filter=equals(_kx,"{kx:0}")&page[size]=100&sort=joined_group_at

-- joined in a range
SELECT profile_id FROM segment_profiles WHERE segment_id = '{segment:0}' AND joined_group_at >= '2026-01-01' AND joined_group_at < '2026-02-01';
-- > GET /api/segments/{segment:0}/profiles?fields[profile]=joined_group_at&filter=greater-or-equal(joined_group_at,2026-01-01T00:00:00Z),less-than(joined_group_at,2026-02-01T00:00:00Z)&page[size]=100&sort=joined_group_at

-- joined strictly inside a range
SELECT profile_id FROM segment_profiles WHERE segment_id = '{segment:0}' AND joined_group_at > '2026-01-01' AND joined_group_at <= '2026-02-01';
-- > GET /api/segments/{segment:0}/profiles?fields[profile]=joined_group_at&filter=greater-than(joined_group_at,2026-01-01T00:00:00Z),less-than(joined_group_at,2026-02-01T00:00:01Z)&page[size]=100&sort=joined_group_at

-- the newest members
SELECT profile_id FROM segment_profiles WHERE segment_id = '{segment:0}' ORDER BY joined_group_at DESC LIMIT 2;
-- > GET /api/segments/{segment:0}/profiles?fields[profile]=joined_group_at&page[size]=2&sort=-joined_group_at

-- the segments of a profile: the segments first, then each, asked for the one profile
SELECT segment_id FROM segment_profiles WHERE profile_id = '{profile:0}';
-- > GET /api/segments?fields[segment]=id&page[size]=10&sort=id
-- > GET /api/segments/{segment:0}/profiles?fields[profile]=id&filter=equals(profile_id,"{profile:0}")&page[size]=100&sort=joined_group_at
-- > GET /api/segments/{segment:1}/profiles?fields[profile]=id&filter=equals(profile_id,"{profile:0}")&page[size]=100&sort=joined_group_at
-- > GET /api/segments/{segment:2}/profiles?fields[profile]=id&filter=equals(profile_id,"{profile:0}")&page[size]=100&sort=joined_group_at
-- > GET /api/segments/{segment:3}/profiles?fields[profile]=id&filter=equals(profile_id,"{profile:0}")&page[size]=100&sort=joined_group_at
-- > GET /api/segments/{segment:4}/profiles?fields[profile]=id&filter=equals(profile_id,"{profile:0}")&page[size]=100&sort=joined_group_at
-- > GET /api/segments/{segment:5}/profiles?fields[profile]=id&filter=equals(profile_id,"{profile:0}")&page[size]=100&sort=joined_group_at
-- > GET /api/segments/{segment:6}/profiles?fields[profile]=id&filter=equals(profile_id,"{profile:0}")&page[size]=100&sort=joined_group_at
-- > GET /api/segments/{segment:7}/profiles?fields[profile]=id&filter=equals(profile_id,"{profile:0}")&page[size]=100&sort=joined_group_at
-- > GET /api/segments/{segment:8}/profiles?fields[profile]=id&filter=equals(profile_id,"{profile:0}")&page[size]=100&sort=joined_group_at
-- > GET /api/segments/{segment:9}/profiles?fields[profile]=id&filter=equals(profile_id,"{profile:0}")&page[size]=100&sort=joined_group_at
-- > GET /api/segments?fields[segment]=id&page[cursor]=…&page[size]=10&sort=id
-- > GET /api/segments/{segment:10}/profiles?fields[profile]=id&filter=equals(profile_id,"{profile:0}")&page[size]=100&sort=joined_group_at
-- > GET /api/segments/{segment:11}/profiles?fields[profile]=id&filter=equals(profile_id,"{profile:0}")&page[size]=100&sort=joined_group_at

-- the PascalCase name is the same table
SELECT ProfileId FROM SegmentProfiles WHERE SegmentId = '{segment:0}' LIMIT 2;
-- > GET /api/segments/{segment:0}/profiles?fields[profile]=id&page[size]=2&sort=joined_group_at
