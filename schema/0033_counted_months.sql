-- An old month is counted a day at a time, in as many calls as it takes, and dropped when it is counted:
-- counted whole, one of tens of millions of jobs would outlast the workers' patience, and stay for ever.

-- Months of deliveries that are to go, as far as their jobs are counted.
create table sendcode.counted_month (
    ends       date primary key,              -- the first day after it
    counted_to date not null,                 -- the days before are counted
    jobs       sendcode.pruned[] not null
);

-- What retain counted a whole month with: nothing else calls them.
drop function if exists sendcode.count_month(regclass);
drop function if exists sendcode.drop_deliveries(int, timestamptz);
