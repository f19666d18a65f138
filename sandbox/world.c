/* What the sandbox's account owns, gathered once from the scenes of a sendcode configuration. */
#include "sandbox/world.h"

#include <string.h>

#include "common/buf.h"
#include "common/mem.h"
#include "common/settings/settings.h"
#include "sandbox/problem.h"

static bool has(const char *const *list, size_t n, const char *s)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(list[i], s) == 0)
            return true;
    }
    return false;
}

static void add_once(const char **list, size_t *n, const char *s)
{
    if (s && s[0] && !has(list, *n, s))
        list[(*n)++] = s;
}

static const struct template *find_template(const struct world *w, const char *id)
{
    for (size_t i = 0; i < w->n_templates; i++) {
        if (strcmp(w->templates[i].id, id) == 0)
            return &w->templates[i];
    }
    return NULL;
}

static void gather(struct world *w)
{
    const struct settings *s = w->settings;
    w->app_ids = mem_must_alloc((s->n_scenes + 1) * sizeof *w->app_ids);
    w->signs = mem_must_alloc((s->n_scenes + 1) * sizeof *w->signs);
    w->templates = mem_must_alloc((s->n_scenes + 1) * sizeof *w->templates);
    add_once(w->app_ids, &w->n_app_ids, s->tencent.sdk_app_id);
    add_once(w->signs, &w->n_signs, s->tencent.sign_name);
    for (size_t i = 0; i < s->n_scenes; i++) {
        const struct scene *scene = &s->scenes[i];
        add_once(w->app_ids, &w->n_app_ids, scene->sdk_app_id);
        add_once(w->signs, &w->n_signs, scene->sign_name);
        if (scene->template_id && !find_template(w, scene->template_id))
            w->templates[w->n_templates++] =
                (struct template){scene->template_id, scene->n_template_params};
    }
}

int world_load(struct world *w, const char *path, struct buf *faults)
{
    *w = (struct world){.open = path == NULL};
    w->settings = settings_load(path, SETTINGS_NEED_TENCENT_KEYS, faults);
    if (!w->settings)
        return -1;
    gather(w);
    return 0;
}

void world_free(struct world *w)
{
    mem_free(w->app_ids);
    mem_free(w->signs);
    mem_free(w->templates);
    settings_free(w->settings);
    *w = (struct world){0};
}

int world_check_app(const struct world *w, const char *id, struct problem *p)
{
    if (w->open ? id[0] != 0 : has(w->app_ids, w->n_app_ids, id))
        return 0;
    return problem_set(p, "UnauthorizedOperation.SmsSdkAppIdVerifyFail",
                       "The SmsSdkAppId does not belong to this account.");
}

bool world_has_sign(const struct world *w, const char *name)
{
    return w->open ? name[0] != 0 : has(w->signs, w->n_signs, name);
}

long world_template_params(const struct world *w, const char *id, size_t n_given)
{
    if (w->open)
        return id[0] ? (long)n_given : -1;
    const struct template *t = find_template(w, id);
    return t ? (long)t->n_params : -1;
}

/* Two placeholders are the template of the guide: code and minutes. */
void world_add_text(struct buf *out, const char *const *values, size_t n)
{
    if (n == 0) {
        buf_add_text(out, "您的验证码已发送。如非本人操作，请忽略本短信。");
        return;
    }
    buf_add_text(out, "您的验证码为：");
    buf_add_text(out, values[0]);
    if (n == 2) {
        buf_add_text(out, "，请于");
        buf_add_text(out, values[1]);
        buf_add_text(out, "分钟内填写");
    }
    for (size_t i = 1; n > 2 && i < n; i++) {
        buf_add_text(out, "，");
        buf_add_text(out, values[i]);
    }
    buf_add_text(out, "。如非本人操作，请忽略本短信。");
}

void world_add_template(struct buf *out, size_t n_params)
{
    static const char *const holders[SCENE_PARAMS_MAX] = {"{1}", "{2}", "{3}", "{4}", "{5}",
                                                          "{6}", "{7}", "{8}", "{9}", "{10}"};
    world_add_text(out, holders, MIN(n_params, ARRAY_LEN(holders)));
}
