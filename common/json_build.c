/* Making JSON: objects and arrays of ours, and their text. */
#include "common/json.h"
#include "common/json_c.h"

static struct json_object *object_of(struct json *j)
{
    return (struct json_object *)j;
}

static struct json *must_be(struct json_object *o)
{
    if (o == NULL)
        panic("no memory for a JSON value");
    return (struct json *)o;
}

struct json *json_new_object(void)
{
    return must_be(json_object_new_object());
}

struct json *json_new_array(void)
{
    return must_be(json_object_new_array());
}

void json_add(struct json *obj, const char *key, struct json *child)
{
    if (json_object_object_add(object_of(obj), key, object_of(child)) != 0)
        panic("no memory for a JSON member");
}

void json_add_text(struct json *obj, const char *key, const char *s)
{
    if (s != NULL)
        json_add(obj, key, must_be(json_object_new_string(s)));
}

void json_add_int(struct json *obj, const char *key, int64_t i)
{
    json_add(obj, key, must_be(json_object_new_int64(i)));
}

void json_append(struct json *arr, struct json *child)
{
    if (json_object_array_add(object_of(arr), object_of(child)) != 0)
        panic("no memory for a JSON member");
}

void json_append_text(struct json *arr, const char *s)
{
    json_append(arr, must_be(json_object_new_string(s)));
}

const char *json_text(const struct json *j, size_t *len)
{
    /* json-c keeps the text with the value. */
    union {
        const struct json *ours;
        struct json_object *theirs;
    } u = {.ours = j};
    const char *text = json_object_to_json_string_length(
        u.theirs, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, len);
    if (text == NULL)
        panic("no memory for a JSON text");
    return text;
}
