// Here and not in Swift, which has no fork: between fork and exec a process may do next to nothing.
#define _GNU_SOURCE
#include "child_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/prctl.h>
#endif

static void become(char *const arguments[], int output, int errors, pid_t parent) {
  if (setpgid(0, 0) != 0) return;
#ifdef __linux__
  if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0) return;
  // The parent may have ended before.
  if (getppid() != parent) _exit(1);
#else
  (void)parent;
#endif
  sigset_t none;
  sigemptyset(&none);
  signal(SIGPIPE, SIG_DFL);
  if (sigprocmask(SIG_SETMASK, &none, NULL) != 0) return;
  const int nothing = open("/dev/null", O_RDONLY);
  if (nothing < 0 || dup2(nothing, STDIN_FILENO) < 0 || dup2(errors, STDERR_FILENO) < 0) return;
  if (output >= 0 && dup2(output, STDOUT_FILENO) < 0) return;
  if (nothing != STDIN_FILENO) close(nothing);
  execvp(arguments[0], arguments);
}

pid_t dtrain_child_start(char *const arguments[], int output, int errors) {
  // What went wrong on the way comes back through a pipe, which a program that runs has closed.
  int report[2];
  if (pipe(report) != 0) return -1;
  fcntl(report[0], F_SETFD, FD_CLOEXEC);
  fcntl(report[1], F_SETFD, FD_CLOEXEC);
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child == 0) {
    become(arguments, output, errors, parent);
    const int number = errno;
    ssize_t written = write(report[1], &number, sizeof number);
    _exit(written < 0 ? 126 : 127);
  }
  int number = child < 0 ? errno : 0;
  close(report[1]);
  if (child > 0) {
    ssize_t count;
    do count = read(report[0], &number, sizeof number);
    while (count < 0 && errno == EINTR);
    if (count != sizeof number) number = 0;
  }
  close(report[0]);
  if (number == 0) return child;
  if (child > 0) waitpid(child, NULL, 0);
  errno = number;
  return -1;
}
