/* Stands before a program's fsync and fdatasync, and keeps what is forced to the disk: the content of a file, the names
 * in a folder. A test builds from that what a machine finds that lost its power (tests/crash/power.rs). */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;

enum { MOST = 65536 };
static ino_t pinned[MOST];
static size_t pins;

/* An inode's number stays its own as long as somebody has it open. */
static void pin(int fd, ino_t inode) {
    for (size_t i = 0; i < pins; i++)
        if (pinned[i] == inode)
            return;
    if (pins == MOST || dup(fd) < 0)
        abort();
    pinned[pins++] = inode;
}

static void keep_content(int fd, FILE *kept) {
    char bytes[65536];
    off_t at = 0;
    for (;;) {
        ssize_t length = pread(fd, bytes, sizeof bytes, at);
        if (length < 0)
            abort();
        if (length == 0)
            return;
        if (fwrite(bytes, 1, (size_t)length, kept) != (size_t)length)
            abort();
        at += length;
    }
}

/* A line with the time, then one for each name: its kind, its inode, the name, and what it points to if it is a link. */
static void keep_names(int fd, FILE *kept) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    fprintf(kept, "%lld\n", (long long)now.tv_sec * 1000000000LL + now.tv_nsec);
    DIR *folder = fdopendir(dup(fd));
    if (!folder)
        abort();
    struct dirent *entry;
    while ((entry = readdir(folder))) {
        struct stat about;
        char target[4096] = "";
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
            continue;
        if (fstatat(fd, entry->d_name, &about, AT_SYMLINK_NOFOLLOW))
            continue;
        char kind = S_ISDIR(about.st_mode) ? 'd' : S_ISLNK(about.st_mode) ? 'l' : 'f';
        if (kind == 'l' && readlinkat(fd, entry->d_name, target, sizeof target - 1) < 0)
            continue;
        fprintf(kept, "%c %llu %s\t%s\n", kind, (unsigned long long)about.st_ino, entry->d_name, target);
    }
    closedir(folder);
}

static void keep(int fd) {
    const char *folder = getenv("POWER_KEPT");
    struct stat about;
    if (!folder || fstat(fd, &about))
        abort();
    char own[64], half[4096], path[4096];
    snprintf(own, sizeof own, "/proc/self/fd/%d", fd);
    int readable = open(own, O_RDONLY | O_CLOEXEC);
    if (readable < 0)
        abort();
    pin(readable, about.st_ino);
    snprintf(half, sizeof half, "%s/half", folder);
    snprintf(path, sizeof path, "%s/%llu", folder, (unsigned long long)about.st_ino);
    FILE *kept = fopen(half, "w");
    if (!kept)
        abort();
    if (S_ISDIR(about.st_mode))
        keep_names(readable, kept);
    else
        keep_content(readable, kept);
    if (fclose(kept) || rename(half, path))
        abort();
    close(readable);
}

static int forced(int fd) {
    pthread_mutex_lock(&one_at_a_time);
    keep(fd);
    pthread_mutex_unlock(&one_at_a_time);
    return 0;
}

int fsync(int fd) { return forced(fd); }

int fdatasync(int fd) { return forced(fd); }
