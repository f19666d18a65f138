-- What is shown of a phone, and where it is from.

-- +86138****8000: of n digits the first max(0, min(5, n-8)) and the last 4.
create or replace function sendcode.mask_phone(p_phone text) returns text
language sql immutable parallel safe
as $$
    select '+' || left(substr(p_phone, 2), greatest(0, least(5, length(p_phone) - 9))) || '****'
           || right(p_phone, 4)
$$;

create or replace function sendcode.sees_phones() returns boolean
language sql stable
as $$ select pg_has_role(current_user, 'sendcode_investigator', 'usage') $$;

-- The country code of an E.164 number (ITU-T E.164: one digit, a list of two, else three).
create or replace function sendcode.country_code(p_phone text) returns text
language sql immutable parallel safe
as $$
    select case
           when substr(p_phone, 2, 1) in ('1', '7') then substr(p_phone, 2, 1)
           when substr(p_phone, 2, 2) in (
               '20', '27', '30', '31', '32', '33', '34', '36', '39', '40', '41', '43', '44', '45',
               '46', '47', '48', '49', '51', '52', '53', '54', '55', '56', '57', '58', '60', '61',
               '62', '63', '64', '65', '66', '81', '82', '84', '86', '90', '91', '92', '93', '94',
               '95', '98') then substr(p_phone, 2, 2)
           else substr(p_phone, 2, 3) end
$$;
