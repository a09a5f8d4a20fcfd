/* Preloaded into a process, it makes a disk refuse and a clock jump, as files in FAULTY_LIBC say:

     sync      its text is part of a path: fsync and fdatasync of such a file fail with EIO
     write     its text is part of a path: write and pwrite to such a file fail with ENOSPC
     clock     seconds, maybe negative, that the wall clock differs; the monotonic clock is true

   Whoever takes a file away ends its fault. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static int told(const char *name, char *text, size_t size) {
    const char *folder = getenv("FAULTY_LIBC");
    char path[512];
    if (!folder || snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path) return 0;
    int file = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    ssize_t length = syscall(SYS_read, file, text, size - 1);
    syscall(SYS_close, file);
    if (length <= 0) return 0;
    text[length] = 0;
    return 1;
}

static int is_meant(const char *fault, int descriptor) {
    int before = errno;
    char part[256], link[64], path[512];
    int meant = 0;
    if (told(fault, part, sizeof part)) {
        snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
        ssize_t length = readlink(link, path, sizeof path - 1);
        if (length > 0) {
            path[length] = 0;
            meant = strstr(path, part) != NULL;
        }
    }
    errno = before;
    return meant;
}

#define REAL(type, name, ...) \
    static type (*real)(__VA_ARGS__); \
    if (!real) real = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

int fsync(int descriptor) {
    REAL(int, "fsync", int);
    if (is_meant("sync", descriptor)) { errno = EIO; return -1; }
    return real(descriptor);
}

int fdatasync(int descriptor) {
    REAL(int, "fdatasync", int);
    if (is_meant("sync", descriptor)) { errno = EIO; return -1; }
    return real(descriptor);
}

ssize_t write(int descriptor, const void *bytes, size_t size) {
    REAL(ssize_t, "write", int, const void *, size_t);
    if (is_meant("write", descriptor)) { errno = ENOSPC; return -1; }
    return real(descriptor, bytes, size);
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t size, off64_t at) {
    REAL(ssize_t, "pwrite64", int, const void *, size_t, off64_t);
    if (is_meant("write", descriptor)) { errno = ENOSPC; return -1; }
    return real(descriptor, bytes, size, at);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    REAL(int, "clock_gettime", clockid_t, struct timespec *);
    int answer = real(clock, now);
    char text[64];
    if (answer == 0 && clock == CLOCK_REALTIME && told("clock", text, sizeof text))
        now->tv_sec += atol(text);
    return answer;
}

time_t time(time_t *where) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (where) *where = now.tv_sec;
    return now.tv_sec;
}

int gettimeofday(struct timeval *now, void *zone) {
    struct timespec exact;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &exact);
    now->tv_sec = exact.tv_sec;
    now->tv_usec = exact.tv_nsec / 1000;
    return 0;
}
