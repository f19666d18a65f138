/*
 * The times, and the rules that a search may leave out by a macro.
 */

/* Ticks. A claim at t passes the gate until t + START and is accepted until t + START + LIFE. */
#define START 0     /* start budget: less than a tick */
#define LIFE 1      /* signature_life */
#define TAKEOVER 1  /* takeover_at: start budget and HTTP timeout */
#define LAG 1       /* the provider's records show an SMS later than this for certain */
#define LEASE 1     /* of a parked row */
#define TOLERANCE 1 /* of a record's time, against claim and not_after */
#ifdef STAGGERED /* job 1 may be claimed when job 0 is unknown */
#define DEADLINE(j) (4 + (j))
#define END 7
#else
#define DEADLINE(j) 4
#define END 6 /* all deadlines and takeovers are over: time stands still */
#endif

/* Broken: */
#ifdef NO_RIVALS /* a record may be a job's though it may be another's that is under way */
#define RIVAL(j) false
#else
#define RIVAL(j) (parked[j] == P_DOUBT || state[j] == CLAIMED)
#endif
#ifdef SHORT_GRACE
#define GRACE (LAG - 1)
#else
#define GRACE LAG /* doubt_grace */
#endif
#ifdef NO_LEASE /* the provider takes a signature of any age */
#define STALE(signed) false
#else
#define STALE(signed) (now > (signed) + LIFE)
#endif
#ifdef NO_EPOCH /* claims and decisions do not say whose they are, nor of which attempt */
#define NEWEST(e) true
#define OF_CLAIM(j, e, a) true
#else
#define NEWEST(e) ((e) == epoch)
#define OF_CLAIM(j, e, a) ((e) == epoch && claim_epoch[j] == (e) && attempts[j] == (a))
#endif
#ifdef NO_WAIT /* a former owner's claim is met: its last send is taken to be over */
#define TAKEOVER_DUE(j) true
#define LAST_SEND(j) now
#else
#define TAKEOVER_DUE(j) (now >= claimed_at[j] + TAKEOVER)
#define LAST_SEND(j) not_after[j]
#endif
#ifdef ASK_EARLY /* silence counts whenever it was heard */
#define ASKED_LATE(j) true
#else
#define ASKED_LATE(j) (leased_at[j] > not_after[j] + GRACE)
#endif
#ifdef ANY_LEASE /* a query under a lapsed lease is judged as one of the present lease */
#define LEASED(j) (holder[j] != 0)
#else
#define LEASED(j) (holder[j] == w + 1)
#endif

/* The phone is busy: it has another job that may be at the provider. */
#define AT_PROVIDER(j)                                                                             \
    (state[j] == CLAIMED || state[j] == IN_DOUBT || (state[j] == UNKNOWN && now < free_at[j]))
