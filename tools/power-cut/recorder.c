/*
 * Records what a process does to the files of one folder: preloaded (LD_PRELOAD), it writes each change and each flush to
 * a log, in the order in which the system took them. disk.ts reads the log.
 *
 *   NEXUS_RECORD_FOLDER  absolute path of the folder, without a slash at its end
 *   NEXUS_RECORD_LOG     file that takes the log; outside the folder
 *
 * A flush of the folder itself, which keeps the names in it, has the name ".".
 *
 * A record: op u8 | name length u16 | name | offset u64 | length u32 | data of that length if op is WRITE. Little-endian.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { WRITE = 1, TRUNCATE = 2, SYNC = 3, UNLINK = 4, CREATE = 5 };

#define FDS_MAX 4096

static char *names[FDS_MAX];
static char folder[PATH_MAX];
static size_t folder_length;
static int log_fd = -1;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off64_t);
static int (*real_open)(const char *, int, ...);
static int (*real_openat)(int, const char *, int, ...);
static int (*real_close)(int);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static int (*real_ftruncate)(int, off64_t);
static int (*real_unlink)(const char *);

__attribute__((constructor)) static void start(void) {
  real_write = dlsym(RTLD_NEXT, "write");
  real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
  real_open = dlsym(RTLD_NEXT, "open64");
  real_openat = dlsym(RTLD_NEXT, "openat64");
  real_close = dlsym(RTLD_NEXT, "close");
  real_fsync = dlsym(RTLD_NEXT, "fsync");
  real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
  real_ftruncate = dlsym(RTLD_NEXT, "ftruncate64");
  real_unlink = dlsym(RTLD_NEXT, "unlink");
  const char *where = getenv("NEXUS_RECORD_FOLDER");
  const char *log = getenv("NEXUS_RECORD_LOG");
  if (where == NULL || log == NULL || strlen(where) >= sizeof folder) return;
  strcpy(folder, where);
  folder_length = strlen(folder);
  log_fd = real_open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static const char *name_in_folder(const char *path) {
  if (log_fd < 0 || path == NULL || strncmp(path, folder, folder_length) != 0) return NULL;
  if (path[folder_length] == '\0') return ".";
  return path[folder_length] == '/' ? path + folder_length + 1 : NULL;
}

static const char *name_of(int fd) {
  return fd >= 0 && fd < FDS_MAX ? names[fd] : NULL;
}

static void note(uint8_t op, const char *name, uint64_t offset, const void *data, uint32_t length) {
  uint16_t name_length = strlen(name);
  uint32_t data_length = op == WRITE ? length : 0;
  size_t size = 1 + 2 + name_length + 8 + 4 + data_length;
  char *record = malloc(size), *at = record;
  if (record == NULL) abort();
  *at++ = op;
  memcpy(at, &name_length, 2), at += 2;
  memcpy(at, name, name_length), at += name_length;
  memcpy(at, &offset, 8), at += 8;
  memcpy(at, &length, 4), at += 4;
  if (data_length > 0) memcpy(at, data, data_length);
  if (real_write(log_fd, record, size) != (ssize_t)size) abort();
  free(record);
}

static void opened(int fd, const char *path, int flags, int existed) {
  const char *name = name_in_folder(path);
  if (fd < 0 || fd >= FDS_MAX || name == NULL) return;
  pthread_mutex_lock(&lock);
  free(names[fd]);
  names[fd] = strdup(name);
  if (!existed && (flags & O_CREAT)) note(CREATE, name, 0, NULL, 0);
  if (flags & O_TRUNC) note(TRUNCATE, name, 0, NULL, 0);
  pthread_mutex_unlock(&lock);
}

static int open_any(const char *path, int flags, mode_t mode) {
  int existed = access(path, F_OK) == 0;
  int fd = real_open(path, flags, mode);
  opened(fd, path, flags, existed);
  return fd;
}

#define MODE_OF(flags, last)                                                                                           \
  mode_t mode = 0;                                                                                                     \
  if ((flags) & (O_CREAT | O_TMPFILE)) {                                                                               \
    va_list more;                                                                                                      \
    va_start(more, last);                                                                                              \
    mode = va_arg(more, mode_t);                                                                                       \
    va_end(more);                                                                                                      \
  }

int open(const char *path, int flags, ...) {
  MODE_OF(flags, flags)
  return open_any(path, flags, mode);
}

int open64(const char *path, int flags, ...) {
  MODE_OF(flags, flags)
  return open_any(path, flags, mode);
}

int openat64(int at, const char *path, int flags, ...) {
  MODE_OF(flags, flags)
  int existed = faccessat(at, path, F_OK, 0) == 0;
  int fd = real_openat(at, path, flags, mode);
  opened(fd, path, flags, existed);
  return fd;
}

int openat(int at, const char *path, int flags, ...) {
  MODE_OF(flags, flags)
  return openat64(at, path, flags, mode);
}

int close(int fd) {
  if (name_of(fd) != NULL) {
    pthread_mutex_lock(&lock);
    free(names[fd]);
    names[fd] = NULL;
    pthread_mutex_unlock(&lock);
  }
  return real_close(fd);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset) {
  const char *name = name_of(fd);
  if (name == NULL) return real_pwrite(fd, data, size, offset);
  pthread_mutex_lock(&lock);
  ssize_t written = real_pwrite(fd, data, size, offset);
  if (written > 0) note(WRITE, name, offset, data, written);
  pthread_mutex_unlock(&lock);
  return written;
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset) {
  return pwrite64(fd, data, size, offset);
}

ssize_t write(int fd, const void *data, size_t size) {
  const char *name = name_of(fd);
  if (name == NULL) return real_write(fd, data, size);
  pthread_mutex_lock(&lock);
  int appends = fcntl(fd, F_GETFL) & O_APPEND;
  off64_t offset = lseek64(fd, 0, appends ? SEEK_END : SEEK_CUR);
  ssize_t written = real_write(fd, data, size);
  if (written > 0) note(WRITE, name, offset, data, written);
  pthread_mutex_unlock(&lock);
  return written;
}

int ftruncate64(int fd, off64_t size) {
  const char *name = name_of(fd);
  if (name == NULL) return real_ftruncate(fd, size);
  pthread_mutex_lock(&lock);
  int result = real_ftruncate(fd, size);
  if (result == 0) note(TRUNCATE, name, size, NULL, 0);
  pthread_mutex_unlock(&lock);
  return result;
}

int ftruncate(int fd, off_t size) {
  return ftruncate64(fd, size);
}

static int flush(int fd, int (*real)(int)) {
  const char *name = name_of(fd);
  if (name == NULL) return real(fd);
  /* Under the lock, so that no write of another thread is taken for one that the flush kept. */
  pthread_mutex_lock(&lock);
  int result = real(fd);
  if (result == 0) note(SYNC, name, 0, NULL, 0);
  pthread_mutex_unlock(&lock);
  return result;
}

int fsync(int fd) {
  return flush(fd, real_fsync);
}

int fdatasync(int fd) {
  return flush(fd, real_fdatasync);
}

int unlink(const char *path) {
  const char *name = name_in_folder(path);
  int result = real_unlink(path);
  if (name != NULL && result == 0) {
    pthread_mutex_lock(&lock);
    note(UNLINK, name, 0, NULL, 0);
    pthread_mutex_unlock(&lock);
  }
  return result;
}
