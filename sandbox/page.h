/* The page for people: the accepted messages as a phone shows them. */
#ifndef SENDCODE_SANDBOX_PAGE_H
#define SENDCODE_SANDBOX_PAGE_H

struct buf;
struct store;

#define PAGE_POLICY                                                                                \
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "                  \
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/* Appends the whole HTML document; everything that came from outside is escaped. */
void page_add(const struct store *s, struct buf *out);

#endif
