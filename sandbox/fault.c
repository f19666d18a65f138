/* Chooses the fault that meets a request, and keeps the list of them. */
#include "sandbox/fault.h"

#include <string.h>
#include <utlist.h>

#include "common/err.h"
#include "common/mem.h"
#include "sandbox/dice.h"

void fault_free(struct fault *f)
{
    if (!f)
        return;
    mem_free(f->body);
    mem_free(f);
}

static bool is_spent(const struct fault *f)
{
    return f->times > 0 && f->used >= f->times;
}

static void drop_oldest_spent(struct faults *all)
{
    struct fault *f;
    DL_FOREACH(all->list, f)
    {
        if (is_spent(f)) {
            DL_DELETE(all->list, f);
            fault_free(f);
            all->n--;
            return;
        }
    }
}

int faults_add(struct faults *all, struct fault *f, struct err *e)
{
    if (all->n >= FAULTS_MAX)
        drop_oldest_spent(all);
    if (all->n >= FAULTS_MAX)
        return err_set(e, ERR_TEMP, 0, "%d faults are waiting already: DELETE /faults first",
                       FAULTS_MAX);
    f->id = ++all->last_id;
    DL_APPEND(all->list, f);
    all->n++;
    return 0;
}

void faults_clear(struct faults *all)
{
    struct fault *f;
    struct fault *after;
    DL_FOREACH_SAFE(all->list, f, after)
    {
        DL_DELETE(all->list, f);
        fault_free(f);
    }
    all->n = 0;
}

bool fault_meets_phone(const struct fault *f, const char *e164)
{
    return f->phone[0] == 0 || strcmp(f->phone, e164) == 0;
}

static bool fits(const struct fault *f, const char *action, const char *const *phones, size_t n)
{
    if (f->action[0] && strcmp(f->action, action) != 0)
        return false;
    if (f->phone[0] == 0)
        return true;
    for (size_t i = 0; i < n; i++) {
        if (fault_meets_phone(f, phones[i]))
            return true;
    }
    return false;
}

/* A bucket of one second's tokens: true when a request has to be refused. */
static bool is_over_rate(struct fault *f, int64_t now_us)
{
    double most = (double)f->rate;
    if (f->refilled_us == 0)
        f->tokens = most;
    else
        f->tokens += (double)(now_us - f->refilled_us) / (double)US_PER_S * most;
    f->tokens = MIN(f->tokens, most);
    f->refilled_us = now_us;
    if (f->tokens < 1)
        return true;
    f->tokens -= 1;
    return false;
}

const struct fault *faults_pick(struct faults *all, const char *action, const char *const *phones,
                                size_t n_phones, int64_t now_us, struct dice *dice)
{
    struct fault *f;
    DL_FOREACH(all->list, f)
    {
        if (is_spent(f) || !fits(f, action, phones, n_phones))
            continue;
        f->fitted++;
        if (f->fitted % f->every != 0)
            continue;
        if (f->probability < 1 && dice_unit(dice) >= f->probability)
            continue;
        if (f->kind == FAULT_RATE && !is_over_rate(f, now_us))
            continue;
        f->used++;
        return f;
    }
    return NULL;
}
