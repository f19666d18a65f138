/* The window opens slowly and closes fast. */
#include "common/window.h"

void window_init(struct window *w, unsigned max)
{
    *w = (struct window){.size = MAX(max, 1u), .max = MAX(max, 1u)};
}

void window_set_max(struct window *w, unsigned max)
{
    bool fully_open = w->size == w->max;
    w->max = MAX(max, 1u);
    w->size = fully_open ? w->max : MIN(w->size, w->max);
}

void window_on_success(struct window *w)
{
    if (w->ignore > 0) {
        w->ignore--;
    }
    if (w->size == w->max) {
        return;
    }
    w->credit++;
    if (w->credit >= w->size) {
        w->credit = 0;
        w->size++;
    }
}

void window_on_failure(struct window *w, unsigned others)
{
    w->credit = 0;
    if (w->ignore > 0) {
        w->ignore--; /* it left before the cut, and says nothing about the window after it */
        return;
    }
    w->ignore = others;
    w->size = MAX(w->size / 2, 1u);
}
