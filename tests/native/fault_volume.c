/* A volume that fails on command, for tests: a folder passed through by FUSE, read only.
 *
 *   fault_volume <folder> <mount point> [direct] [inodes=<number>]
 *
 * Stays in the foreground, says `mounted`, and takes commands from stdin, one a line, each answered by a line:
 *
 *   delay <name> <ms>      reads of the file take so much longer
 *   hang <name>            reads wait until the fault is cleared
 *   deaf <name>            so does opening it
 *   eio <name>             reads fail
 *   dribble <name> <bytes> a read brings no more than that at a time
 *   end <name> <bytes>     reads from there on bring nothing, though the size says otherwise
 *   cut <name> <bytes>     the file looks as if it were cut off there, just now
 *   clear <name>           all is well again; `*` is every file
 *   hung                   answers how many reads and openings hang
 *   reads <name>           answers how many reads of the file were asked for
 *
 * A fault hits reads that reach beyond the first 4 KiB: a header can always be read. `direct`: the system keeps nothing of what was read. `inodes`: added to the numbers of all
 * files, as a disk that was mounted again may number them anew. When stdin ends the volume is unmounted and the process gone, whatever hangs: nothing of it
 * outlives a test that was killed. With `probe` in place of the folder it mounts and goes at once, and says why where that cannot be. */
#define FUSE_USE_VERSION 35
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fuse3/fuse.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SPARED_BYTES 4096
#define MOST_FILES 4096
#define THREADS 128

enum kind { NONE, DELAY, HANG, DEAF, EIO_, DRIBBLE, END, CUT };
static const char *const KINDS[] = { "clear", "delay", "hang", "deaf", "eio", "dribble", "end", "cut" };

typedef struct fault {
  char name[64];
  enum kind kind;
  long value;
  struct timespec since; /* a cut changes the file's times, as cutting does */
  unsigned long reads;
} fault;

static const char *folder, *place;
static bool direct;
static ino_t inode_offset;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cleared = PTHREAD_COND_INITIALIZER;
/* Under the mutex: */
static fault faults[MOST_FILES];
static int fault_count, hung;

/* [under the mutex] */
static fault *fault_of(const char *name) {
  for (int i = 0; i < fault_count; i++)
    if (strcmp(faults[i].name, name) == 0) return &faults[i];
  if (fault_count == MOST_FILES) return &faults[MOST_FILES - 1];
  fault *f = &faults[fault_count++];
  snprintf(f->name, sizeof f->name, "%s", name);
  return f;
}

static const char *name_of(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

static void within(const char *path, char out[PATH_MAX]) { snprintf(out, PATH_MAX, "%s%s", folder, path); }

/* ---- the file system -------------------------------------------------------------------------------------------- */

static void see(const char *path, struct stat *st) {
  st->st_ino += inode_offset;
  if (!S_ISREG(st->st_mode)) return;
  pthread_mutex_lock(&mutex);
  const fault *f = fault_of(name_of(path));
  if (f->kind == CUT && st->st_size > f->value) {
    st->st_size = f->value;
    st->st_mtim = st->st_ctim = f->since;
  }
  pthread_mutex_unlock(&mutex);
}

static int volume_getattr(const char *path, struct stat *st, struct fuse_file_info *fi) {
  char real[PATH_MAX];
  within(path, real);
  if (fi ? fstat((int)fi->fh, st) : lstat(real, st)) return -errno;
  see(path, st);
  return 0;
}

static int volume_readdir(const char *path, void *buffer, fuse_fill_dir_t fill, off_t offset, struct fuse_file_info *fi, enum fuse_readdir_flags flags) {
  (void)offset, (void)fi, (void)flags;
  char real[PATH_MAX];
  within(path, real);
  DIR *d = opendir(real);
  if (!d) return -errno;
  for (struct dirent *e; (e = readdir(d));)
    if (fill(buffer, e->d_name, NULL, 0, 0)) break;
  closedir(d);
  return 0;
}

/* [under the mutex] Waits while the file has that fault. */
static void hang(const fault *f, enum kind kind) {
  if (f->kind != kind) return;
  hung++;
  while (f->kind == kind) pthread_cond_wait(&cleared, &mutex);
  hung--;
}

static int volume_open(const char *path, struct fuse_file_info *fi) {
  if ((fi->flags & O_ACCMODE) != O_RDONLY) return -EROFS;
  pthread_mutex_lock(&mutex);
  hang(fault_of(name_of(path)), DEAF);
  pthread_mutex_unlock(&mutex);
  char real[PATH_MAX];
  within(path, real);
  int fd = open(real, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -errno;
  fi->fh = (uint64_t)fd;
  fi->direct_io = direct;
  return 0;
}

static int volume_release(const char *path, struct fuse_file_info *fi) {
  (void)path;
  close((int)fi->fh);
  return 0;
}

static int volume_read(const char *path, char *buffer, size_t size, off_t offset, struct fuse_file_info *fi) {
  pthread_mutex_lock(&mutex);
  fault *f = fault_of(name_of(path));
  f->reads++;
  const bool spared = offset + (off_t)size <= SPARED_BYTES;
  enum kind kind = spared ? NONE : f->kind;
  const long value = f->value;
  if (kind == HANG) {
    hang(f, HANG);
    kind = NONE;
  }
  pthread_mutex_unlock(&mutex);
  if (kind == DELAY) nanosleep(&(struct timespec){ .tv_sec = value / 1000, .tv_nsec = value % 1000 * 1000000 }, NULL);
  if (kind == EIO_) return -EIO;
  if (kind == DRIBBLE && size > (size_t)value) size = (size_t)value;
  if (kind == END || kind == CUT) {
    if (offset >= value) return 0;
    if ((off_t)size > value - offset) size = (size_t)(value - offset);
  }
  ssize_t got = pread((int)fi->fh, buffer, size, offset);
  return got < 0 ? -errno : (int)got;
}

static void *volume_init(struct fuse_conn_info *connection, struct fuse_config *config) {
  connection->max_background = THREADS;
  config->use_ino = 1;
  /* Nothing is remembered of names and sizes: what changes is seen at once. */
  config->entry_timeout = config->attr_timeout = config->negative_timeout = 0;
  return NULL;
}

static const struct fuse_operations OPERATIONS = {
  .getattr = volume_getattr,
  .readdir = volume_readdir,
  .open = volume_open,
  .read = volume_read,
  .release = volume_release,
  .init = volume_init,
};

/* ---- commands --------------------------------------------------------------------------------------------------- */

static void leave(void) {
  /* Lazily: a thread of ours or of theirs may hang in it. What they wait for fails when this process is gone. */
  if (umount2(place, MNT_DETACH) != 0) {
    char command[PATH_MAX + 64];
    snprintf(command, sizeof command, "fusermount3 -u -z -- '%s'", place);
    (void)!system(command);
  }
  _exit(0);
}

static void obey(const char *line) {
  char verb[32] = "", name[128] = "";
  long value = 0;
  (void)sscanf(line, "%31s %127s %ld", verb, name, &value);
  pthread_mutex_lock(&mutex);
  if (strcmp(verb, "hung") == 0) {
    printf("%d\n", hung);
  } else if (strcmp(verb, "reads") == 0) {
    printf("%lu\n", fault_of(name)->reads);
  } else {
    int kind = -1;
    for (int k = 0; k <= CUT; k++)
      if (strcmp(verb, KINDS[k]) == 0) kind = k;
    for (int i = 0; kind == NONE && strcmp(name, "*") == 0 && i < fault_count; i++) faults[i].kind = NONE;
    if (kind >= 0 && name[0] && strcmp(name, "*") != 0) {
      fault *f = fault_of(name);
      f->kind = (enum kind)kind;
      f->value = value;
      clock_gettime(CLOCK_REALTIME, &f->since);
    }
    pthread_cond_broadcast(&cleared);
    puts(kind >= 0 && name[0] ? "ok" : "what?");
  }
  pthread_mutex_unlock(&mutex);
}

static void *command_main(void *context) {
  (void)context;
  char line[512];
  while (fgets(line, sizeof line, stdin)) obey(line);
  leave();
  return NULL;
}

int main(int argc, char **argv) {
  if (argc < 3) {
    fputs("usage: fault_volume <folder> <mount point> [direct] [inodes=<number>]\n", stderr);
    return 2;
  }
  folder = argv[1];
  place = argv[2];
  for (int i = 3; i < argc; i++) {
    if (strcmp(argv[i], "direct") == 0) direct = true;
    if (strncmp(argv[i], "inodes=", 7) == 0) inode_offset = (ino_t)strtoull(argv[i] + 7, NULL, 10);
  }
  setvbuf(stdout, NULL, _IOLBF, 0);
  struct fuse_args arguments = FUSE_ARGS_INIT(0, NULL);
  fuse_opt_add_arg(&arguments, "fault_volume");
  fuse_opt_add_arg(&arguments, "-ofsname=fault_volume,subtype=loophole");
  struct fuse *fuse = fuse_new(&arguments, &OPERATIONS, sizeof OPERATIONS, NULL);
  if (!fuse || fuse_mount(fuse, place) != 0) {
    fprintf(stderr, "cannot mount at %s: %s\n", place, strerror(errno));
    return 3;
  }
  if (strcmp(folder, "probe") == 0) {
    fuse_unmount(fuse);
    puts("mounted");
    return 0;
  }
  pthread_t commands;
  if (pthread_create(&commands, NULL, command_main, NULL) != 0) leave();
  puts("mounted");
  struct fuse_loop_config *config = fuse_loop_cfg_create();
  fuse_loop_cfg_set_max_threads(config, THREADS);
  fuse_loop_cfg_set_idle_threads(config, THREADS);
  (void)fuse_loop_mt(fuse, config);
  _exit(0); /* unmounted by somebody: what hangs goes with the process */
}
