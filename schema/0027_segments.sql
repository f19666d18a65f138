-- What a job cost is kept with the job: `daily` reads deliveries alone, in a tenth of the time, and
-- knows the cost also when attempts are dropped sooner. `record` (0030) keeps it.

-- What the provider billed, over all accepted messages. Null: nothing was accepted.
alter table sendcode.delivery add column segments int;
update sendcode.delivery d
set segments = a.fee
from (select job_id, day, coalesce(sum(fee), 0) as fee from sendcode.attempt
      where outcome = 'accepted' group by 1, 2) a
where a.job_id = d.job_id and a.day = d.day;

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
       coalesce(sum(d.segments), 0)::numeric as segments
from sendcode.delivery d
group by 1, 2, 3;
