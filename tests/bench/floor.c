/*
 * floor BROKERS TOPIC EVENTS DSN URL COUNT: the least that any worker of this kind does, with the
 * same libraries and the same batches and no logic: consume, one insert a batch, one HTTP request a
 * job, one update a batch, one event a job, commit. Prints one line of JSON. What the real worker
 * costs more than this is the price of being right.
 */
#include <curl/curl.h>
#include <libpq-fe.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define BATCH 128

struct floor {
    rd_kafka_t *consumer, *producer;
    rd_kafka_queue_t *queue;
    rd_kafka_topic_t *events;
    PGconn *pg;
    CURLM *multi;
    CURL *easy[BATCH];
    struct curl_slist *headers;
    char array[BATCH * 16 + 16]; /* {1,2,3}: the batch's numbers */
};

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const char *what, const char *why)
{
    fprintf(stderr, "floor: %s: %s\n", what, why);
    exit(1);
}

static rd_kafka_t *make_client(rd_kafka_type_t type, const char *brokers)
{
    char text[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", brokers, text, sizeof(text));
    rd_kafka_conf_set(conf, "socket.nagle.disable", "true", text, sizeof(text));
    if (type == RD_KAFKA_CONSUMER) {
        rd_kafka_conf_set(conf, "group.id", "floor", text, sizeof(text));
        rd_kafka_conf_set(conf, "auto.offset.reset", "earliest", text, sizeof(text));
        rd_kafka_conf_set(conf, "enable.auto.commit", "false", text, sizeof(text));
        rd_kafka_conf_set(conf, "fetch.wait.max.ms", "10", text, sizeof(text));
    } else {
        rd_kafka_conf_set(conf, "enable.idempotence", "true", text, sizeof(text));
        rd_kafka_conf_set(conf, "linger.ms", "1", text, sizeof(text));
    }
    rd_kafka_t *rk = rd_kafka_new(type, conf, text, sizeof(text));
    if (!rk)
        die("kafka", text);
    return rk;
}

static size_t discard(char *data, size_t size, size_t n, void *arg)
{
    (void)data;
    (void)arg;
    return size * n;
}

static void open_all(struct floor *f, char **argv)
{
    f->consumer = make_client(RD_KAFKA_CONSUMER, argv[1]);
    rd_kafka_poll_set_consumer(f->consumer);
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(topics, argv[2], RD_KAFKA_PARTITION_UA);
    rd_kafka_subscribe(f->consumer, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    f->queue = rd_kafka_queue_get_consumer(f->consumer);
    f->producer = make_client(RD_KAFKA_PRODUCER, argv[1]);
    f->events = rd_kafka_topic_new(f->producer, argv[3], NULL);
    f->pg = PQconnectdb(argv[4]);
    if (PQstatus(f->pg) != CONNECTION_OK)
        die("postgres", PQerrorMessage(f->pg));
    PQclear(PQexec(f->pg, "create table if not exists floor (id bigint primary key, state "
                          "int not null default 0) with (fillfactor = 50)"));
    f->multi = curl_multi_init();
    f->headers = curl_slist_append(NULL, "Content-Type: application/json");
    f->headers = curl_slist_append(f->headers, "Expect:");
    f->headers = curl_slist_append(f->headers, "X-TC-Action: SendSms");
    for (int i = 0; i < BATCH; i++) {
        f->easy[i] = curl_easy_init();
        curl_easy_setopt(f->easy[i], CURLOPT_URL, argv[5]);
        curl_easy_setopt(f->easy[i], CURLOPT_HTTPHEADER, f->headers);
        curl_easy_setopt(f->easy[i], CURLOPT_WRITEFUNCTION, discard);
        curl_easy_setopt(f->easy[i], CURLOPT_NOSIGNAL, 1L);
    }
}

static void run_sql(struct floor *f, const char *sql)
{
    const char *values[] = {f->array};
    PGresult *r = PQexecParams(f->pg, sql, 1, NULL, values, NULL, NULL, 0);
    if (PQresultStatus(r) != PGRES_COMMAND_OK)
        die(sql, PQerrorMessage(f->pg));
    PQclear(r);
}

static void send_all(struct floor *f, int n)
{
    static const char body[] =
        "{\"PhoneNumberSet\":[\"+8613800138000\"],\"SmsSdkAppId\":\"1400006789\",\"SignName\":"
        "\"AA\",\"TemplateId\":\"1717171\",\"TemplateParamSet\":[\"123456\",\"5\"]}";
    int running = n;
    for (int i = 0; i < n; i++) {
        curl_easy_setopt(f->easy[i], CURLOPT_POSTFIELDS, body);
        curl_multi_add_handle(f->multi, f->easy[i]);
    }
    while (running > 0) {
        curl_multi_perform(f->multi, &running);
        if (running > 0)
            curl_multi_poll(f->multi, NULL, 0, 100, NULL);
    }
    for (int i = 0; i < n; i++)
        curl_multi_remove_handle(f->multi, f->easy[i]);
}

static int take_batch(struct floor *f, long first)
{
    rd_kafka_message_t *messages[BATCH];
    ssize_t n = rd_kafka_consume_batch_queue(f->queue, 100, messages, BATCH);
    int jobs = 0;
    size_t len = 0;
    for (ssize_t i = 0; i < n; i++) {
        if (!messages[i]->err)
            len += (size_t)snprintf(f->array + len, sizeof(f->array) - len, "%c%ld",
                                    jobs ? ',' : '{', first + jobs);
        jobs += !messages[i]->err;
        rd_kafka_message_destroy(messages[i]);
    }
    snprintf(f->array + len, sizeof(f->array) - len, "}");
    return jobs;
}

static void do_batch(struct floor *f, int n)
{
    static char event[] = "{\"v\":1,\"job_id\":\"floor\",\"seq\":2,\"scene\":\"register\","
                          "\"phone\":\"+86138****8000\",\"state\":\"sent\"}";
    run_sql(f, "insert into floor (id) select unnest($1::bigint[])");
    send_all(f, n);
    run_sql(f, "update floor set state = 1 where id = any ($1::bigint[])");
    for (int i = 0; i < n; i++)
        rd_kafka_produce(f->events, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, event,
                         sizeof(event) - 1, "floor", 5, NULL);
    rd_kafka_flush(f->producer, 10000);
    rd_kafka_commit(f->consumer, NULL, 1);
}

int main(int argc, char **argv)
{
    static struct floor f;
    if (argc != 7) {
        fputs("usage: floor BROKERS TOPIC EVENTS DSN URL COUNT\n", stderr);
        return 64;
    }
    long count = strtol(argv[6], NULL, 10), done = 0;
    double begun = 0;
    struct rusage before = {0}, after;
    open_all(&f, argv);
    while (done < count) {
        int n = take_batch(&f, done);
        if (n > 0 && begun == 0) {
            begun = seconds();
            getrusage(RUSAGE_SELF, &before);
        }
        if (n > 0)
            do_batch(&f, n);
        done += n;
    }
    double took = seconds() - begun;
    getrusage(RUSAGE_SELF, &after);
    double cpu = (double)(after.ru_utime.tv_sec - before.ru_utime.tv_sec) +
                 (double)(after.ru_utime.tv_usec - before.ru_utime.tv_usec) / 1e6 +
                 (double)(after.ru_stime.tv_sec - before.ru_stime.tv_sec) +
                 (double)(after.ru_stime.tv_usec - before.ru_stime.tv_usec) / 1e6;
    printf("{\"jobs\": %ld, \"jobs_per_s\": %.0f, \"cpu_us\": %.1f, \"rss_mib\": %.1f}\n", done,
           (double)done / took, cpu * 1e6 / (double)done, (double)after.ru_maxrss / 1024);
    fflush(stdout);
    _exit(0);
}
