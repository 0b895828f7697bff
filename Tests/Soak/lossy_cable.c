// Carries frames between two TAP devices, and loses, delays, doubles and reorders some of them, by a seeded chance.
//
//     lossy_cable FD FD SEED LOSS DUPLICATES REORDERED      (chances in parts of a million; descriptors of open devices)
//
// For kernels without netem. Ends with its parent, or with SIGTERM; then it prints what it has done.

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum { LONGEST = 2048, WAITING = 1024 };

// A frame that is late: others overtake it.
struct frame {
    int64_t due;
    int to;
    ssize_t length;
    unsigned char bytes[LONGEST];
};

static struct frame waiting[WAITING];
static int waiting_count;
static uint64_t state;
static uint64_t carried, lost, duplicated, delayed;
static volatile sig_atomic_t is_over;

static void end(int number) {
    (void)number;
    is_over = 1;
}

// xorshift64*: good enough for dice.
static uint32_t dice(void) {
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (uint32_t)((state * 0x2545F4914F6CDD1DULL) >> 32);
}

static int happens(uint32_t millionths) {
    return dice() % 1000000 < millionths;
}

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

// A full queue of the other device loses the frame, as a real cable's would.
static void deliver(int to, const unsigned char *bytes, ssize_t length) {
    if (write(to, bytes, (size_t)length) == length) carried++;
    else lost++;
}

static void deliver_due(int64_t time) {
    for (int index = 0; index < waiting_count;) {
        if (waiting[index].due > time) {
            index++;
            continue;
        }
        deliver(waiting[index].to, waiting[index].bytes, waiting[index].length);
        waiting[index] = waiting[--waiting_count];
    }
}

int main(int count, char **arguments) {
    if (count != 7) return 64;
    int devices[2] = {atoi(arguments[1]), atoi(arguments[2])};
    state = strtoull(arguments[3], NULL, 10) * 2654435761u + 88172645463325252ULL;
    uint32_t loss = (uint32_t)atoi(arguments[4]), duplicates = (uint32_t)atoi(arguments[5]), reordered = (uint32_t)atoi(arguments[6]);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    signal(SIGTERM, end);
    signal(SIGINT, SIG_IGN);
    struct pollfd ready[2] = {{devices[0], POLLIN, 0}, {devices[1], POLLIN, 0}};
    while (!is_over) {
        if (poll(ready, 2, waiting_count ? 1 : 1000) < 0 && errno != EINTR) return 71;
        int64_t time = now();
        for (int side = 0; side < 2; side++) {
            if (!(ready[side].revents & POLLIN)) continue;
            // Some at a time, so that both sides have their turn.
            for (int turn = 0; turn < 64; turn++) {
                unsigned char bytes[LONGEST];
                ssize_t length = read(devices[side], bytes, sizeof bytes);
                if (length <= 0) break;
                if (happens(loss)) {
                    lost++;
                    continue;
                }
                int copies = happens(duplicates) ? 2 : 1;
                duplicated += copies == 2;
                for (int copy = 0; copy < copies; copy++) {
                    if (happens(reordered) && waiting_count < WAITING) {
                        struct frame *late = &waiting[waiting_count++];
                        late->due = time + 500 + dice() % 10000;
                        late->to = devices[1 - side];
                        late->length = length;
                        memcpy(late->bytes, bytes, (size_t)length);
                        delayed++;
                    } else {
                        deliver(devices[1 - side], bytes, length);
                    }
                }
            }
        }
        deliver_due(time);
    }
    printf("{\"carried\": %llu, \"lost\": %llu, \"duplicated\": %llu, \"delayed\": %llu}\n", (unsigned long long)carried,
           (unsigned long long)lost, (unsigned long long)duplicated, (unsigned long long)delayed);
    return 0;
}
