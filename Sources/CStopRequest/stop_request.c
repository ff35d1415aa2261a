// Here and not in Swift, since a handler may do next to nothing: no allocation, no lock, no lazy initialisation.
#include "stop_request.h"

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <unistd.h>

static atomic_int requested;
static atomic_int interrupts;

static void note(int number) {
  atomic_store(&requested, 1);
  if (number == SIGINT && atomic_fetch_add(&interrupts, 1) > 0) _exit(130);
}

int dtrain_stop_request_install(void) {
  sigset_t caught;
  sigemptyset(&caught);
  const int numbers[] = {SIGTERM, SIGINT, SIGUSR1};
  for (size_t index = 0; index < sizeof numbers / sizeof *numbers; index++) {
    struct sigaction before;
    if (sigaction(numbers[index], NULL, &before) != 0) return -1;
    if (before.sa_handler == SIG_IGN) continue;
    struct sigaction action = {.sa_handler = note, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    if (sigaction(numbers[index], &action, NULL) != 0) return -1;
    sigaddset(&caught, numbers[index]);
  }
  // Whoever started this process may have blocked them.
  return sigprocmask(SIG_UNBLOCK, &caught, NULL);
}

int dtrain_stop_request_is_set(void) { return atomic_load(&requested); }

static atomic_int continued;

static void note_continue(int number) {
  (void)number;
  atomic_store(&continued, 1);
}

int dtrain_continue_request_install(void) {
  struct sigaction action = {.sa_handler = note_continue, .sa_flags = SA_RESTART};
  sigemptyset(&action.sa_mask);
  return sigaction(SIGCONT, &action, NULL);
}

int dtrain_continue_request_is_set(void) { return atomic_load(&continued); }
