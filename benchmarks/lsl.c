/* A clock that runs fast, for LD_PRELOAD: CLOCK_MONOTONIC plus SKEW_PPM of the time since SKEW_SINCE (ns). */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t id, struct timespec *now) {
    int failed = (int)syscall(SYS_clock_gettime, id, now);
    const char *since = getenv("SKEW_SINCE"), *ppm = getenv("SKEW_PPM");
    if (!failed && id == CLOCK_MONOTONIC && since && ppm) {
        long long ns = now->tv_sec * 1000000000LL + now->tv_nsec;
        ns += (long long)((ns - atoll(since)) * atof(ppm) * 1e-6);
        now->tv_sec = ns / 1000000000LL;
        now->tv_nsec = ns % 1000000000LL;
    }
    return failed;
}
