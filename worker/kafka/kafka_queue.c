/* The eventfd between librdkafka's threads and our loop. */
#include "worker/kafka/kafka_queue.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/err.h"

static void on_ready(void *arg, UNUSED unsigned ready)
{
    struct kafka_queue *kq = arg;
    uint64_t fired;

    /* Read before polling: what comes in between fires again. */
    if (read(kq->fd, &fired, sizeof(fired)) == (ssize_t)sizeof(fired))
        kq->fn(kq->arg);
}

int kafka_queue_open(struct kafka_queue *kq, struct loop *loop, rd_kafka_queue_t *q, loop_fn *fn,
                     void *arg, struct err *e)
{
    static const uint64_t one = 1;

    *kq = (struct kafka_queue){.q = q, .fn = fn, .arg = arg};
    kq->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (kq->fd < 0) {
        int no = errno;
        kafka_queue_close(kq);
        return err_set(e, ERR_TEMP, no, "no file descriptor for a Kafka queue: %s", strerror(no));
    }
    kq->io = loop_io_new(loop, kq->fd, LOOP_READ, on_ready, kq);
    rd_kafka_queue_io_event_enable(q, kq->fd, &one, sizeof(one));
    /* What waits in it already would fire nothing, and neither would what comes behind it. */
    if (write(kq->fd, &one, sizeof(one)) != (ssize_t)sizeof(one))
        panic("an eventfd that was just made takes no event");
    return 0;
}

void kafka_queue_close(struct kafka_queue *kq)
{
    if (!kq->q)
        return;
    if (kq->fd >= 0) {
        rd_kafka_queue_io_event_enable(kq->q, -1, NULL, 0);
        loop_io_free(kq->io);
        close(kq->fd);
    }
    rd_kafka_queue_destroy(kq->q);
    *kq = (struct kafka_queue){.fd = -1};
}

rd_kafka_event_t *kafka_queue_pop(struct kafka_queue *kq)
{
    return rd_kafka_queue_poll(kq->q, 0);
}
