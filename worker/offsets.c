/* The per-partition offset tracker: an ordered list of what is unfinished. */
#include "worker/offsets.h"

#include <utlist.h>

void offsets_begin(struct offsets *o, struct offset_mark *mark, int64_t offset, int64_t next)
{
    if (offset < o->next || next <= offset)
        panic("offset %lld begun after %lld", (long long)offset, (long long)o->next);
    mark->offset = offset;
    mark->pending = true;
    DL_APPEND(o->pending, mark);
    o->next = next;
}

void offsets_done(struct offsets *o, struct offset_mark *mark)
{
    if (!mark->pending)
        return;
    DL_DELETE(o->pending, mark);
    mark->pending = false;
}

int64_t offsets_position(const struct offsets *o)
{
    return o->pending ? o->pending->offset : o->next;
}
