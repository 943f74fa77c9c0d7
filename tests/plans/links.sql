-- all tag links of lists: with the pages of lists, not a request for each list
SELECT list_id, tag_id FROM list_tags;
-- > GET /api/lists?fields[list]=id&fields[tag]=id&include=tags&page[size]=10&sort=id
-- > GET /api/lists?fields[list]=id&fields[tag]=id&include=tags&page[cursor]=…&page[size]=10&sort=id

-- the tags of some lists
SELECT tag_name FROM list_tags WHERE list_id IN ('{list:0}', '{list:1}');
-- > GET /api/lists?fields[list]=id&fields[tag]=name&filter=any(id,["{list:0}","{list:1}"])&include=tags&page[size]=10&sort=id

-- the lists of a tag
SELECT list_id FROM list_tags WHERE tag_id = '{none:0}';
-- > GET /api/tags/{none:0}/relationships/lists

-- the lists of one profile: from the profile
SELECT list_id FROM profile_lists WHERE profile_id = '{profile:0}';
-- > GET /api/profiles/{profile:0}/lists?fields[list]=id

-- who is in one list: from the list, whose name is read first
SELECT profile_id, list_name FROM profile_lists WHERE list_id = '{list:0}';
-- > GET /api/lists/{list:0}?fields[list]=name
-- > GET /api/lists/{list:0}/profiles?fields[profile]=id&page[size]=100&sort=joined_group_at

-- the members of one list with profile columns: a request for a hundred members
SELECT profile_id, email, first_name FROM list_profiles WHERE list_id = '{list:0}' AND joined_group_at >= '2026-11-01';
-- > GET /api/lists/{list:0}/profiles?fields[profile]=email,first_name,joined_group_at&filter=greater-or-equal(joined_group_at,2026-11-01T00:00:00Z)&page[size]=100&sort=joined_group_at

-- who must not be emailed: suppressed profiles only
SELECT email, reason FROM global_exclusions WHERE timestamp >= '2026-11-01';
-- > GET /api/profiles?additional-fields[profile]=subscriptions&fields[profile]=email,subscriptions.email.marketing.suppression&filter=greater-or-equal(subscriptions.email.marketing.suppression.timestamp,2026-11-01T00:00:00Z)&page[size]=100&sort=id

-- an upper bound is not sent, for it could be about another entry
SELECT email FROM list_exclusions WHERE timestamp < '2026-11-01' AND reason = 'UNSUBSCRIBE';
-- > GET /api/profiles?additional-fields[profile]=subscriptions&fields[profile]=email,subscriptions.email.marketing.list_suppressions&filter=greater-or-equal(subscriptions.email.marketing.list_suppressions.timestamp,1990-01-01T00:00:00Z),equals(subscriptions.email.marketing.list_suppressions.reason,"UNSUBSCRIBE")&page[size]=100&sort=id

-- events with what they are attributed to
SELECT id, campaign_id, metric_name FROM events WHERE profile_id = '{profile:0}';
-- > GET /api/events?fields[event]=id&fields[metric]=name&filter=equals(profile_id,"{profile:0}")&include=attributions,metric&page[size]=1000&sort=datetime

-- codes of coupons: the coupons first, then a hundred at once
SELECT unique_code FROM coupon_codes WHERE status = 'USED';
-- > GET /api/coupons?fields[coupon]=id&page[size]=100
-- > GET /api/coupon-codes?fields[coupon-code]=status,unique_code&filter=equals(status,"USED"),any(coupon.id,["welcome","NO_CODES_YET","EXPIRED_2024","SUMMER_10","Welcome"])&page[size]=100

-- codes of one coupon: nothing else is asked
SELECT unique_code FROM coupon_codes WHERE coupon_id = 'none';
-- > GET /api/coupon-codes?fields[coupon-code]=unique_code&filter=equals(coupon.id,"none")&page[size]=100

-- the categories of an item, and the items of a category
SELECT category_id FROM catalog_item_categories WHERE item_id = 'none';
-- > GET /api/catalog-items/none/categories?fields[catalog-category]=id&page[size]=100&sort=created

-- variants with their items come with the items
SELECT id, item_id FROM catalog_variants WHERE item_id = 'none';
-- > GET /api/catalog-items/none?fields[catalog-item]=id&fields[catalog-variant]=id&include=variants

-- the messages of one flow: its actions first
SELECT id FROM flow_messages WHERE flow_id = 'none';
-- > GET /api/flows/none?fields[flow-action]=id&fields[flow]=id&include=flow-actions

-- flow actions come with the flows
SELECT id, type FROM flow_actions WHERE archived = 0;
-- > GET /api/flows?fields[flow-action]=definition.type&fields[flow]=archived&filter=equals(archived,false)&include=flow-actions&page[size]=50&sort=id
-- > GET /api/flows?fields[flow-action]=definition.type&fields[flow]=archived&filter=equals(archived,false)&include=flow-actions&page[cursor]=…&page[size]=50&sort=id

-- hidden images are asked for apart
SELECT id FROM images WHERE name = 'x';
-- > GET /api/images?fields[image]=hidden,name&filter=equals(hidden,false),equals(name,"x")&page[size]=100&sort=id
-- > GET /api/images?fields[image]=hidden,name&filter=equals(hidden,true),equals(name,"x")&page[size]=100&sort=id
