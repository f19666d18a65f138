create or replace view sendcode.daily as
select d.day, d.scene, sendcode.country_code(d.phone) as country_code, count(*) as requested,
       count(*) filter (where d.state in ('sent', 'delivered', 'undelivered')) as sent,
       count(*) filter (where d.state = 'delivered') as delivered,
       count(*) filter (where d.state = 'undelivered') as undelivered,
       count(d.verified_at) as verified,
       count(*) filter (where d.state = 'rejected') as rejected,
       count(*) filter (where d.state = 'limited') as limited,
       count(*) filter (where d.state = 'superseded') as superseded,
       count(*) filter (where d.state = 'expired') as expired,
       count(*) filter (where d.state = 'unknown') as unknown,
       coalesce(sum(d.segments), 0)::numeric as segments,
       count(*) filter (where d.accepted_at is not null and nullif(d.segments, 0) is null) as unpriced
from sendcode.delivery d
group by 1, 2, 3;

comment on view sendcode.daily is
    'Jobs by UTC day, scene and country. Name a day, or a range of them: where day = ….';
comment on column sendcode.daily.day is
    'UTC date of the request, as in deliveries.';
comment on column sendcode.daily.scene is
    'What the code is for.';
comment on column sendcode.daily.country_code is
    'Of the phone number: 86, 1, 852 …';
comment on column sendcode.daily.requested is
    'Jobs, whatever became of them; those still under way are in no other column.';
comment on column sendcode.daily.sent is
    'Accepted by the provider; includes delivered and undelivered.';
comment on column sendcode.daily.delivered is
    'With a receipt that the phone has it.';
comment on column sendcode.daily.undelivered is
    'With a receipt that it has not.';
comment on column sendcode.daily.verified is
    'Whose code was entered rightly.';
comment on column sendcode.daily.rejected is
    'Refused for good: the number or the content.';
comment on column sendcode.daily.limited is
    'Stopped by a limit of ours or of the provider''s, or a country that is not allowed.';
comment on column sendcode.daily.superseded is
    'A newer job of the phone and scene took its place.';
comment on column sendcode.daily.expired is
    'Not sent before the deadline.';
comment on column sendcode.daily.unknown is
    'Perhaps sent; the provider''s records never told.';
comment on column sendcode.daily.segments is
    'Messages that the provider billed, all attempts together; without the unpriced.';
comment on column sendcode.daily.unpriced is
    'Accepted jobs whose price nobody was told: the answer was lost, and the provider''s records or a
receipt, which name none, said that it was sent. At least a segment each.';
