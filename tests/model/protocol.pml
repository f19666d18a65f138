/*
 * Claim, epoch, send gate, signature as a lease, settling and takeover: two workers, two jobs of
 * one phone, and a provider whose records lag. README.md says what is modelled and how to read it.
 * rules.pml has the rules that can be left out, database.pml the state and what PostgreSQL does.
 */
#include "rules.pml"
#include "database.pml"

/* A record of its partition that worker w has still to deal with, and can. */
#define DUE(j)                                                                                     \
    (owner[w] && my_epoch[w] && !done[w * 2 + (j)] && ((j) == 0 || state[0] != FRESH) &&           \
     !(state[j] == CLAIMED && !TAKEOVER_DUE(j) && !unsent[j]) &&                                   \
     !(state[j] == RETRY && now < retry_at[j]) &&                                                  \
     !((state[j] == FRESH || state[j] == RETRY) && DEADLINE(j) > now && AT_PROVIDER(1 - (j))))

/* What sendcode.take_parked deals with. */
#define TAKEABLE(j)                                                                                \
    (parked[j] != NONE && ask_at[j] <= now && lease_until[j] <= now &&                             \
     !(parked[j] == P_RETRY && state[j] == CLAIMED && !TAKEOVER_DUE(j)))

#define STARTS_RECORD(i)                                                                           \
    :: DUE(i) && !paused[w] ->                                                                     \
        j = i; moving[w] = true; own = true; e = my_epoch[w]; asked = now; goto claim_it
#define TAKES_PARKED(i)                                                                            \
    :: TAKEABLE(i) && !paused[w] && (parked[i] == P_DOUBT || state[i] == RETRY) ->                 \
        j = i; moving[w] = true;                                                                   \
        holder[i] = w + 1; leased_at[i] = now; lease_until[i] = now + LEASE; ask_at[i] = 0;        \
        if                                                                                         \
        :: parked[i] == P_DOUBT -> a = attempts[i]; goto query                                     \
        :: else -> leased_at[i] = 0; e = epoch; asked = now; goto claim_it                         \
        fi                                                                                         \
    :: TAKEABLE(i) && !paused[w] && parked[i] == P_RETRY && state[i] == CLAIMED ->                 \
        if                                                                                         \
        :: unsent[i] -> wait_for_retry(i)                                                          \
        :: else -> take_over(i)                                                                    \
        fi
#define MAY_CRASH :: atomic { crashes > 0 -> crashes--; goto crash }

/* One flight at a time, each step at any time. */
proctype Worker(byte w)
{
    byte j, e, a, asked, signed_at, seen;
    bool own;
    mtype v = NO_RESULT;

idle:
    do
    :: atomic { owner[w] && my_epoch[w] == 0 && !paused[w] -> epoch++; my_epoch[w] = epoch }
    :: atomic {
        if
        STARTS_RECORD(0)
        STARTS_RECORD(1)
        TAKES_PARKED(0)
        TAKES_PARKED(1)
        fi }
    MAY_CRASH
    od;

claim_it: /* Its answer may be lost: then it is asked again, with the same id. */
    if
    :: atomic {
        claim(j, e, v);
        if
        :: v == SEND -> a = attempts[j]
        :: else
        fi;
        if
        :: lost_answers > 0 ->
            if
            :: v == SEND -> claimer[j] = w + 1
            :: else
            fi;
            lost_answers--; v = NO_RESULT; a = 0; moving[w] = false; goto claim_it
        :: v == SEND -> claimer[j] = 0; v = NO_RESULT; moving[w] = true
        :: v == FENCED -> goto fenced
        :: v == LATER || v == DECIDED -> goto finish
        fi }
    MAY_CRASH
    fi;

    /* The gate, in curl's callback. The signature is no younger than this moment. */
    if
    :: atomic {
        if
        :: now <= asked + START && (!own || (owner[w] && my_epoch[w] == e)) -> signed_at = now
        :: else -> v = NOT_SENT; moving[w] = true; goto tell
        fi;
        moving[w] = true }
    MAY_CRASH
    fi;
    if
    :: atomic {
        wire[j * TRIES + a - 1] = signed_at + 1;
        waits_for[w] = j * TRIES + a;
        signed_at = 0; asked = 0; moving[w] = false }
    MAY_CRASH
    fi;
    if
    :: atomic { answer[w] != NO_RESULT -> v = answer[w]; answer[w] = NO_RESULT; moving[w] = true }
    :: atomic { /* reset, time-out */
        v = NO_ANSWER; answer[w] = NO_RESULT; waits_for[w] = 0; moving[w] = true }
    MAY_CRASH
    fi;

tell: /* An outcome is recorded, again if the answer is lost. */
    if
    :: atomic {
        record(j, e, a, v);
        if
        :: lost_answers > 0 -> lost_answers--; moving[w] = false; goto tell
        :: goto finish
        MAY_CRASH
        fi }
    MAY_CRASH
    fi;

fenced: /* Still the owner by Kafka's word: a new epoch, though the word may be old. */
    atomic {
        if
        :: own && owner[w] && my_epoch[w] == e && assigned == w -> my_epoch[w] = 0
        :: own && owner[w] && my_epoch[w] == e && assigned != w && stale_takes > 0 ->
            stale_takes--; my_epoch[w] = 0
        :: own && owner[w] && my_epoch[w] == e && assigned != w -> goto revoked
        :: else
        fi;
        goto finish;
revoked:
        revoke(w)
    }

finish: /* The offset is done, or the lease given back. */
    atomic {
        if
        :: own && owner[w] && my_epoch[w] == e && (IS_FINAL(j) || state[j] == IN_DOUBT) ->
            done[w * 2 + j] = true;
            committable[j] = committable[j] || assigned == w
        :: !own && holder[j] == w + 1 ->
            give_back(j, now + (now < END));
            if
            :: IS_FINAL(j) -> parked[j] = NONE; ask_at[j] = 0
            :: else
            fi
        :: else
        fi;
        j = 0; e = 0; a = 0; asked = 0; own = false; v = NO_RESULT;
        moving[w] = false;
        goto idle
    }

query: /* DescribeSendRecordList for the phone: its records name no job. */
    if
    :: atomic {
        seen = WHOLE;
        if
        :: accepted[0] && state[0] != SENT -> seen = seen | 1
        :: !(accepted[0] && state[0] != SENT && now > accepted_at[0] + LAG)
        fi;
        if
        :: accepted[1] && state[1] != SENT -> seen = seen | 2
        :: !(accepted[1] && state[1] != SENT && now > accepted_at[1] + LAG)
        fi;
        moving[w] = true }
    :: atomic { lost_answers > 0 -> lost_answers--; seen = 0; moving[w] = true }
    MAY_CRASH
    fi;
    if
    :: d_step { settle(j, a, seen); j = 0; a = 0; seen = 0; moving[w] = false }
    MAY_CRASH
    fi;
    goto idle;

crash: /* Killed, and started again. Its partition goes to either. */
    atomic {
        waits_for[w] = 0; answer[w] = NO_RESULT;
        revoke(w);
        if
        :: assigned == w -> assign_to(1 - w)
        :: assigned == w -> assign_to(w)
        :: else
        fi;
        j = 0; e = 0; a = 0; asked = 0; signed_at = 0; seen = 0; own = false; v = NO_RESULT;
        moving[w] = false;
        goto idle
    }
}

/* A request arrives, and is judged when it arrives; whoever still waits for it is answered. */
inline answer_to(slot, what)
{
    wire[slot] = 0;
    if
    :: waits_for[0] == slot + 1 -> answer[0] = what; waits_for[0] = 0; moving[0] = !paused[0]
    :: waits_for[1] == slot + 1 -> answer[1] = what; waits_for[1] = 0; moving[1] = !paused[1]
    :: else
    fi
}
#define ARRIVES(slot)                                                                              \
    :: atomic {                                                                                    \
        wire[slot] && !STALE(wire[slot] - 1) ->                                                    \
        if                                                                                         \
        :: accepted[slot / TRIES]++;                                                               \
            assert(accepted[slot / TRIES] == 1); /* nothing is sent twice */                       \
            if                                                                                     \
            :: state[slot / TRIES] != SENT -> accepted_at[slot / TRIES] = now                      \
            :: else                                                                                \
            fi;                                                                                    \
            answer_to(slot, ACCEPTED)                                                              \
        :: refusals > 0 -> refusals--; answer_to(slot, REFUSED)                                    \
        fi }

#define TOO_LATE(slot)                                                                             \
    if                                                                                             \
    :: wire[slot] && STALE(wire[slot] - 1) -> answer_to(slot, REFUSED)                             \
    :: else                                                                                        \
    fi
#define IS_OVER(at)                                                                                \
    if                                                                                             \
    :: at <= now -> at = 0                                                                         \
    :: else                                                                                        \
    fi
inline tick()
{
    now++;
    TOO_LATE(0); TOO_LATE(1); TOO_LATE(2); TOO_LATE(3); TOO_LATE(4); TOO_LATE(5);
    IS_OVER(ask_at[0]); IS_OVER(ask_at[1]); IS_OVER(lease_until[0]); IS_OVER(lease_until[1]);
    IS_OVER(retry_at[0]); IS_OVER(retry_at[1]); IS_OVER(free_at[0]); IS_OVER(free_at[1])
}

#define SWEEPS(j)                                                                                  \
    :: atomic {                                                                                    \
        state[j] == IN_DOUBT && DEADLINE(j) <= now ->                                              \
        state[j] = UNKNOWN; free_at[j] = (not_after[j] > now -> not_after[j] : 0) }                \
    :: atomic {                                                                                    \
        parked[j] == P_RETRY && state[j] == RETRY && DEADLINE(j) < now -> end_job(j, EXPIRED) }

#define REBALANCE(from, to)                                                                        \
    :: atomic {                                                                                    \
        rebalances > 0 && assigned == from ->                                                      \
        rebalances--;                                                                              \
        if                                                                                         \
        :: !paused[from] -> revoke(from)                                                           \
        :: else                                                                                    \
        fi;                                                                                        \
        assign_to(to) }

#define PAUSE(who)                                                                                 \
    :: atomic { pauses > 0 && moving[who] -> pauses--; paused[who] = true; moving[who] = false }   \
    :: atomic {                                                                                    \
        paused[who] ->                                                                             \
        paused[who] = false;                                                                       \
        if                                                                                         \
        :: owner[who] && assigned != who -> revoke(who)                                            \
        :: else                                                                                    \
        fi }

/* Time, the network and the provider, Kafka, the sweep. */
proctype World()
{
    do
    :: d_step { now < END && !moving[0] && !moving[1] -> tick() }
    ARRIVES(0)
    ARRIVES(1)
    ARRIVES(2)
    ARRIVES(3)
    ARRIVES(4)
    ARRIVES(5)
    REBALANCE(0, 1)
    REBALANCE(1, 0)
    PAUSE(0)
    PAUSE(1)
    SWEEPS(0)
    SWEEPS(1)
    :: d_step { /* 72 hours later: nobody remembers */
        now == END && IS_FINAL(0) && IS_FINAL(1) && (parked[0] != NONE || parked[1] != NONE) ->
        parked[0] = NONE; give_back(0, 0);
        parked[1] = NONE; give_back(1, 0) }
    od
}

/* When nothing can move any more, everything has ended, and as it was. */
#define ENDED_WELL(j)                                                                              \
    (IS_FINAL(j) && parked[j] == NONE && done[assigned * 2 + (j)] &&                               \
     !(state[j] == EXPIRED && accepted[j]) && !(state[j] == SENT && !accepted[j]))
proctype Watcher()
{
    timeout -> assert(ENDED_WELL(0) && ENDED_WELL(1))
}

init
{
    atomic {
        owner[0] = true;
#if JOBS == 1
        state[1] = EXPIRED;
#endif
        run Worker(0);
        run Worker(1);
        run World();
        run Watcher()
    }
}
