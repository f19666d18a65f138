/*
 * What the sandbox's account owns: its key, applications, signs and templates. From a sendcode
 * configuration only those it names exist; without one everything is taken as it comes.
 */
#ifndef SENDCODE_SANDBOX_WORLD_H
#define SENDCODE_SANDBOX_WORLD_H

#include "common/base.h"

struct buf;
struct problem;
struct settings;

struct template
{
    const char *id;
    size_t n_params;
};

struct world {
    struct settings *settings; /* owns every text below; its TENCENT_* secrets are the key */
    bool open;                 /* applications, signs and templates as they come */
    const char **app_ids;
    size_t n_app_ids;
    const char **signs;
    size_t n_signs;
    struct template *templates;
    size_t n_templates;
};

/* The key comes from the environment; path NULL: nothing else does. On faults returns -1 and
 * appends one line a fault. */
NODISCARD int world_load(struct world *w, const char *path, struct buf *faults);
void world_free(struct world *w);

/* 0, or -1 with Tencent's error. */
NODISCARD int world_check_app(const struct world *w, const char *id, struct problem *p);
bool world_has_sign(const struct world *w, const char *name);
/* The placeholders of a template; n_given in an open world; -1: there is no such template. */
long world_template_params(const struct world *w, const char *id, size_t n_given);

/* The text with its values in place; templates of any number of placeholders have one. */
void world_add_text(struct buf *out, const char *const *values, size_t n);
/* The text as Tencent lists it, with {1}, {2} … */
void world_add_template(struct buf *out, size_t n_params);

#endif
