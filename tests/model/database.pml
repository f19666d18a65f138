/*
 * The state of everything, and what PostgreSQL's functions do to it, each in one step.
 */
mtype = { FRESH, CLAIMED, RETRY, IN_DOUBT, SENT, EXPIRED, UNKNOWN };        /* of a job */
mtype = { NONE, P_DOUBT, P_RETRY };                                         /* of a parked row */
mtype = { SEND, DECIDED, LATER, FENCED };                                   /* a claim's verdict */
mtype = { NO_RESULT, ACCEPTED, REFUSED, NOT_SENT, NO_ANSWER };              /* an attempt's end */

byte now; /* the database's clock; those of workers and provider run like it */

/* What may still go wrong. */
byte crashes = CRASHES, rebalances = REBALANCES, pauses = PAUSES;
byte lost_answers = LOST_ANSWERS, refusals = REFUSALS;

/*
 * Worker w is amid something that takes no time, so no tick passes until its next step. Nothing
 * else is: what waits in a queue, or for an answer, waits as long as it likes. A paused worker does
 * its next step whenever it likes, and does not learn that its partition went to the other one.
 */
bool moving[2], paused[2];

/* PostgreSQL. What no longer matters is zeroed everywhere, so that it does not count as a state. */
mtype state[2] = FRESH; /* JOBS=1 ends job 1 before it begins */
byte attempts[2], claim_epoch[2], claimed_at[2], not_after[2], free_at[2], retry_at[2];
byte claimer[2]; /* the claim id: worker + 1 while that worker may ask with it again */
bool unsent[2];  /* the last attempt is known not to have been sent */
mtype parked[2] = NONE;
byte holder[2]; /* the lease's number: worker + 1 as long as the lease is the one that it has */
byte lease_until[2], leased_at[2], ask_at[2];
byte epoch;

/* Kafka, and what the workers believe of it. Both jobs lie in one partition. */
byte assigned;
bool owner[2], done[4]; /* done: the offset of worker * 2 + job */
bool committable[2];
byte my_epoch[2]; /* 0: to be taken */
byte stale_takes = 1;

/* Requests under way (when signed, + 1), and the provider's memory. */
#define TRIES 3
byte wire[6];
byte waits_for[2]; /* the request (+ 1) whose answer this worker waits for */
mtype answer[2] = NO_RESULT;
byte accepted[2], accepted_at[2];

#define IS_FINAL(j) (state[j] == SENT || state[j] == EXPIRED || state[j] == UNKNOWN)
#define IN_WINDOW(t, j) ((t) + TOLERANCE >= claimed_at[j] && (t) <= not_after[j] + TOLERANCE)

inline forget_claim(j)
{
    claim_epoch[j] = 0; claimer[j] = 0; claimed_at[j] = 0; not_after[j] = 0; unsent[j] = false
}

inline give_back(j, when)
{
    holder[j] = 0; leased_at[j] = 0; lease_until[j] = 0; ask_at[j] = when
}

inline end_job(j, final)
{
    state[j] = final;
    forget_claim(j);
    attempts[j] = 0; retry_at[j] = 0;
    parked[j] = NONE;
    give_back(j, 0)
}

inline park(j)
{
    state[j] = IN_DOUBT;
    claim_epoch[j] = 0; claimer[j] = 0; unsent[j] = false;
    parked[j] = P_DOUBT;
    give_back(j, 0)
}

inline take_over(j)
{
    not_after[j] = LAST_SEND(j);
    park(j)
}

inline wait_for_retry(j)
{
    if
    :: DEADLINE(j) > now -> state[j] = RETRY; forget_claim(j); retry_at[j] = now + 1
    :: else -> end_job(j, EXPIRED)
    fi
}

/* sendcode.claim for one record, by worker w under epoch e. */
inline claim(j, e, verdict)
{
    if
    :: !NEWEST(e) -> verdict = FENCED
    :: else ->
        if
        :: state[j] == CLAIMED && claimer[j] == w + 1 && claim_epoch[j] == e -> verdict = SEND
        :: state[j] == CLAIMED && !(claimer[j] == w + 1 && claim_epoch[j] == e) && !unsent[j] ->
            if
            :: TAKEOVER_DUE(j) -> take_over(j); verdict = DECIDED
            :: else -> verdict = LATER
            fi
        :: IS_FINAL(j) || state[j] == IN_DOUBT -> verdict = DECIDED
        :: else ->
            if
            :: DEADLINE(j) <= now -> end_job(j, EXPIRED); verdict = DECIDED
            :: DEADLINE(j) > now && (AT_PROVIDER(1 - j) || attempts[j] == TRIES) -> verdict = LATER
            :: else ->
                state[j] = CLAIMED;
                attempts[j]++;
                forget_claim(j);
                claim_epoch[j] = e;
                claimed_at[j] = now;
                not_after[j] = now + START + LIFE;
                retry_at[j] = 0;
                verdict = SEND
            fi
        fi
    fi
}

/* sendcode.record: accepted is a fact, the rest decisions. */
inline record(j, e, a, result)
{
    if
    :: result == ACCEPTED -> end_job(j, SENT); accepted_at[j] = 0
    :: result != ACCEPTED && state[j] == CLAIMED && OF_CLAIM(j, e, a) ->
        if
        :: result == NO_ANSWER -> park(j)
        :: else -> wait_for_retry(j)
        fi
    :: result != ACCEPTED && !(state[j] == CLAIMED && OF_CLAIM(j, e, a)) ->
        unsent[j] = unsent[j] || (result != NO_ANSWER && state[j] == CLAIMED && attempts[j] == a)
    fi
}

/* sendcode.settle. seen: bit r is the record of job r; WHOLE: silence means something. */
#define WHOLE 4
#define CANDIDATE(r, j) (((seen >> (r)) & 1) && state[r] != SENT && IN_WINDOW(accepted_at[r], j))
/* It could be the other job's as well. */
#define SHARED(r, j) (RIVAL(1 - (j)) && IN_WINDOW(accepted_at[r], 1 - (j)))
inline settle(j, a, seen)
{
    if
    :: LEASED(j) && parked[j] == P_DOUBT && (attempts[j] == a) ->
        if
        :: CANDIDATE(0, j) && CANDIDATE(1, j) -> give_back(j, now + (now < END))
        :: CANDIDATE(0, j) != CANDIDATE(1, j) ->
            if
            :: SHARED((CANDIDATE(0, j) -> 0 : 1), j) -> give_back(j, now + (now < END))
            :: else ->
                assert(CANDIDATE(j, j)); /* else the other job's SMS is taken for this one's */
                accepted_at[j] = 0;
                end_job(j, SENT)
            fi
        :: !CANDIDATE(0, j) && !CANDIDATE(1, j) ->
            if
            :: (seen & WHOLE) && ASKED_LATE(j) && state[j] == IN_DOUBT ->
                parked[j] = P_RETRY;
                give_back(j, 0);
                wait_for_retry(j);
                retry_at[j] = 0
            :: (seen & WHOLE) && ASKED_LATE(j) && state[j] == UNKNOWN -> end_job(j, UNKNOWN)
            :: else -> give_back(j, now + (now < END))
            fi
        fi
    :: else
    fi
}

/*
 * The partition goes to worker w, which reads on from what was committed: at most what was done.
 * The other one is told at once, unless it is paused.
 */
inline assign_to(who)
{
    assigned = who;
    owner[who] = true; my_epoch[who] = 0;
    if
    :: committable[0] && committable[1] -> done[(who) * 2] = true; done[(who) * 2 + 1] = true
    :: committable[0] -> done[(who) * 2] = true; done[(who) * 2 + 1] = false
    :: true -> done[(who) * 2] = false; done[(who) * 2 + 1] = false
    fi
}
inline revoke(whom)
{
    owner[whom] = false; my_epoch[whom] = 0;
    done[(whom) * 2] = false; done[(whom) * 2 + 1] = false
}
