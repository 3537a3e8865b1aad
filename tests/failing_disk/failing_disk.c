/* A disk that fails on demand, for LD_PRELOAD: counts the calls that change a given folder, and at the N-th of them
 * fails, stays full, or kills the process group.
 *
 * FAILING_DISK_FOLDER   absolute path; only calls below it count
 * FAILING_DISK_CONTROL  a file of five 64-bit numbers, mapped by all processes and by the test:
 *     calls    how many have been counted
 *     at       the number of the call that fails, from 1; 0 for none
 *     mode     1 full from then on: what takes room fails with `error`, deleting works, the first write is cut short
 *              2 this call alone fails with `error`
 *              3 every call from then on fails with `error`, deleting too
 *              4 SIGKILL to the process group; half of a write is done before
 *     error    errno
 *     fired    1 when something failed
 *
 * Counted: write pwrite writev pwritev sendfile copy_file_range fwrite ftruncate fallocate fsync fdatasync msync rename
 * link symlink mkdir, open with O_CREAT or O_TRUNC, unlink, rmdir. fwrite is there because C libraries' streams (numpy's
 * tofile) call write inside the C library, where nothing can be put before it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { FULL = 1, ONCE = 2, DEAD = 3, KILL = 4 };
enum { GIVES_ROOM = 0, TAKES_ROOM = 1 };

struct control {
    int64_t calls, at, mode, error, fired;
};

static struct control *control;
static char folder[PATH_MAX];
static size_t folder_length;

__attribute__((constructor)) static void prepare(void) {
    const char *below = getenv("FAILING_DISK_FOLDER"), *file = getenv("FAILING_DISK_CONTROL");
    int (*real_open)(const char *, int, ...) = dlsym(RTLD_NEXT, "open");
    int descriptor;
    void *mapped;
    if (!below || !file || strlen(below) >= sizeof folder)
        return;
    strcpy(folder, below);
    folder_length = strlen(folder);
    descriptor = real_open(file, O_RDWR);
    if (descriptor < 0)
        return;
    mapped = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    close(descriptor);
    if (mapped != MAP_FAILED)
        control = mapped;
}

static int is_below(const char *path) {
    return strncmp(path, folder, folder_length) == 0 && (path[folder_length] == '/' || path[folder_length] == 0);
}

/* Of a descriptor: a path that was deleted counts too. */
static int watches_descriptor(int descriptor) {
    char link[64], path[PATH_MAX];
    ssize_t length;
    if (!control)
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    length = readlink(link, path, sizeof path - 1);
    if (length <= 0)
        return 0;
    path[length] = 0;
    return is_below(path);
}

/* Of a path, relative to a folder's descriptor or to the working directory. */
static int watches_path(int at, const char *path) {
    char whole[2 * PATH_MAX], link[64];
    ssize_t length;
    if (!control || !path)
        return 0;
    if (path[0] == '/')
        return is_below(path);
    if (at == AT_FDCWD) {
        if (!getcwd(whole, PATH_MAX))
            return 0;
        length = (ssize_t)strlen(whole);
    } else {
        snprintf(link, sizeof link, "/proc/self/fd/%d", at);
        length = readlink(link, whole, PATH_MAX - 1);
        if (length <= 0)
            return 0;
    }
    snprintf(whole + length, PATH_MAX, "/%s", path);
    return is_below(whole);
}

static void kill_all(void) {
    kill(0, SIGKILL);
    for (;;)
        pause();
}

/* Count a call. 0: it may go on. 1: it fails, errno is set. 2: half of it is done, then it ends as the mode says. */
static int turn(int takes_room, int can_be_cut) {
    int64_t number = __atomic_add_fetch(&control->calls, 1, __ATOMIC_SEQ_CST), at = control->at;
    if (!at || number < at)
        return 0;
    if (control->mode == FULL ? !takes_room : number > at && control->mode != DEAD)
        return 0;
    control->fired = 1;
    if (control->mode == KILL) {
        if (can_be_cut)
            return 2;
        kill_all();
    }
    if (control->mode == FULL && number == at && can_be_cut)
        return 2;
    errno = (int)control->error;
    return 1;
}

#define REAL(name) ((__typeof__(&name))real(#name))
static void *real(const char *name) {
    return dlsym(RTLD_NEXT, name);
}

#define WRITES(name, parameters, watched, whole, half)                                                                 \
    ssize_t name parameters {                                                                                          \
        int what = (watched) ? turn(TAKES_ROOM, 1) : 0;                                                                \
        ssize_t done;                                                                                                  \
        if (what == 1)                                                                                                 \
            return -1;                                                                                                 \
        if (what == 0)                                                                                                 \
            return REAL(name) whole;                                                                                   \
        done = REAL(name) half;                                                                                        \
        if (control->mode == KILL)                                                                                     \
            kill_all();                                                                                                \
        if (done == 0) {                                                                                               \
            errno = (int)control->error;                                                                               \
            return -1;                                                                                                 \
        }                                                                                                              \
        return done;                                                                                                   \
    }

WRITES(write, (int to, const void *bytes, size_t size), watches_descriptor(to), (to, bytes, size), (to, bytes, size / 2))
WRITES(pwrite, (int to, const void *bytes, size_t size, off_t at), watches_descriptor(to), (to, bytes, size, at),
       (to, bytes, size / 2, at))
WRITES(pwrite64, (int to, const void *bytes, size_t size, off64_t at), watches_descriptor(to), (to, bytes, size, at),
       (to, bytes, size / 2, at))
WRITES(writev, (int to, const struct iovec *parts, int count), watches_descriptor(to), (to, parts, count),
       (to, parts, count / 2))
WRITES(pwritev, (int to, const struct iovec *parts, int count, off_t at), watches_descriptor(to), (to, parts, count, at),
       (to, parts, count / 2, at))
WRITES(sendfile, (int to, int from, off_t *at, size_t size), watches_descriptor(to), (to, from, at, size),
       (to, from, at, size > 4096 ? 4096 : 0))
WRITES(sendfile64, (int to, int from, off64_t *at, size_t size), watches_descriptor(to), (to, from, at, size),
       (to, from, at, size > 4096 ? 4096 : 0))
WRITES(copy_file_range, (int from, off64_t *at, int to, off64_t *place, size_t size, unsigned flags),
       watches_descriptor(to), (from, at, to, place, size, flags), (from, at, to, place, size / 2, flags))

size_t fwrite(const void *bytes, size_t size, size_t count, FILE *to) {
    int what = control && watches_descriptor(fileno(to)) ? turn(TAKES_ROOM, 1) : 0;
    size_t done;
    if (what == 0)
        return REAL(fwrite)(bytes, size, count, to);
    if (what == 1)
        return 0;
    done = REAL(fwrite)(bytes, size, count / 2, to);
    if (control->mode == KILL) {
        fflush(to);
        kill_all();
    }
    errno = (int)control->error;
    return done;
}

#define CHANGES(name, parameters, watched, takes_room, call)                                                           \
    int name parameters {                                                                                              \
        if ((watched) && turn(takes_room, 0))                                                                          \
            return -1;                                                                                                 \
        return REAL(name) call;                                                                                        \
    }

CHANGES(ftruncate, (int to, off_t size), watches_descriptor(to), TAKES_ROOM, (to, size))
CHANGES(ftruncate64, (int to, off64_t size), watches_descriptor(to), TAKES_ROOM, (to, size))
CHANGES(fallocate, (int to, int how, off_t at, off_t size), watches_descriptor(to), TAKES_ROOM, (to, how, at, size))
CHANGES(fallocate64, (int to, int how, off64_t at, off64_t size), watches_descriptor(to), TAKES_ROOM,
        (to, how, at, size))

/* Counted, but not done: no trial cuts the power, and there are thousands of them. */
#define SYNCS(name)                                                                                                    \
    int name(int to) {                                                                                                 \
        if (!watches_descriptor(to))                                                                                   \
            return REAL(name)(to);                                                                                     \
        return turn(TAKES_ROOM, 0) ? -1 : 0;                                                                           \
    }

SYNCS(fsync)
SYNCS(fdatasync)
CHANGES(msync, (void *at, size_t size, int how), control != NULL, TAKES_ROOM, (at, size, how))
CHANGES(rename, (const char *from, const char *to), watches_path(AT_FDCWD, to), TAKES_ROOM, (from, to))
CHANGES(renameat, (int from_at, const char *from, int to_at, const char *to), watches_path(to_at, to), TAKES_ROOM,
        (from_at, from, to_at, to))
CHANGES(renameat2, (int from_at, const char *from, int to_at, const char *to, unsigned how), watches_path(to_at, to),
        TAKES_ROOM, (from_at, from, to_at, to, how))
CHANGES(link, (const char *from, const char *to), watches_path(AT_FDCWD, to), TAKES_ROOM, (from, to))
CHANGES(linkat, (int from_at, const char *from, int to_at, const char *to, int how), watches_path(to_at, to), TAKES_ROOM,
        (from_at, from, to_at, to, how))
CHANGES(symlink, (const char *from, const char *to), watches_path(AT_FDCWD, to), TAKES_ROOM, (from, to))
CHANGES(mkdir, (const char *path, mode_t mode), watches_path(AT_FDCWD, path), TAKES_ROOM, (path, mode))
CHANGES(mkdirat, (int at, const char *path, mode_t mode), watches_path(at, path), TAKES_ROOM, (at, path, mode))
CHANGES(unlink, (const char *path), watches_path(AT_FDCWD, path), GIVES_ROOM, (path))
CHANGES(unlinkat, (int at, const char *path, int how), watches_path(at, path), GIVES_ROOM, (at, path, how))
CHANGES(rmdir, (const char *path), watches_path(AT_FDCWD, path), GIVES_ROOM, (path))

#define OPENS(name, parameters, last, at, call)                                                                        \
    int name parameters {                                                                                              \
        mode_t mode = 0;                                                                                               \
        if (how & (O_CREAT | O_TMPFILE)) {                                                                             \
            va_list more;                                                                                              \
            va_start(more, last);                                                                                      \
            mode = va_arg(more, mode_t);                                                                               \
            va_end(more);                                                                                              \
        }                                                                                                              \
        if ((how & (O_CREAT | O_TRUNC)) && watches_path(at, path) && turn(TAKES_ROOM, 0))                              \
            return -1;                                                                                                 \
        return REAL(name) call;                                                                                        \
    }

OPENS(open, (const char *path, int how, ...), how, AT_FDCWD, (path, how, mode))
OPENS(open64, (const char *path, int how, ...), how, AT_FDCWD, (path, how, mode))
OPENS(openat, (int at, const char *path, int how, ...), how, at, (at, path, how, mode))
OPENS(openat64, (int at, const char *path, int how, ...), how, at, (at, path, how, mode))
