#include "worker.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* macOS has SO_NOSIGPIPE instead */
#endif

enum { CONTROL_OPEN = 1, CONTROL_CANCEL = 2 };
enum { SECONDS_TO_TAKE = 60 }; /* a worker that takes nothing for so long is hung */
enum { FIRST_FREE = 10 }; /* descriptors are moved out of the way of 0 to 4 before these are set */

/* What this process has of its worker; under `lock`. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int watching_forks = 0;
static int control = -1;
static int last_words = -1; /* what the worker writes to standard error until it has answered */
static uint32_t workers = 0;
static uint32_t sessions = 0;

static char *text_of(const char *format, ...) {
  char *text = malloc(1200);
  va_list arguments;
  va_start(arguments, format);
  if (text) vsnprintf(text, 1200, format, arguments);
  va_end(arguments);
  return text;
}

static void shut(int *descriptor) {
  if (*descriptor >= 0) close(*descriptor);
  *descriptor = -1;
}

/* A forked child has nothing of its parent's worker. Another thread may have held the lock, and is not there to give it back. */
static void forget_after_fork(void) {
  static const pthread_mutex_t fresh = PTHREAD_MUTEX_INITIALIZER;
  lock = fresh;
  shut(&control);
  shut(&last_words);
}

static void keep_to_oneself(int descriptor) { fcntl(descriptor, F_SETFD, FD_CLOEXEC); }

static int two_sockets(int *sockets) {
  int kind = SOCK_STREAM;
#ifdef SOCK_CLOEXEC
  kind |= SOCK_CLOEXEC;
#endif
  if (socketpair(AF_UNIX, kind, 0, sockets)) return -1;
  for (int n = 0; n < 2; n++) {
    keep_to_oneself(sockets[n]);
#ifdef SO_NOSIGPIPE
    int yes = 1;
    setsockopt(sockets[n], SOL_SOCKET, SO_NOSIGPIPE, &yes, sizeof yes);
#endif
  }
  return 0;
}

static int two_ends(int *ends) {
#ifdef __linux__
  return pipe2(ends, O_CLOEXEC);
#else
  if (pipe(ends)) return -1;
  keep_to_oneself(ends[0]);
  keep_to_oneself(ends[1]);
  return 0;
#endif
}

/* Where Python is */

static int is_there(const char *path) {
  struct stat found;
  return stat(path, &found) == 0;
}

/* The folder of this library; 0 when it cannot be told. */
static int own_folder(char *folder) {
  Dl_info found;
  char path[PATH_MAX];
  if (!dladdr((void *)(uintptr_t)own_folder, &found) || !found.dli_fname || !realpath(found.dli_fname, path)) return 0;
  char *slash = strrchr(path, '/');
  if (!slash) return 0;
  *slash = 0;
  snprintf(folder, PATH_MAX, "%s", path);
  return 1;
}

/* The Python that has the package: the one that the environment names, that a file beside the library names, or that of the virtual environment that the
 * library lies in. Not one from PATH: it may be another, which has another version of the package, or none. */
static int find_python(const char *folder, char *python) {
  const char *named = getenv("KLAVIYO_SQL_PYTHON");
  if (named && *named) {
    snprintf(python, PATH_MAX, "%s", named);
    return 1;
  }
  if (!*folder) return 0;
  char path[PATH_MAX + 32];
  snprintf(path, sizeof path, "%s/klaviyo.python", folder);
  FILE *file = fopen(path, "re");
  if (file) {
    int said = fgets(python, PATH_MAX, file) != NULL;
    fclose(file);
    if (said) python[strcspn(python, "\r\n")] = 0;
    if (said && *python) return 1;
  }
  char level[PATH_MAX];
  snprintf(level, sizeof level, "%s", folder);
  for (int n = 0; n < 6; n++) {
    char *slash = strrchr(level, '/');
    if (!slash || slash == level) return 0;
    *slash = 0;
    snprintf(path, sizeof path, "%s/pyvenv.cfg", level);
    if (!is_there(path)) continue;
    if (strlen(level) + sizeof "/bin/python" > PATH_MAX) return 0;
    snprintf(python, PATH_MAX, "%.*s/bin/python", PATH_MAX - 16, level);
    if (is_there(python)) return 1;
  }
  return 0;
}

/* Starting it */

/* Between fork and exec only what is safe in a signal handler: another thread may have held any lock. */

static void close_from(int first) {
#if defined(__linux__) && defined(SYS_close_range)
  if (syscall(SYS_close_range, (unsigned)first, ~0U, 0U) == 0) return;
#endif
  struct rlimit most;
  int end = getrlimit(RLIMIT_NOFILE, &most) == 0 && most.rlim_cur < 65536 ? (int)most.rlim_cur : 65536;
  for (int descriptor = first; descriptor < end; descriptor++) close(descriptor);
}

static void become_worker(char **arguments, int line, int words, int report) {
  int nothing = open("/dev/null", O_RDWR);
  if (nothing < 0 || dup2(nothing, 0) < 0 || dup2(nothing, 1) < 0 || dup2(words, 2) < 0 || dup2(line, 3) < 0 || dup2(report, 4) < 0) _exit(127);
  keep_to_oneself(4);
  close_from(5);
  struct sigaction usual;
  memset(&usual, 0, sizeof usual);
  usual.sa_handler = SIG_DFL;
  for (int number = 1; number < 32; number++) sigaction(number, &usual, NULL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  execv(arguments[0], arguments);
  int reason = errno;
  ssize_t told = write(4, &reason, sizeof reason);
  _exit(told == (ssize_t)sizeof reason ? 127 : 126);
}

/* Start the program as a grandchild, so that the host has no child that it does not know; 0, or the errno of what failed. */
static int start(char **arguments) {
  int line[2] = {-1, -1}, words[2] = {-1, -1}, report[2] = {-1, -1}, moved[3] = {-1, -1, -1}, reason = 0;
  if (two_sockets(line) || two_ends(words) || two_ends(report)) reason = errno;
  int given[3] = {line[1], words[1], report[1]};
  for (int n = 0; n < 3 && !reason; n++) {
    moved[n] = fcntl(given[n], F_DUPFD_CLOEXEC, FIRST_FREE);
    if (moved[n] < 0) reason = errno;
  }
  if (!reason) {
    /* No handler of the host's may run in the child. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t middle = fork();
    if (middle == 0) {
      setsid(); /* ^C in the terminal is for the host: what the worker is to end it is told */
      pid_t worker = fork();
      if (worker == 0) become_worker(arguments, moved[0], moved[1], moved[2]);
      if (worker < 0) {
        int failed = errno;
        ssize_t told = write(moved[2], &failed, sizeof failed);
        _exit(told < 0);
      }
      _exit(0);
    }
    if (middle < 0) reason = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    while (middle > 0 && waitpid(middle, NULL, 0) < 0 && errno == EINTR) continue;
  }
  for (int n = 0; n < 3; n++) {
    shut(&given[n]);
    shut(&moved[n]);
  }
  if (!reason) {
    int failed = 0;
    ssize_t count;
    do count = read(report[0], &failed, sizeof failed);
    while (count < 0 && errno == EINTR);
    if (count == (ssize_t)sizeof failed) reason = failed;
  }
  shut(&report[0]);
  if (reason) {
    shut(&line[0]);
    shut(&words[0]);
    return reason;
  }
  shut(&control);
  shut(&last_words);
  control = line[0];
  last_words = words[0];
  workers++;
  return 0;
}

static int start_worker(char **error) {
  char folder[PATH_MAX] = "", python[PATH_MAX], program[PATH_MAX + 16];
  own_folder(folder);
  if (!find_python(folder, python)) {
    *error = text_of(
        "klaviyo: the extension does not know which Python has klaviyo-sql: run klaviyo-sql extension-path once, which notes it, or set "
        "KLAVIYO_SQL_PYTHON to its path.");
    return -1;
  }
  /* -I: neither the host's working directory nor its PYTHONPATH says what the worker imports. */
  char isolated[] = "-I", module[] = "-m", name[] = "klaviyo_sql.extension.worker";
  char *arguments[] = {python, isolated, module, name, NULL};
  snprintf(program, sizeof program, "%s/launch.py", folder);
  if (is_there(program)) {
    arguments[2] = program;
    arguments[3] = NULL;
  }
  int reason = start(arguments);
  if (!reason) return 0;
  *error = text_of("klaviyo: the worker cannot be started with %.900s: %s. KLAVIYO_SQL_PYTHON names another Python.", python, strerror(reason));
  return -1;
}

/* A fixed-size word on the control socket, with a descriptor if it is not negative. */
static int tell(uint32_t kind, uint32_t session, uint32_t number, int descriptor) {
  uint32_t words[3] = {kind, session, number};
  struct iovec part = {words, sizeof words};
  union {
    struct cmsghdr header;
    char room[CMSG_SPACE(sizeof(int))];
  } attached;
  struct msghdr message;
  memset(&message, 0, sizeof message);
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (descriptor >= 0) {
    memset(&attached, 0, sizeof attached);
    message.msg_control = attached.room;
    message.msg_controllen = sizeof attached.room;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &descriptor, sizeof(int));
  }
  ssize_t sent;
  do sent = sendmsg(control, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  while (sent < 0 && errno == EINTR);
  return sent == (ssize_t)sizeof words ? 0 : -1;
}

int line_open(Line *line, char **error) {
  int ends[2], failed = -1;
  memset(line, 0, sizeof *line);
  line->socket = -1;
  pthread_mutex_lock(&lock);
  if (!watching_forks) watching_forks = pthread_atfork(NULL, NULL, forget_after_fork) == 0;
  if (two_sockets(ends)) {
    *error = text_of("klaviyo: no socket can be made: %s.", strerror(errno));
  } else {
    /* A worker that has died shows when it is told something: then there is another. */
    for (int tries = 0; failed && tries < 2; tries++) {
      if (control < 0 && start_worker(error)) break;
      failed = tell(CONTROL_OPEN, ++sessions, 0, ends[1]);
      if (failed) shut(&control);
    }
    close(ends[1]);
    if (failed) {
      close(ends[0]);
      if (!*error) *error = text_of("klaviyo: the worker process does not take a new connection.");
    } else {
      fcntl(ends[0], F_SETFL, O_NONBLOCK);
      line->socket = ends[0];
      line->owner = getpid();
      line->session = sessions;
      line->worker = workers;
    }
  }
  pthread_mutex_unlock(&lock);
  return failed;
}

void line_close(Line *line) {
  shut(&line->socket);
  unframer_clear(&line->unframer);
}

void line_cancel(const Line *line, uint32_t number) {
  pthread_mutex_lock(&lock);
  if (control >= 0 && workers == line->worker) tell(CONTROL_CANCEL, line->session, number, -1);
  pthread_mutex_unlock(&lock);
}

void line_answered(const Line *line) {
  pthread_mutex_lock(&lock);
  if (workers == line->worker) shut(&last_words);
  pthread_mutex_unlock(&lock);
}

char *line_last_words(const Line *line) {
  char said[4000];
  ssize_t count = 0;
  pthread_mutex_lock(&lock);
  if (workers == line->worker) {
    if (last_words >= 0) {
      fcntl(last_words, F_SETFL, O_NONBLOCK);
      count = read(last_words, said, sizeof said - 1);
    }
    shut(&last_words);
    shut(&control); /* the next connection gets another worker */
  }
  pthread_mutex_unlock(&lock);
  if (count <= 0) return NULL;
  while (count > 0 && (said[count - 1] == '\n' || said[count - 1] == '\r')) count--;
  said[count] = 0;
  char *newline = strrchr(said, '\n');
  return text_of("%.800s", newline ? newline + 1 : said);
}

/* Talking to it */

/* Receive what is there, at most one frame; 0 when the line is broken. */
static int receive(Line *line, Frame **frame) {
  size_t room;
  *frame = NULL;
  for (;;) {
    uint8_t *at = unframer_room(&line->unframer, &room);
    if (!at) return 0;
    ssize_t count = recv(line->socket, at, room, 0);
    if (count == 0) return 0;
    if (count < 0) {
      if (errno == EINTR) continue;
      return errno == EAGAIN || errno == EWOULDBLOCK;
    }
    *frame = unframer_took(&line->unframer, (size_t)count);
    if (*frame) return 1;
  }
}

int line_send(Line *line, const Writer *request, void (*keep)(void *, Frame *), void *context) {
  size_t sent = 0;
  int idle = 0;
  while (sent < request->used) {
    ssize_t count = send(line->socket, request->bytes + sent, request->used - sent, MSG_NOSIGNAL);
    if (count >= 0) {
      sent += (size_t)count;
      idle = 0;
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) return -1;
    /* The worker may itself be waiting until what it has sent is taken. */
    struct pollfd ready = {line->socket, POLLIN | POLLOUT, 0};
    if (poll(&ready, 1, 1000) == 0 && ++idle > SECONDS_TO_TAKE) return -1;
    if (ready.revents & POLLIN) {
      Frame *frame;
      if (!receive(line, &frame)) return -1;
      if (frame) keep(context, frame);
    } else if (ready.revents & (POLLERR | POLLHUP | POLLNVAL)) {
      return -1;
    }
  }
  return 0;
}

Frame *line_receive(Line *line, int milliseconds, int *broken) {
  Frame *frame;
  *broken = 0;
  for (int waited = 0; waited < 2; waited++) {
    if (!receive(line, &frame)) {
      *broken = 1;
      return NULL;
    }
    if (frame || waited) return frame;
    struct pollfd ready = {line->socket, POLLIN, 0};
    poll(&ready, 1, milliseconds);
  }
  return NULL;
}
